"""Roll back when the model grows less creative, more biased or less able, by more than chance and than is borne.

Six signals in three families. Creativity and bias are those of what the model writes when left to itself, against what
generation 0 wrote: a stable difference to real rows is a property of the model, is reported, and never alarms; nor does
an attribute whose shares move nearer to theirs.
Function is the held-out score against several models trained on real rows alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from selfsown.kinds import Count, Share
from selfsown.records import Generation, Row, Score, SelfsownError, Signal, Unit, Verdict
from selfsown.signals.attributes import NONE, Attributes, valued
from selfsown.signals.drift import Wanted, drift, holm
from selfsown.signals.function import worsened
from selfsown.signals.light import light
from selfsown.signals.measures import FEW, major, measurable, odds, tails, variation, vendi
from selfsown.signals.pool import Anchor
from selfsown.tasks import Task
from selfsown.unprompted import alike

LEAST = 100  # documents on either side, under which nothing is said
MOST = 10_000  # real rows that say how common an attribute's values are
Scores = Sequence[Score]


def guard(
    history: Sequence[Generation],
    real: Sequence[Row],
    held_out: Sequence[Row],
    task: Task,
    written: Callable[[int, int], Sequence[Row]],
    baselines: Callable[[int], Sequence[Scores]],
    *,
    count: Count = 1000,
    models: Count = 5,
    attributes: Mapping[str, Mapping[str, str]] | tuple[str, ...] = (),
    outcome: bool = False,
    tail: Share = 0.1,
    spread: Share = 0.1,
    shift: Share = 0.05,
    log_odds: float = 0.2,
    loss: float = 0.02,
    accuracy: Share = 0.02,
) -> Verdict:
    """count: texts that each model writes; models: how many are trained on real rows alone, as a yardstick; attributes:
    names of traits, or for each name its values and their regular expressions; outcome: whether an attribute's share
    among right and among wrong rows is watched too.

    What is borne: `tail` of the rare n-grams, `spread` of the Vendi score, `shift` of an attribute in total variation,
    `log_odds` that its most common value may gain, `loss` of the held-out loss, `accuracy` of the mean over all strata.
    """
    borne = _Borne(tail, spread, shift, log_odds, loss, accuracy)
    named = attributes if isinstance(attributes, Mapping) else {name: {} for name in attributes}
    ours, firsts = written(history[-1].number, count), written(history[0].number, count)
    scored = _scored(history[-1].scores, baselines(models), borne)
    watch = _Watch(named, task, outcome, alike([*held_out, *real], task)[:MOST])
    drifts, gaps = _drifts_and_gaps(ours, firsts, alike(held_out, task), watch, borne, len(scored))
    functions = [worsened(*each, tests=len(drifts) + len(scored)) for each in scored]
    shown, why = light(found := holm([*drifts, *functions]), _before(history))
    signals = (*found, *(replace(each, name=f"{each.name} to real rows", family="gap") for each in gaps))
    numbers = {each.name: each.value for each in signals}
    said = f"{shown.upper()}: {why}" if found else "cannot say"
    reason = "; ".join([said, *_unmeasured(drifts, functions)])
    return Verdict(shown != "red", reason, "monitor", numbers, shown if found else "", signals)


def _unmeasured(drifts: Sequence[Signal], functions: Sequence[Signal]) -> Iterator[str]:
    """What could not be measured, and what it takes."""
    if not drifts:
        needed = f"{LEAST} texts, and {2 * LEAST} held-out rows that begin alike"
        yield f"creativity and bias not measured: they take {needed}"
    elif all(each.name != "tails lost" for each in drifts):
        yield f"tails not measured: under {FEW} kinds of rare n-grams of held-out real rows are said at all"
    if not functions:
        yield "function not measured: it takes a score, and two models trained on real rows alone or more"


@dataclass(frozen=True)
class _Borne:
    """How much of each signal is borne."""

    tail: float
    spread: float
    shift: float
    log_odds: float
    loss: float
    accuracy: float


@dataclass(frozen=True)
class _Watch:
    """Which attributes are watched, whether together with right and wrong, and the real rows that say their shares."""

    named: Attributes
    task: Task
    outcome: bool
    real: Sequence[Row]

    def values(self, rows: Sequence[Row]) -> dict[str, list[str]]:
        """Of each attribute every row's value; with `outcome`, once more with whether the row is right."""
        found = {name: valued(rows, name, self.named) for name in self.named}
        if self.outcome:
            right = [self.task.check(row, row.answer).score >= 0.5 for row in rows]
            joint = {
                name: [f"{value} {ok}" for value, ok in zip(values, right, strict=True)]
                for name, values in found.items()
            }
            found |= {f"{name} and outcome": values for name, values in joint.items()}
        return found


