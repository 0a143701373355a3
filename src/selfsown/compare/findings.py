"""The sentences of a comparison and of a proof."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from decimal import Decimal

from selfsown.compare.paired_test import ALPHA, improves, is_overfitting, kept_share, seeds_needed, verdict
from selfsown.compare.results import (
    ArmResult,
    Beyond,
    Control,
    CostComparison,
    Estimate,
    PairedDifference,
    Proof,
    ProofVerdict,
    Uplift,
)
from selfsown.findings import equal_training

DIRECTIONS = {
    "lower": " (lower is better)",
    "target 1": " (the target is 1; differences are those of the distance to it)",
}


def difference(name: str, gap: Estimate, seeds: int, lower_is_better: bool) -> str:
    """One arm against the reference; name: "graded − real"."""
    value = f"{name}: {gap.mean:+.3f}"
    if gap.low is None or gap.high is None:
        return f"{value} with one seed: no interval, no test possible"
    if gap.low == gap.high:
        return f"{value}, zero variance across {seeds} seeds: no test possible"
    above = gap.low > 0
    below = gap.high < 0
    outcome = "no significant difference"
    if above or below:
        outcome = "better" if below == lower_is_better else "worse"
    return f"{value} [{gap.low:+.3f}, {gap.high:+.3f}] over {seeds} seeds: {outcome}"


def bounded_ratio(beyond: Sequence[Beyond], smallest: float, largest: float) -> str:
    """The row ratio where some seed has no crossover."""
    above = beyond.count("above")
    below = beyond.count("below")
    of_seeds = f"of {len(beyond)} seeds"
    if below:
        return f"less than {smallest:g}×" + (f" in {below} {of_seeds}" if below < len(beyond) else "")
    if above == len(beyond):
        return f"more than {largest:g}×"
    return f"at least {smallest:.1f}× (more than {largest:g}× in {above} {of_seeds})"


def mean_ratio(mean: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{mean:.1f}× (one seed)"
    return f"{mean:.1f}× [{low:.1f}, {high:.1f}]"


def costs(cost: CostComparison, at_least: str) -> list[str]:
    """at_least: "at least " where the ratio of rows is a lower bound, otherwise ""."""
    plain, loop = cost.plain, cost.loop
    assert plain
    assert loop
    assert cost.label_ratio is not None
    rows = f"{plain.rows:,.0f} real rows including held-out rows, against {loop.rows:,.0f}"
    sentences = [f"labels only: plain training costs {at_least}{cost.label_ratio:.2f} times as much ({rows})"]
    if cost.compute_ratio is not None:
        seconds = f"{plain.cpu_seconds:,.0f} CPU seconds against {loop.cpu_seconds:,.0f}"
        sentences.append(f"compute only: {cost.compute_ratio:.2f} times as much ({seconds})")
    if cost.total_ratio is not None:
        prices = f"at {cost.prices['real_row']:g} USD per real row and {cost.prices['cpu_hour']:g} USD per CPU hour"
        sentences.append(f"both: {at_least}{cost.total_ratio:.2f} times as much ({prices})")
        ratios = [ratio for pair in (cost.sensitivity or {}).values() for ratio in pair]
        sentences.append(
            f"with each price at 50 % or 150 %: {at_least}{min(ratios):.2f} to {max(ratios):.2f} times as much"
        )
    return [*sentences, _break_even(cost)]


def _break_even(cost: CostComparison) -> str:
    if cost.break_even_real_row is None:
        return "plain training needs no more real rows than the loop: the loop saves no real rows at any price"
    if not cost.break_even_real_row:
        return "the loop is cheaper at any price of a real row: it needs fewer rows and no more compute"
    hour = cost.break_even_cpu_hour
    or_hour = f", or a CPU hour less than {Decimal(f'{hour:.2g}'):f} USD" if hour else ""
    row = Decimal(f"{cost.break_even_real_row:.2g}")
    return f"the loop is cheaper if a real row costs more than {row:f} USD{or_hour}"


def headline(subject: str, uplift: Uplift, arm: ArmResult) -> str:
    """The verdict of a proof in one sentence.

    subject: what they help or not, such as "the recipe 'first'". arm: the one with synthetic rows.
    """
    claims: dict[ProofVerdict, str] = {
        "better": f"Better: the synthetic rows help {subject}",
        "worse": f"Worse: the synthetic rows harm {subject}",
        "inconclusive": f"Inconclusive: no evidence that the synthetic rows help {subject}",
    }
    claim = claims[uplift.verdict]
    share = kept_share(arm)
    if share == "none":
        return f"{claim}: no synthetic rows reached training."
    if share == "almost none":
        return f"{claim}: almost no synthetic rows reached training."
    if is_overfitting(uplift):
        return f"{claim}: real rows alone with early stopping did {_early_stopped(uplift)}."
    return f"{claim}."


def proof_sentences(
    proof: Proof,
    ours: ArmResult,
    theirs: ArmResult,
    control: ArmResult | None,
    *,
    stops_early: bool = False,
    early_stopped: bool = False,
) -> list[str]:
    """ours: the arm with synthetic rows; theirs: that of real rows alone; control: that with shuffled grades.

    stops_early: trainings end by early stopping. early_stopped: the scores are those of the best measurement, not of
    the last generation.
    """
    gap = proof.difference
    measured = "early stopping" if early_stopped else "last generation of each"
    sentences = [_scores(proof, ours, theirs, measured, stops_early)]
    theirs_goal = theirs.scores[proof.goal]
    if improves(gap, gap.direction) and gap.p_value <= ALPHA and theirs_goal.best != theirs_goal.last:
        against = f"{signless(gap.against_best, gap.direction)} (p = {gap.against_best.p_value:.2g})"
        best = statistics.fmean(theirs_goal.best)
        sentences.append(f"Against the best generation of real rows alone, {best:.3f}: {against}.")
    if share := kept_share(ours):
        sentences.append(
            f"{share.capitalize()} of the synthetic rows were kept ({_kept(ours)}): almost nothing was tested, and "
            "more seeds do not help."
        )
    elif gap.verdict == "inconclusive" and not (is_overfitting(gap) and _early_stopped(gap) == "better"):
        sentences.append(_power(gap.against_best if is_overfitting(gap) else gap, proof.seeds))
    if proof.control and control and not kept_share(ours):
        sentences.append(_control(proof.control, proof.verdict, control))
    for outcome in ("better", "worse"):
        if keys := [key for key, uplift in proof.strata.items() if uplift.verdict == outcome]:
            sentences.append(f"{outcome.capitalize()} in {', '.join(sorted(keys))} (Holm's correction).")
    return sentences


def _scores(proof: Proof, ours: ArmResult, theirs: ArmResult, measured: str, stops_early: bool) -> str:
    gap = proof.difference
    lower = DIRECTIONS.get(gap.direction, "")
    trained = equal_training(True) if stops_early else "after the same number of training steps"
    with_synthetic = statistics.fmean(ours.scores[proof.goal].last)
    real_alone = statistics.fmean(theirs.scores[proof.goal].last)
    return (
        f"{proof.goal} on held-out real rows{lower}: {with_synthetic:.3f} with synthetic rows, {real_alone:.3f} with "
        f"real rows alone, {trained}: {signless(gap, gap.direction)} "
        f"(p = {gap.p_value:.2g}; {proof.seeds} seeds, {measured})."
    )


def _early_stopped(gap: Uplift) -> str:
    """How the best generation of real rows alone did against the synthetic rows."""
    best = gap.against_best
    return "as well" if best.p_value > ALPHA or improves(best, gap.direction) else "better"


def _kept(arm: ArmResult) -> str:
    return f"{statistics.fmean(arm.kept):,.0f} of {statistics.fmean(arm.made):,.0f} per run"


def _control(control: Control, proof_verdict: ProofVerdict, arm: ArmResult) -> str:
    if share := kept_share(arm):
        return f"The control with shuffled grades is uninformative: {share} of its rows were kept ({_kept(arm)})."
    better = "the gain comes from choosing the right rows" if proof_verdict == "better" else "the grades matter"
    conclusions: dict[ProofVerdict, str] = {
        "better": better,
        "inconclusive": "no evidence that choosing rows by their grades matters",
        "worse": "choosing rows by their grades does harm",
    }
    conclusion = conclusions[verdict(control, control.direction, control.p_value)]
    return f"Against rows with shuffled grades: {signless(control, control.direction)}; {conclusion}."


def _power(gap: PairedDifference, seeds: int) -> str:
    """The minimum detectable effect, and how many seeds would detect the observed difference."""
    if not gap.std:
        return "Zero variance across seeds: no test possible; use more held-out rows or more seeds."
    effect, needed = seeds_needed(gap, seeds)
    sentence = f"With {seeds} seeds the minimum detectable effect is {effect:.3g} at 80 % power."
    return f"{sentence} Detecting the observed difference takes about {needed} seeds." if needed else sentence


def signless(gap: PairedDifference, direction: str) -> str:
    """A difference without a sign, which is ambiguous for a loss: "0.053 worse [0.041, 0.065]"."""
    sign = -1 if gap.mean < 0 else 1
    low, high = sorted((sign * gap.low, sign * gap.high))
    word = "better" if improves(gap, direction) else "worse"
    return f"{abs(gap.mean):.3f} {word} [{low:.3f}, {high:.3f}]"
