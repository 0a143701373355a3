"""Roll back when the model grows less creative, more biased or less able, by more than chance and than is borne.

Six signals in three families. Creativity and bias are those of what the model writes when left to itself, against what
generation 0 wrote: a stable difference to real rows is a property of the model, is reported, and never alarms; nor does
an attribute whose shares move nearer to theirs.
Function is the held-out score against several models trained on real rows alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from selfsown.option_types import Finite, Natural, Pattern, Share
from selfsown.prompting.unconditional import comparable_rows
from selfsown.records import Generation, Row, Score, SelfsownError, Signal, Unit, Verdict
from selfsown.signals.attributes import NONE, Attributes, valued
from selfsown.signals.baseline_test import worsened
from selfsown.signals.measures import (
    FEW,
    disparity,
    major,
    measurable,
    odds,
    odds_error,
    tails,
    variation,
    variation_error,
    vendi,
)
from selfsown.signals.permutation_test import Wanted, drift, holm
from selfsown.signals.reference import Anchor
from selfsown.signals.status import light, missed
from selfsown.tasks import Task

LEAST = 100  # documents on either side, under which nothing is said
MOST = 10_000  # real rows that say how common an attribute's values are
Scores = Sequence[Score]
Texts = Annotated[int, Field(ge=LEAST)]


def guard(
    history: Sequence[Generation],
    real: Sequence[Row],
    held_out: Sequence[Row],
    task: Task,
    written: Callable[[int, int], Sequence[Row]],
    baselines: Callable[[int], Sequence[Scores]],
    *,
    count: Texts = 1000,
    baseline_models: Natural = 5,
    attributes: Mapping[str, Mapping[str, Pattern]] | tuple[str, ...] = (),
    outcome_gaps: bool = False,
    tail: Share = 0.1,
    spread: Share = 0.1,
    shift: Share = 0.05,
    log_odds: Finite = 0.2,
    loss: Finite = 0.02,
    accuracy: Share = 0.02,
) -> Verdict:
    """count: texts that each model writes; models: how many are trained on real rows alone, as a yardstick (under 2:
    function is not watched); attributes: names of traits, or for each name its values and their regular expressions;
    outcome: whether the difference between an attribute's values in how often rows are right is watched too.

    What is borne: `tail` of the rare n-grams, `spread` of the Vendi score, `shift` of an attribute in total variation,
    `log_odds` that its most common value may gain, both beyond what the real rows leave open, `loss` of the held-out
    loss, `accuracy` of the mean over all strata.
    """
    borne = _Borne(tail, spread, shift, log_odds, loss, accuracy)
    named = attributes if isinstance(attributes, Mapping) else {name: {} for name in attributes}
    watch = _Watch(named, task, outcome_gaps, comparable_rows([*held_out, *real], task)[:MOST])
    watch.fits()
    ours, firsts = written(history[-1].number, count), written(history[0].number, count)
    scored = _scored(history[-1].scores, baselines(baseline_models), borne) if baseline_models > 1 else []
    compared = _Compared.of(comparable_rows(held_out, task), firsts, ours)
    drifts, gaps = _drifts_and_gaps(compared, watch, borne, len(scored)) if compared.enough else ([], [])
    functions = [worsened(*each, tests=len(drifts) + len(scored)) for each in scored]
    found = holm([*drifts, *functions])
    told = tuple(replace(each, name=f"{each.name} to real rows", family="gap") for each in gaps)
    return _said(found, told, dict(_lacking(found, compared, watch, baseline_models)), _before(history))


def _said(
    found: Sequence[Signal], gaps: tuple[Signal, ...], lacking: Mapping[str, bool], before: Sequence[Signal]
) -> Verdict:
    """The light in words. lacking: what was not measured, and whether it was asked for: then nothing is green."""
    lit, why = light(found, before)
    shown = "" if lit == "green" and (not found or any(lacking.values())) else lit
    said = [f"{shown.upper()}: {why}" if shown else "cannot say", *lacking, *(missed(found) if lit == "green" else ())]
    signals = (*found, *gaps)
    return Verdict(
        shown != "red", "; ".join(said), "monitor", {each.name: each.value for each in signals}, shown, signals
    )


def _lacking(found: Sequence[Signal], compared: _Compared, watch: _Watch, models: int) -> Iterator[tuple[str, bool]]:
    """What was not measured and what it takes, and whether it was asked for."""
    there = {each.family for each in found}
    if not compared.enough:
        yield f"creativity and bias not measured: {compared.there}; it takes {LEAST} and {2 * LEAST}", True
    elif all(each.name != "tails lost" for each in found):
        yield f"tails not measured: under {FEW} kinds of rare n-grams of held-out real rows are said at all", False
    if not watch.named:
        yield "bias not watched: no attribute is named", False
    elif compared.enough and (hidden := [name for name in watch.named if not compared.shows(watch, name)]):
        example = f"attributes: {{{hidden[0]}: {{VALUE: 'a regular expression', …}}}}"
        yield f"no text that a model writes shows {', '.join(hidden)}; by its words: {example}", "bias" not in there
    if models < 2:
        yield "function not watched: it takes two models trained on real rows alone, or more", False
    elif "function" not in there:
        yield "function not measured: it takes a loss or an accuracy among the scores", True


@dataclass(frozen=True)
class _Compared:
    """Held-out real rows, of which half say what is rare and where texts lie and the others are compared, and as many
    texts of generation 0 as of the newest."""

    anchor: Sequence[Row]
    reference: Sequence[Row]
    firsts: Sequence[Row]
    ours: Sequence[Row]

    @classmethod
    def of(cls, held_out: Sequence[Row], firsts: Sequence[Row], ours: Sequence[Row]) -> _Compared:
        shuffled = random.Random(0).sample(list(held_out), len(held_out))
        half, many = len(shuffled) // 2, min(len(ours), len(firsts))
        return cls(shuffled[:half], shuffled[half:], firsts[:many], ours[:many])

    @property
    def enough(self) -> bool:
        return min(len(self.ours), len(self.reference)) >= LEAST

    @property
    def there(self) -> str:
        alike = len(self.anchor) + len(self.reference)
        return f"{len(self.ours)} texts, and {alike} held-out rows that begin as they do"

    def shows(self, watch: _Watch, name: str) -> bool:
        return any(value != NONE for value in valued([*self.firsts, *self.ours], name, watch.named))


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

    def fits(self) -> None:
        """SelfsownError where no real row shows an attribute, or nobody knows what is right."""
        if self.outcome and not self.task.verifiable:
            raise SelfsownError(f"guard.monitor: outcome asks what is right, and {self.task.name} cannot tell")
        for name in self.named:
            if self.real and set(valued(self.real, name, self.named)) == {NONE}:
                there = ", ".join(sorted({trait for row in self.real for trait in row.metadata})) or "none"
                raise SelfsownError(
                    f"guard.monitor: no real row shows the attribute {name!r}; rows carry: {there}; "
                    f"or tell it by words: attributes: {{{name}: {{VALUE: 'a regular expression', …}}}}"
                )

    def wanted(
        self, names: Sequence[str], rows: Sequence[Row], borne: _Borne, drifts: bool
    ) -> Iterator[tuple[str, Wanted]]:
        """The measures of bias over these rows. drifts: whether nothing is bias that leads nearer to the real rows."""
        right = (
            [not row.status and self.task.check(row, row.answer).score >= 0.5 for row in rows] if self.outcome else []
        )
        for name in names:
            values, real = valued(rows, name, self.named), valued(self.real, name, self.named)
            most, theirs = major(real), real if drifts else ()
            moved, grown = variation(values, theirs), odds(values, most, theirs)
            # Where nothing is bias but what leads away from real rows, what these leave open is borne, too.
            shift = borne.shift + (variation_error(real) if drifts else 0)
            growth = borne.log_odds + (odds_error(real, most) if drifts else 0)
            yield f"shift of {name}", Wanted(moved, "bias", shift, "points")
            yield f"log-odds of {name}={most}", Wanted(grown, "bias", growth, "of log-odds")
            if self.outcome:
                unequal = disparity(values, right)
                yield f"unequal accuracy by {name}", Wanted(unequal, "bias", borne.shift, "points")


def _before(history: Sequence[Generation]) -> list[Signal]:
    """The signals of the generation that the last one came from."""
    parent = next((past for past in reversed(history[:-1]) if past.accepted), history[0])
    return [each for verdict in parent.verdicts if verdict.guard == "monitor" for each in verdict.signals]


def _drifts_and_gaps(
    compared: _Compared, watch: _Watch, borne: _Borne, beside: int
) -> tuple[list[Signal], list[Signal]]:
    """What differs from the first texts, and from real rows. beside: how many signals of function are looked at."""
    anchor = Anchor.of([row.prompt + row.answer for row in compared.anchor])
    many, same = len(compared.ours), min(len(compared.ours), len(compared.reference))
    drifts, gaps = [*compared.firsts, *compared.ours], [*compared.reference[:same], *compared.ours[:same]]
    names = [name for name in watch.named if compared.shows(watch, name)]
    moved = _wanted(anchor, drifts, borne) | dict(watch.wanted(names, drifts, borne, True))
    apart = _wanted(anchor, gaps, borne) | dict(watch.wanted(names, gaps, borne, False))
    return drift(moved, many, many, beside=beside), drift(apart, same, same)


def _wanted(anchor: Anchor, rows: Sequence[Row], borne: _Borne) -> dict[str, Wanted]:
    """The measures of creativity over these rows, the later half of which is held against the first."""
    texts = [row.prompt + row.answer for row in rows]
    found = {"Vendi score lost": Wanted(vendi(anchor, texts), "creativity", borne.spread)}
    if measurable(anchor, texts[: len(texts) // 2]):
        found = {"tails lost": Wanted(tails(anchor, texts), "creativity", borne.tail)} | found
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
    """The mean over the finest strata of one kind (form and level, say), each as much worth as any other; over all rows
    where there are none."""
    named = [score for score in scores if score.name == name]
    kinds = [re.findall(r"(\w+)=", score.stratum) for score in named]
    finest = max(kinds, key=len, default=[])  # of equals the first
    strata = [score for score, kind in zip(named, kinds, strict=True) if kind == finest]
    if not strata:
        return None
    value, n = sum(score.value for score in strata) / len(strata), sum(score.n for score in strata)
    return replace(strata[0], value=value, n=n, low=value, high=value, stratum="")
