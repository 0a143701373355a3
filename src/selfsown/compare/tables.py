"""A comparison as tables of text cells, for the terminal and for table.md, and its files."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

from selfsown.atomic import write_atomically
from selfsown.compare.results import ArmResult, ComparisonResult, DataEfficiency, Estimate, GuardAlarms, Uplift

Rows = list[list[str]]  # the first row is the heading


def write_results(result: ComparisonResult, folder: Path) -> None:
    """FOLDER/compare.json and FOLDER/table.md."""
    result.write(folder / "compare.json")
    text = markdown(result)
    write_atomically(folder / "table.md", lambda partial: partial.write_text(text, encoding="utf-8"))


def markdown(result: ComparisonResult) -> str:
    parts = [f"# {result.recipe}: {len(result.arms)} arms, {_seeds(result)}"]
    for title, rows in tables(result):
        lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
        rule = "|---" * len(rows[0]) + "|"
        parts.append("\n".join([f"{title}\n", f"| {lines[0]} |", rule, *(f"| {line} |" for line in lines[1:])]))
    parts.append("\n".join(f"- {sentence}" for sentence in sentences(result)))
    return "\n\n".join(parts) + "\n"


def tables(result: ComparisonResult) -> list[tuple[str, Rows]]:
    """Each table with its title."""
    goal = result.goal
    over_seeds = f"mean over {_seeds(result)}"
    made = [(f"{goal} on held-out real rows: {over_seeds}, with 95 % interval", _goal_table(result))]
    other_keys = [key for key in result.arms[0].scores if key != goal and _is_shown(key, goal)]
    if other_keys:
        rows = [[arm.name, *(f"{arm.scores[key].mean:.3f}" for key in other_keys)] for arm in result.arms]
        made.append((f"other scores{_of_which(result)}, {over_seeds}", [["arm", *other_keys], *rows]))
    if efficiency := result.data_efficiency:
        title = f"real rows that plain training needs to match {efficiency.loop}"
        made.append((title, _efficiency_table(efficiency)))
    if result.proof and result.proof.strata:
        strata = result.proof.strata
        title = f"by stratum: p-value and verdict with Holm's correction over {len(strata)}, 95 % intervals without"
        made.append((title, _strata_table(strata)))
    return made


def sentences(result: ComparisonResult) -> list[str]:
    """The findings, then the guards that triggered, then the costs."""
    lines = [result.proof.headline, *result.proof.sentences] if result.proof else list(result.sentences)
    for arm in result.arms:
        for guard in dict.fromkeys(alarms.guard for alarms in arm.guards):
            places = [_place(alarms) for alarms in arm.guards if alarms.guard == guard]
            lines.append(f"{arm.name}: guard {guard} triggered in {'; '.join(places)}")
    if any(any(arm.unmetered) for arm in result.arms):
        lines.append("≥: a run was killed before its cost was recorded")
    if result.data_efficiency:
        lines += result.data_efficiency.cost.sentences
    return lines


def _of_which(result: ComparisonResult) -> str:
    return " with early stopping" if result.early_stopped else " of the last generation"


def _goal_table(result: ComparisonResult) -> Rows:
    measured = ["with early stopping"] if result.early_stopped else ["last"]
    best_column = [] if result.early_stopped else ["best"]
    rows = [["arm", *measured, f"{result.reference} − arm", *best_column, "rows kept", "CPU s"]]
    for arm in result.arms:
        score = arm.scores[result.goal]
        difference = _interval(score.difference, "+") if score.difference else ""
        best = [] if result.early_stopped else [f"{statistics.fmean(score.best):.3f}"]
        kept = f"{statistics.fmean(arm.kept):,.0f}"
        rows.append([arm.name, _interval(score), difference, *best, kept, _cpu_seconds(arm)])
    return rows


def _cpu_seconds(arm: ArmResult) -> str:
    at_least = "≥ " if any(arm.unmetered) else ""
    return f"{at_least}{statistics.fmean(arm.cpu_seconds):,.0f}"


def _strata_table(strata: Mapping[str, Uplift]) -> Rows:
    """For each stratum the last generations, the best generation of real rows alone, and the verdict."""
    rows = [["stratum", "graded − real", "graded − best of real", "p-value", "verdict"]]
    for key, gap in strata.items():
        intervals = [_interval(gap, "+"), _interval(gap.against_best, "+")]
        rows.append([key, *intervals, f"{gap.corrected_p_value:.2g}", gap.verdict])
    return rows


def _efficiency_table(efficiency: DataEfficiency) -> Rows:
    """The best score of each size, the last of the loop, and the ratio of rows."""
    sizes = [f"{rows:,}" for rows in efficiency.rows.values()]
    rows = [["score", *sizes, efficiency.loop, "needs"]]
    for key, score in efficiency.scores.items():
        means = [f"{statistics.fmean(values):.3f}" for values in (*score.curve.values(), score.loop)]
        rows.append([key, *means, score.summary])
    return rows


def _place(alarms: GuardAlarms) -> str:
    word = "generations" if len(alarms.generations) > 1 else "generation"
    return f"{word} {', '.join(map(str, alarms.generations))} of seed {alarms.seed}"


def _is_shown(key: str, goal: str) -> bool:
    """Scores over all rows, and those related to the goal; the other strata are in compare.json."""
    return "[" not in key or ("," not in key and key.startswith(goal.partition("=")[0] + "="))


def _interval(estimate: Estimate, sign: str = "") -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.mean:{sign}.3f}"
    return f"{estimate.mean:{sign}.3f} [{estimate.low:{sign}.3f}, {estimate.high:{sign}.3f}]"


def _seeds(result: ComparisonResult) -> str:
    return "one seed" if len(result.seeds) == 1 else f"{len(result.seeds)} seeds"
