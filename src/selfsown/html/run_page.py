"""What the page of a run holds, from its verdict down to its recipe."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from selfsown import cost
from selfsown.html import composition, formatting, monitor, row_flow, run_data, run_findings, score_curves
from selfsown.html.elements import Table
from selfsown.html.run_data import Run
from selfsown.intake import Intake
from selfsown.preflight.self_judging import grader_inputs, self_judging
from selfsown.records import Grade, Row
from selfsown.run_folder import RunFolder

SHOWN, HINTED = 200, 600  # characters of a row that stand in the page, and in the hint over it


def content(folder: Path) -> dict[str, Any]:
    """What the template `run.html` is filled with."""
    run = run_data.run(folder)
    examples = run_data.chosen(run.made)
    return {
        "name": run.recipe["name"],
        "description": run.recipe.get("description", ""),
        "seed": run.recipe.get("seed", 0),
        "folder": folder.name,
        "headline": run_findings.headline(run),
        "sentences": [*run_findings.sentences(run), *_of_real_rows(folder)],
        "facts": run_findings.facts(run),
        "unknown": [*run_findings.unknown(run), *_of_the_judge(run, folder)],
        **(_measured(run) if run.history else {}),
        **(_rows(run) if run.made else {}),
        "examples": [_example(row) for row in examples],
        "ends": [end for end in ("kept", "rejected", "failed") if any(row.status == end for row in examples)],
        "numbers": sorted({row.generation for row in examples}),
        "total": sum(made.total for made in run.made),
        "time": (time := composition.time_figure(run)),
        "stages": composition.legend(time) if time else [],
        **_cost(run, folder),
        "recipe": yaml.safe_dump(dict(run.recipe), sort_keys=False, allow_unicode=True, width=100),
        "environment": yaml.safe_dump(dict(run.environment), sort_keys=False, allow_unicode=True),
    }


def _of_real_rows(folder: Path) -> list[str]:
    """What became of all of them, where the folder says."""
    real = Intake.of(RunFolder(folder))
    return [f"{real.sentence()}."] if real else []


def _of_the_judge(run: Run, folder: Path) -> list[str]:
    said = self_judging(run.recipe, lambda way: grader_inputs(folder, way))
    return [f"{formatting.opened(said)}."] if said else []


def _measured(run: Run) -> dict[str, Any]:
    spoken = run_findings.spoken(run.history)
    guards = Table(["generation", "guard", "verdict", "what it said"], spoken, "What each guard said")
    return {
        "origin": run_findings.origin(run),
        "courses": list(score_curves.figures(run)),
        "scores": score_curves.every_score(run),
        "guards": guards if spoken else None,
        "bias": composition.bias_figure(run),
        "watch": monitor.content(run),
        "unbiased": _of_bias(run),
        "synthetic": composition.synthetic_figure(run),
    }


def _of_bias(run: Run) -> str:
    """Where else bias stands, or why nowhere, for a run whose guards measured none in the rows that were kept."""
    if "bias" in monitor.measured(run):
        return "Bias was measured in what the model writes: it stands below, among what was watched."
    if any(verdict.guard == "bias" for generation in run.history for verdict in generation.verdicts):
        return "Bias was not measured: no kept row carries a watched attribute."
    if monitor.attributes(run):
        return "Bias was not measured: why stands below, beside the lights."
    return "Bias was not measured: no guard of the recipe watches an attribute."


def _rows(run: Run) -> dict[str, Any]:
    said, adds_up = row_flow.sums(run)
    failures: Counter[str] = sum((Counter(made.failures) for made in run.made), Counter())
    rows = [[formatting.cut(reason, SHOWN), formatting.whole(n)] for reason, n in failures.most_common(12)]
    more = len(failures) - len(rows)
    caption = "The most frequent reasons of failed rows" + (f"; {more:,} more reasons are rarer" if more else "")
    return {
        "flow": row_flow.figure(run),
        "sum": said,
        "adds_up": adds_up,
        "failures": Table(["reason", "rows"], rows, caption) if rows else None,
        "unscored": [made.number for made in run.made if made.number >= len(run.history)],
    }


def _example(row: Row) -> dict[str, Any]:
    """A row as the page shows it: long texts cut, with more of them in a hint."""
    texts = [row.prompt, row.answer] if row.prompt else [row.answer]
    return {
        "id": row.id,
        "end": row.status,
        "generation": row.generation,
        "texts": [
            (formatting.cut(text, SHOWN), formatting.cut(text, HINTED) if len(text) > SHOWN else "") for text in texts
        ],
        "reason": formatting.cut(row.reason, SHOWN),
        "grades": [_graded(grade) for grade in row.grades],
        "maker": formatting.cut(f"{row.method or 'unknown'}, written by {row.source or 'unknown'}", SHOWN),
    }


def _graded(grade: Grade) -> str:
    return formatting.cut(
        f"{grade.score:g} by {grade.grader} ({grade.evidence})" + f": {grade.reason}" * bool(grade.reason), SHOWN
    )


def _cost(run: Run, folder: Path) -> dict[str, Any]:
    """What is known of money: a table, where a model behind a server was asked, and sentences."""
    spent = cost.read(folder)
    own = [name for name in _ways(run) if "." in name]
    said = spent.sentences() if spent else []
    if own:
        said.append(f"What ways of your own may have cost is not recorded: {formatting.listed(own)}.")
    table = Table(cost.HEAD, spent.cells(), "What the models behind servers took") if spent else None
    return {"spent": table, "cost": said or ["Everything ran on this machine; no paid service was called."]}


def _ways(run: Run) -> list[str]:
    """The ways that the recipe names."""
    fields = [value for value in run.recipe.values() if isinstance(value, list | dict)]
    steps = [step for value in fields for step in (value if isinstance(value, list) else [value])]
    return [str(next(iter(step), "")) if isinstance(step, dict) else str(step) for step in steps]
