"""Roll back when the model becomes less creative, more biased or less capable, beyond chance and tolerance.

Signals in three families. Creativity and bias are measured on the model's unconditional samples, against those of
generation 0: a stable difference to real rows is a property of the model, which is reported and never alarms,
nor does an attribute whose shares move toward those of real rows. Function is the held-out score, against several
models trained on real rows alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from selfsown.errors import suggest
from selfsown.option_types import Finite, Natural, Pattern
from selfsown.prompting.unconditional import comparable_rows
from selfsown.records import Generation, Row, Score, SelfsownError, Signal, Unit, Verdict
from selfsown.signals.attributes import NONE, Attributes, valued
from selfsown.signals.baseline_test import worsened
from selfsown.signals.measures import (
    MIN_COUNT,
    accuracy_gap,
    has_rare_ngrams,
    log_odds_change,
    log_odds_error,
    most_common,
    rare_ngrams_lost,
    shift,
    shift_error,
    vendi_lost,
)
from selfsown.signals.permutation_test import MeasureSpec, drift, with_significance
from selfsown.signals.reference import ReferenceCorpus
from selfsown.signals.status import overall_status, underpowered
from selfsown.tasks import Task, is_right

MIN_TEXTS = 100  # on either side, to measure creativity and bias
MAX_REAL_ROWS = 10_000  # that define how common an attribute's values are
Scores = Sequence[Score]
TextCount = Annotated[int, Field(ge=MIN_TEXTS)]


@dataclass(frozen=True)
class _Tolerances:
    """How large a change of each signal is tolerated: shares, points as shares, and log-odds."""

    rare_ngrams: float = 0.1
    vendi: float = 0.1
    shift: float = 0.05
    log_odds: float = 0.2
    loss: float = 0.02
    accuracy: float = 0.02


_UNBOUNDED = ("log_odds", "loss")  # the other tolerances are shares, at most 1


def _checked(tolerance: dict[str, float]) -> dict[str, float]:
    names = [field.name for field in fields(_Tolerances)]
    for name, value in tolerance.items():
        if name not in names:
            words = {"hint": suggest(name, names), "name": name}
            raise PydanticCustomError("tolerance", "tolerances of known signals, not of {name!r}{hint}", words)
        if value > 1 and name not in _UNBOUNDED:
            raise PydanticCustomError("tolerance", "a share of at most 1 for {name}", {"name": name})
    return tolerance


Tolerance = Annotated[dict[str, Finite], AfterValidator(_checked)]


def guard(
    history: Sequence[Generation],
    real: Sequence[Row],
    held_out: Sequence[Row],
    task: Task,
    written: Callable[[int, int], Sequence[Row]],
    baselines: Callable[[int], Sequence[Scores]],
    *,
    count: TextCount = 1000,
    baseline_models: Natural = 5,
    attributes: Mapping[str, Mapping[str, Pattern]] | tuple[str, ...] = (),
    outcome_gaps: bool = False,
    tolerance: Tolerance | None = None,
) -> Verdict:
    """Reject a generation whose status is red (see selfsown.signals.status).

    count: unconditional samples per model.
    baseline_models: models trained on real rows alone, for comparison; with fewer than 2, function is not measured.
    attributes: names of metadata fields, or for each attribute its values and their regular expressions.
    outcome_gaps: also measure how much accuracy differs between the values of an attribute.
    tolerance: largest accepted changes, which override the defaults: `rare_ngrams` (0.1 of the distinct rare n-grams),
    `vendi` (0.1 of the Vendi score), `shift` (0.05 total variation of an attribute), `log_odds` (0.2 more for its most
    common value); both of these beyond the sampling error of the real rows; `loss` (0.02 of the held-out loss),
    `accuracy` (0.02 of the mean over all strata).

    SelfsownError if no real row has an attribute, or outcome_gaps is set for a task that cannot check answers.
    """
    tolerances = _Tolerances(**(tolerance or {}))
    named = attributes if isinstance(attributes, Mapping) else {name: {} for name in attributes}
    measures = _BiasMeasures(named, task, outcome_gaps, comparable_rows([*held_out, *real], task)[:MAX_REAL_ROWS])
    measures.check()
    now, first = written(history[-1].number, count), written(history[0].number, count)
    scored = _scored(history[-1].scores, baselines(baseline_models), tolerances) if baseline_models > 1 else []
    samples = _Samples.of(comparable_rows(held_out, task), first, now)
    drifts, gaps = _drifts_and_gaps(samples, measures, tolerances, len(scored)) if samples.enough else ([], [])
    functions = [worsened(*score, tests=len(drifts) + len(scored)) for score in scored]
    signals = with_significance([*drifts, *functions])
    gap_signals = tuple(replace(gap, name=f"{gap.name} to real rows", family="gap") for gap in gaps)
    unmeasured = dict(_unmeasured(signals, samples, measures, baseline_models))
    return _verdict(signals, gap_signals, unmeasured, _parent_signals(history))


def _verdict(
    signals: Sequence[Signal], gaps: tuple[Signal, ...], unmeasured: Mapping[str, bool], before: Sequence[Signal]
) -> Verdict:
    """unmeasured: what was not measured, and whether it was configured; then the status is unknown instead of green."""
    status: Literal["green", "amber", "red", "unknown"]
    status, reason = overall_status(signals, before)
    parts = [f"{status.upper()}: {reason}", *unmeasured]
    if status == "green":
        parts += underpowered(signals)
        if not signals or any(unmeasured.values()):
            status, parts[0] = "unknown", "UNKNOWN"
    metrics = {signal.name: signal.value for signal in (*signals, *gaps)}
    return Verdict(status != "red", "; ".join(parts), "monitor", metrics, status, (*signals, *gaps))


def _unmeasured(
    signals: Sequence[Signal], samples: _Samples, measures: _BiasMeasures, baseline_models: int
) -> Iterator[tuple[str, bool]]:
    """What was not measured and what it requires, and whether it was configured."""
    families = {signal.family for signal in signals}
    if not samples.enough:
        yield (
            f"creativity and bias not measured: {samples.sizes}; at least {MIN_TEXTS} and {2 * MIN_TEXTS} are required",
            True,
        )
    elif all(signal.name != "tails lost" for signal in signals):
        yield f"rare n-grams not measured: the samples have fewer than {MIN_COUNT} distinct ones", False
    if not measures.named:
        yield "bias not measured: no attribute is configured", False
    elif samples.enough and (absent := [name for name in measures.named if not samples.have(measures, name)]):
        example = f"attributes: {{{absent[0]}: {{VALUE: 'a regular expression', …}}}}"
        yield (
            f"no sample has the attribute {', '.join(absent)}; define it by patterns: {example}",
            ("bias" not in families),
        )
    if baseline_models < 2:
        yield "function not measured: at least 2 baseline models are required", False
    elif "function" not in families:
        yield "function not measured: no loss or accuracy among the scores", True


@dataclass(frozen=True)
class _Samples:
    """Held-out real rows, of which one half is the reference corpus and the other is compared, and equally many samples
    of generation 0 and of the newest one."""

    corpus: Sequence[Row]
    real: Sequence[Row]
    first: Sequence[Row]
    now: Sequence[Row]

    @classmethod
    def of(cls, held_out: Sequence[Row], first: Sequence[Row], now: Sequence[Row]) -> _Samples:
        shuffled = random.Random(0).sample(list(held_out), len(held_out))
        half = len(shuffled) // 2
        count = min(len(now), len(first))
        return cls(shuffled[:half], shuffled[half:], first[:count], now[:count])

    @property
    def enough(self) -> bool:
        return min(len(self.now), len(self.real)) >= MIN_TEXTS

    @property
    def sizes(self) -> str:
        return f"{len(self.now)} samples, and {len(self.corpus) + len(self.real)} held-out rows that begin as they do"

    def have(self, measures: _BiasMeasures, name: str) -> bool:
        """Whether any sample has a value of this attribute."""
        return any(value != NONE for value in valued([*self.first, *self.now], name, measures.named))


@dataclass(frozen=True)
class _BiasMeasures:
    """The attributes to measure, whether with accuracy gaps, and the real rows that define their shares."""

    named: Attributes
    task: Task
    outcome_gaps: bool
    real: Sequence[Row]

    def check(self) -> None:
        """SelfsownError if no real row has an attribute, or accuracy cannot be checked."""
        if self.outcome_gaps and not self.task.verifiable:
            raise SelfsownError(
                f"guard.monitor: outcome_gaps needs a task that checks answers; {self.task.name} cannot"
            )
        for name in self.named:
            if self.real and set(valued(self.real, name, self.named)) == {NONE}:
                available = ", ".join(sorted({field for row in self.real for field in row.metadata})) or "none"
                raise SelfsownError(
                    f"guard.monitor: no real row has the attribute {name!r}; available: {available}; "
                    f"or define it by patterns: attributes: {{{name}: {{VALUE: 'a regular expression', …}}}}"
                )

    def specs(
        self, names: Sequence[str], rows: Sequence[Row], tolerances: _Tolerances, drifts: bool
    ) -> Iterator[tuple[str, MeasureSpec]]:
        """The measures of bias over these rows. drifts: changes toward the real rows do not count."""
        right: list[bool] = []
        if self.outcome_gaps:
            right = [not row.status and is_right(self.task, row, row.answer) for row in rows]
        for name in names:
            values, real = valued(rows, name, self.named), valued(self.real, name, self.named)
            majority = most_common(real)
            target = real if drifts else ()
            # Where only changes away from real rows count, the sampling error of these is tolerated, too.
            max_shift = tolerances.shift + (shift_error(real) if drifts else 0)
            max_growth = tolerances.log_odds + (log_odds_error(real, majority) if drifts else 0)
            growth = log_odds_change(values, majority, target)
            yield f"shift of {name}", MeasureSpec(shift(values, target), "bias", max_shift, "points")
            yield f"log-odds of {name}={majority}", MeasureSpec(growth, "bias", max_growth, "of log-odds")
            if self.outcome_gaps:
                gap = accuracy_gap(values, right)
                yield f"unequal accuracy by {name}", MeasureSpec(gap, "bias", tolerances.shift, "points")


def _parent_signals(history: Sequence[Generation]) -> list[Signal]:
    """The signals of the generation that the last one was trained from."""
    parent = next((past for past in reversed(history[:-1]) if past.accepted), history[0])
    return [signal for verdict in parent.verdicts if verdict.guard == "monitor" for signal in verdict.signals]


def _drifts_and_gaps(
    samples: _Samples, measures: _BiasMeasures, tolerances: _Tolerances, function_tests: int
) -> tuple[list[Signal], list[Signal]]:
    """The changes from generation 0, and the differences to real rows. function_tests: number of function signals."""
    corpus = ReferenceCorpus.of([row.prompt + row.answer for row in samples.corpus])
    count = len(samples.now)
    gap_count = min(count, len(samples.real))
    drift_rows = [*samples.first, *samples.now]
    gap_rows = [*samples.real[:gap_count], *samples.now[:gap_count]]
    names = [name for name in measures.named if samples.have(measures, name)]
    drifts = _creativity(corpus, drift_rows, tolerances) | dict(measures.specs(names, drift_rows, tolerances, True))
    gaps = _creativity(corpus, gap_rows, tolerances) | dict(measures.specs(names, gap_rows, tolerances, False))
    return drift(drifts, count, count, other_tests=function_tests), drift(gaps, gap_count, gap_count)


def _creativity(corpus: ReferenceCorpus, rows: Sequence[Row], tolerances: _Tolerances) -> dict[str, MeasureSpec]:
    """The measures of creativity over these rows, of which the second half is compared with the first."""
    texts = [row.prompt + row.answer for row in rows]
    specs = {}
    if has_rare_ngrams(corpus, texts[: len(texts) // 2]):
        specs["tails lost"] = MeasureSpec(rare_ngrams_lost(corpus, texts), "creativity", tolerances.rare_ngrams)
    specs["Vendi score lost"] = MeasureSpec(vendi_lost(corpus, texts), "creativity", tolerances.vendi)
    return specs


def _scored(
    now: Scores, baselines: Sequence[Scores], tolerances: _Tolerances
) -> list[tuple[str, Score, list[Score], float, Unit]]:
    """Loss, and mean accuracy over all strata: name, score, the baselines' scores, tolerance and unit."""
    kinds: tuple[tuple[str, float, Unit], ...] = (
        ("loss", tolerances.loss, "%"),
        ("accuracy", tolerances.accuracy, "points"),
    )
    scored = []
    for name, tolerance, unit in kinds:
        baseline_scores = [score for scores in baselines if (score := _mean(scores, name))]
        score = _mean(now, name)
        if score and len(baseline_scores) > 1:
            scored.append((f"held-out {name}", score, baseline_scores, tolerance, unit))
    return scored


def _mean(scores: Scores, name: str) -> Score | None:
    """The unweighted mean over the finest strata of one kind (by form and level, say); over all rows without strata."""
    named = [score for score in scores if score.name == name]
    kinds = [re.findall(r"(\w+)=", score.stratum) for score in named]
    finest = max(kinds, key=len, default=[])  # of equals the first
    strata = [score for score, kind in zip(named, kinds, strict=True) if kind == finest]
    if not strata:
        return None
    value = sum(score.value for score in strata) / len(strata)
    n = sum(score.n for score in strata)
    return replace(strata[0], value=value, n=n, low=value, high=value, stratum="")
