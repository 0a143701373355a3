"""The content of a comparison's page, from its headline down to the cost of real rows."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from selfsown.html import arms, data_efficiency
from selfsown.html.comparison_data import ComparisonData, load_comparison
from selfsown.html.damage import damaged_if_unreadable
from selfsown.html.elements import Fact, Figure, Opening, Table
from selfsown.html.formatting import capitalized, count, duration, interval, join_words, number, shown_folder


@dataclass(frozen=True)
class ComparisonPage:
    """What the template compare.html is filled with."""

    opening: Opening
    scores: Table
    other_scores: Table
    strata: Table | None
    differences: Figure
    curves: list[Figure]
    guards: list[str] | None
    arms: Table
    efficiency: data_efficiency.EfficiencySection | None


def content(folder: Path) -> ComparisonPage:
    """The content of the page; SelfsownError where the folder is damaged."""
    comparison = load_comparison(folder)
    result = comparison.result
    with damaged_if_unreadable(folder / "compare.json"):
        curves = [arms.curves(comparison, key) for key in (comparison.goal, "diversity")]
        return ComparisonPage(
            opening=_opening(comparison, folder),
            scores=arms.scores(comparison),
            other_scores=arms.other_scores(comparison),
            strata=arms.strata(comparison),
            differences=arms.differences(comparison),
            curves=[figure for figure in curves if figure],
            guards=None if result.proof else _guards(comparison),
            arms=_arms(comparison),
            efficiency=data_efficiency.section(comparison) if result.data_efficiency else None,
        )


def _opening(comparison: ComparisonData, folder: Path) -> Opening:
    return Opening(
        name=comparison.result.recipe,
        description=comparison.result.description,
        folder=shown_folder(folder),
        headline=comparison.in_words(_headline(comparison)),
        sentences=[comparison.in_words(sentence) for sentence in _sentences(comparison)],
        facts=_facts(comparison),
        limitations=_limitations(comparison),
    )


def _sentences(comparison: ComparisonData) -> list[str]:
    """The findings of the proof, if there is one, otherwise the difference of each arm."""
    result = comparison.result
    sentences = result.proof.sentences if result.proof else result.sentences
    return list(sentences) or [f"Only one arm was run: {comparison.reference}."]


def _headline(comparison: ComparisonData) -> str:
    result = comparison.result
    if result.proof:
        return result.proof.headline
    others = [arm for arm in comparison.arms if arm.name != comparison.reference]
    if len(result.seeds) == 1:
        return "One seed cannot show a difference."
    if not others:
        ratio = _row_ratio(comparison)
        return f"Plain training needs {ratio} the real rows." if ratio else "Only one arm."
    outcomes = [comparison.outcome(arm) for arm in others]
    better = outcomes.count("better")
    worse = outcomes.count("worse")
    reference = capitalized(comparison.reference)
    if better == len(others):
        return f"{reference} did better than every other arm."
    if better:
        and_worse = f", and worse than {worse}" if worse else ""
        return f"{reference} did better than {better} of {len(others)} other arms{and_worse}."
    if worse:
        return f"{reference} did worse than {worse} of {len(others)} other arms."
    return f"No significant difference between {comparison.reference} and any other arm."


def _facts(comparison: ComparisonData) -> list[Fact]:
    result = comparison.result
    seeds = len(result.seeds)
    facts = [_goal_fact(comparison)]
    if ratio := _row_ratio(comparison):
        value, _, seeds_beyond = ratio.removesuffix(")").partition(" (")
        note = "relative to the loop, for the same score"
        facts.append(
            Fact("real rows that plain training needs", value, f"{note}; {seeds_beyond}" if seeds_beyond else note)
        )
    runs = len(result.arms) * seeds
    facts.append(Fact("runs", str(runs), f"{count(len(result.arms), 'arm')}, {count(seeds, 'seed')}"))
    seconds = sum(sum(arm.cpu_seconds) for arm in result.arms)
    return [*facts, Fact("CPU time", duration(seconds), "of all runs")]


def _goal_fact(comparison: ComparisonData) -> Fact:
    """The difference of a proof, otherwise the goal of the reference."""
    seeds = len(comparison.result.seeds)
    name = comparison.score_name(comparison.goal)
    if proof := comparison.result.proof:
        gap = proof.difference
        note = f"{interval(gap.low, gap.high)} against real rows alone after equal training steps, {seeds} seeds"
        return Fact(f"{name}, difference", f"{gap.mean:+.3f}", note)
    score = comparison.result.arm(comparison.reference).scores[comparison.goal]
    note = f"{comparison.reference}, mean of {count(seeds, 'seed')} {interval(score.low, score.high)}"
    return Fact(name, number(score.mean), f"{note}; {number(statistics.fmean(score.first))} in generation 0")


def _row_ratio(comparison: ComparisonData) -> str:
    """The real rows that plain training needs for the goal, as it is written everywhere; "" where it was not run."""
    efficiency = comparison.result.data_efficiency
    return efficiency.scores[comparison.goal].summary if efficiency else ""


def _limitations(comparison: ComparisonData) -> list[str]:
    seeds = len(comparison.result.seeds)
    arm_count = len(comparison.arms)
    limitations = ["One seed gives no interval over seeds; whether a difference is more than chance is unknown."]
    if seeds > 1:
        limitations = [f"Intervals are over {count(seeds, 'seed')} (Student’s t, paired by seed), so they are wide."]
    if arm_count > 2:
        limitations.append(
            f"{arm_count - 1} arms are compared with one: with more comparisons, a chance difference is more likely."
        )
    guards = "No guard is run" if comparison.result.proof else "Guards only raise an alarm here"
    limitations.append(
        f"Every arm runs to its end and the last generation is compared. {guards}; with rollback, the result of an arm "
        "may differ."
    )
    return [*limitations, "All rows come from one source. The result says nothing about other data or larger models."]


def _guards(comparison: ComparisonData) -> list[str]:
    """One sentence for each arm and guard that triggered."""
    places: dict[str, list[str]] = {}
    for arm in comparison.arms:
        for alarms in arm.guards:
            numbers = join_words([str(generation) for generation in alarms.generations])
            word = "generations" if len(alarms.generations) > 1 else "generation"
            start = f"{arm.name}: {alarms.guard} triggered in "
            places.setdefault(start, []).append(f"{word} {numbers} of seed {alarms.seed}")
    return [f"{start}{'; '.join(where)}" for start, where in places.items()]


def _arms(comparison: ComparisonData) -> Table:
    rows = [[arm.name, arm.description, "; ".join(arm.changes)] for arm in comparison.result.arms]
    return Table(["arm", "description", "changes to the recipe"], rows, "Every arm and its changes to the recipe")