def _before(history: Sequence[Generation]) -> list[Signal]:
    """The signals of the generation that the last one came from."""
    parent = next((past for past in reversed(history[:-1]) if past.stands), history[0])
    return [each for verdict in parent.verdicts if verdict.by == "monitor" for each in verdict.signals]


def _drifts_and_gaps(
    ours: Sequence[Row], firsts: Sequence[Row], held_out: Sequence[Row], watch: _Watch, borne: _Borne, beside: int
) -> tuple[list[Signal], list[Signal]]:
    """What differs from the first texts, and from held-out real rows, half of which say what is rare and where texts
    lie. beside: how many signals of function are looked at, too."""
    shuffled = random.Random(0).sample(list(held_out), len(held_out))
    anchor, reference = shuffled[: len(shuffled) // 2], shuffled[len(shuffled) // 2 :]
    many, same = min(len(ours), len(firsts)), min(len(ours), len(reference))
    if min(many, same) < LEAST:
        return [], []
    known = Anchor.of([row.prompt + row.answer for row in anchor])
    shown = watch.values(watch.real)
    if hidden := [name for name, values in shown.items() if set(values) == {NONE}]:
        raise SelfsownError(f"guard.monitor: no real row shows the attribute {hidden[0]!r}")
    most = {name: major(values) for name, values in shown.items()}
    drifts = _wanted(known, [*firsts[:many], *ours[:many]], watch, most, borne, shown)
    gaps = _wanted(known, [*reference[:same], *ours[:same]], watch, most, borne, {})
    return drift(drifts, many, many, beside=beside), drift(gaps, same, same)


def _wanted(
    anchor: Anchor,
    rows: Sequence[Row],
    watch: _Watch,
    most: Mapping[str, str],
    borne: _Borne,
    real: Mapping[str, Sequence[str]],
) -> dict[str, Wanted]:
    """The measures of creativity and of bias, over these rows, the later half of which is held against the first. real:
    each attribute's values in real rows, from which nothing is bias that leads nearer to them."""
    texts = [row.prompt + row.answer for row in rows]
    found = {"Vendi score lost": Wanted(vendi(anchor, texts), "creativity", borne.spread)}
    if measurable(anchor, texts[: len(texts) // 2]):
        found = {"tails lost": Wanted(tails(anchor, texts), "creativity", borne.tail)} | found
    for name, values in watch.values(rows).items():
        theirs = real.get(name, ())
        found[f"shift of {name}"] = Wanted(variation(values, theirs), "bias", borne.shift, "points")
        if name in watch.named:
            grown = odds(values, most[name], theirs)
            found[f"log-odds of {name}={most[name]}"] = Wanted(grown, "bias", borne.log_odds, "of log-odds")
    return found


def _scored(
    now: Scores, baselines: Sequence[Scores], borne: _Borne
) -> list[tuple[str, Score, list[Score], float, Unit]]:
    """Loss, and the mean accuracy over all strata, with those of the baselines, what is borne, and its unit."""
    wanted: tuple[tuple[str, float, Unit], ...] = (("loss", borne.loss, "%"), ("accuracy", borne.accuracy, "points"))
    found = []
    for name, tolerance, unit in wanted:
        theirs = [each for scores in baselines if (each := _mean(scores, name))]
        ours = _mean(now, name)
        if ours and len(theirs) > 1:
            found.append((f"held-out {name}", ours, theirs, tolerance, unit))
    return found


def _mean(scores: Scores, name: str) -> Score | None:
    """The mean over the finest strata, each as much worth as any other; over all rows where there are none."""
    named = [score for score in scores if score.name == name]
    finest = max((score.group.count("=") for score in named), default=0)
    strata = [score for score in named if score.group.count("=") == finest]
    if not strata:
        return None
    value, n = sum(score.value for score in strata) / len(strata), sum(score.n for score in strata)
    return replace(strata[0], value=value, n=n, low=value, high=value, group="")
