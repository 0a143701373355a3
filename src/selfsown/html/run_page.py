"""The content of a run's page, from its headline down to its recipe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from selfsown.cost import findings, read_cost
from selfsown.html import composition, decontamination, monitor, row_flow, run_data, run_findings, score_curves
from selfsown.html.damage import damaged_if_unreadable
from selfsown.html.decontamination import DecontaminationSection
from selfsown.html.elements import Figure, Opening, Table
from selfsown.html.formatting import capitalized, integer, join_words, shown_folder, truncate
from selfsown.html.monitor import MonitorSection
from selfsown.html.row_browser import MAX_ROWS, RowBrowser, row_browser
from selfsown.html.run_data import RunData
from selfsown.intake import Intake
from selfsown.preflight.self_judging import grader_inputs, self_judging
from selfsown.run_folder import RunFolder

MAX_CHARS = 200  # of a reason
MAX_FAILURE_REASONS = 12


@dataclass(frozen=True)
class ScoreSection:
    training_data: str
    curves: list[Figure]
    every_score: Table
    guards: Table | None
    bias: Figure | None
    bias_note: str


@dataclass(frozen=True)
class RowSection:
    """counts: generated = kept + rejected + failed, as text. consistent: whether that agrees with the run's counts.
    unscored: generations that have rows and no scores yet."""

    counts: str
    consistent: bool
    flow: Figure | None
    failures: Table | None
    unscored: list[int]


@dataclass(frozen=True)
class CostSection:
    """legend: the stages of the time figure with their colours. usage: requests and tokens by step, if any."""

    time: Figure | None
    legend: list[tuple[str, str]]
    usage: Table | None
    sentences: list[str]


@dataclass(frozen=True)
class RunPage:
    """What the template run.html is filled with."""

    opening: Opening
    seed: int
    task: str
    status: str
    scores: ScoreSection | None
    monitor: MonitorSection | None
    rows: RowSection | None
    composition: Figure | None
    browser: RowBrowser | None
    decontamination: DecontaminationSection | None
    cost: CostSection
    recipe: str
    environment: str


def content(folder: Path) -> RunPage:
    """The content of the page; SelfsownError where the folder is damaged."""
    run = run_data.load_run(folder)
    return RunPage(
        opening=_opening(run, folder),
        seed=run.recipe.get("seed", 0),
        task=run.task.example,
        status=run_findings.status(run),
        scores=_scores(run) if run.history else None,
        monitor=monitor.section(run),
        rows=_rows(run) if run.generated else None,
        composition=composition.synthetic_figure(run) if run.history else None,
        browser=row_browser(run_data.sample_rows(run, MAX_ROWS), run.rows_total, shown_folder(folder)),
        cost=_cost(run, folder),
        decontamination=decontamination.section(folder),
        recipe=yaml.safe_dump(dict(run.recipe), sort_keys=False, allow_unicode=True, width=100),
        environment=yaml.safe_dump(dict(run.environment), sort_keys=False, allow_unicode=True),
    )


def _opening(run: RunData, folder: Path) -> Opening:
    return Opening(
        name=run.recipe["name"],
        description=run.recipe.get("description", ""),
        folder=shown_folder(folder),
        headline=run_findings.headline(run),
        sentences=[*run_findings.sentences(run), *_real_rows_sentence(folder)],
        facts=run_findings.facts(run),
        limitations=[*run_findings.limitations(run), *_own_judge_sentence(run, folder)],
    )


def _real_rows_sentence(folder: Path) -> list[str]:
    """How the real rows were used, if the folder has the counts."""
    with damaged_if_unreadable(folder / "real.json"):
        intake = Intake.of(RunFolder(folder))
    return [f"{intake.sentence()}."] if intake else []


def _own_judge_sentence(run: RunData, folder: Path) -> list[str]:
    sentence = self_judging(run.recipe, lambda method: grader_inputs(folder, method))
    return [f"{capitalized(sentence)}."] if sentence else []


def _scores(run: RunData) -> ScoreSection:
    verdicts = run_findings.guard_rows(run.history)
    head = ["generation", "guard", "verdict", "reason"]
    return ScoreSection(
        training_data=run_findings.training_data(run),
        curves=list(score_curves.score_figures(run)),
        every_score=score_curves.every_score(run),
        guards=Table(head, verdicts, "The verdict of each guard") if verdicts else None,
        bias=composition.bias_figure(run),
        bias_note=_bias_note(run),
    )


def _bias_note(run: RunData) -> str:
    """Where else bias was measured, or why it was not, for a run whose guards did not measure it in the kept rows."""
    if "bias" in monitor.measured_families(run):
        return "Bias was measured in unconditional samples of the model: see the monitor below."
    if any(verdict.guard == "bias" for generation in run.history for verdict in generation.verdicts):
        return "Bias was not measured: no kept row has a configured attribute."
    if monitor.bias_attributes(run):
        return "Bias was not measured: see the monitor below for the reason."
    return "Bias was not measured: no guard of the recipe has an attribute configured."


def _rows(run: RunData) -> RowSection:
    counts, consistent = row_flow.row_counts(run)
    failures: Counter[str] = sum((Counter(rows.failures) for rows in run.generated), Counter())
    lines = [[truncate(reason, MAX_CHARS), integer(n)] for reason, n in failures.most_common(MAX_FAILURE_REASONS)]
    more = len(failures) - len(lines)
    caption = "The most frequent reasons of failed rows"
    if more:
        caption += f"; {more:,} more reasons are rarer"
    return RowSection(
        counts=counts,
        consistent=consistent,
        flow=row_flow.figure(run),
        failures=Table(["reason", "rows"], lines, caption) if lines else None,
        unscored=[rows.number for rows in run.generated if rows.number >= len(run.history)],
    )


def _cost(run: RunData, folder: Path) -> CostSection:
    time = composition.time_figure(run)
    spent = read_cost(folder)
    sentences = findings.sentences(spent) if spent else []
    custom = [method for method in _recipe_methods(run) if "." in method]
    if custom:
        sentences.append(f"The cost of custom methods is not recorded: {join_words(custom)}.")
    usage = Table(findings.COLUMNS, findings.table_rows(spent), "Requests to model servers") if spent else None
    return CostSection(
        time=time,
        legend=composition.legend(time) if time else [],
        usage=usage,
        sentences=sentences or ["Everything ran on this machine; no paid service was called."],
    )


def _recipe_methods(run: RunData) -> list[str]:
    """The methods in the recipe."""
    fields = [value for value in run.recipe.values() if isinstance(value, list | dict)]
    steps = [step for value in fields for step in (value if isinstance(value, list) else [value])]
    return [str(next(iter(step), "")) if isinstance(step, dict) else str(step) for step in steps]
