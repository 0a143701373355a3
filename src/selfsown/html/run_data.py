"""A run's folder as one value: the data of its page."""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from selfsown.files.row_parquet import StoredRows, column_batches
from selfsown.findings import Findings
from selfsown.history import best_of
from selfsown.html.damage import damaged_if_unreadable
from selfsown.html.formatting import shown_folder, truncate
from selfsown.html.row_counts import STATUSES, quotas
from selfsown.html.task_examples import TaskExample, task_example
from selfsown.records import Generation, Json, JsonObject, Row
from selfsown.run_folder import CONTROL, RunFolder, generation_dir

MAX_EXAMPLES = 300  # rows of one outcome of one generation
MAX_NAME_CHARS = 60
STAGES = ("generate", "grade", "curate", "train", "evaluate", "guard")
Outcome = tuple[str, str]  # the status of a row, and what rejected it


@dataclass(frozen=True)
class GeneratedRows:
    """The rows of one generation.

    flows: their number by method and outcome. failures: by reason. evidence: what their grades rest on. examples: a
    few rows of each outcome.
    """

    number: int
    flows: Mapping[tuple[str, Outcome], int]
    failures: Mapping[str, int]
    evidence: frozenset[str]
    examples: Mapping[Outcome, Sequence[Row]]

    def outcomes(self) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        for (_, outcome), count in self.flows.items():
            counts[outcome] += count
        return counts

    def count(self, status: str) -> int:
        return sum(count for (_, outcome), count in self.flows.items() if outcome[0] == status)

    @property
    def total(self) -> int:
        return sum(self.flows.values())


@dataclass(frozen=True)
class RunData:
    """A run as it is in its folder, finished or not.

    folder: as a command takes it. real, held_out: numbers of rows. log: the finished stages, with their
    seconds. trainings: what was done, by generation and objective. result: None until the run has ended.
    """

    folder: str
    recipe: Mapping[str, Json]
    environment: Mapping[str, object]
    real: int
    held_out: int
    history: Sequence[Generation]
    control: Sequence[Generation]
    generated: Sequence[GeneratedRows]
    log: Sequence[Mapping[str, Json]]
    trainings: Mapping[tuple[int, str], str]
    result: Mapping[str, object] | None

    @property
    def goal(self) -> str:
        return str(self.recipe["goal"])

    @property
    def task(self) -> TaskExample:
        return task_example(self.recipe)

    def score_name(self, key: str) -> str:
        """The score in words: its stratum as the task names it."""
        return self.task.score_name(key)

    @property
    def best(self) -> Generation:
        return best_of(self.history, self.goal)

    @property
    def findings(self) -> Findings:
        start = str(self.recipe.get("init_from", "previous"))
        stops_early = any(options.get("early_stopping") for _, options in self.steps("train"))
        return Findings(self.history, self.control, self.goal, start, stops_early, self.folder)

    @property
    def rollback(self) -> bool:
        """Whether rejected generations are rolled back, which is the default."""
        return bool(self.recipe.get("rollback", True))

    def seconds(self, stage: str | None = None, generation: int | None = None) -> float:
        """The time of a stage, or of all; a stage that was repeated after a kill counts each time it finished."""
        return sum(
            float(line["seconds"])
            for line in self.log
            if stage in (None, line["stage"]) and generation in (None, line["generation"])
        )

    def rows_with(self, status: str) -> int:
        return sum(rows.count(status) for rows in self.generated)

    @property
    def rows_total(self) -> int:
        return sum(rows.total for rows in self.generated)

    def steps(self, stage: str) -> list[tuple[str, Mapping[str, Json]]]:
        """The methods of a stage in the recipe, with their options."""
        steps = [step if isinstance(step, dict) else {step: {}} for step in self.recipe.get(stage) or []]
        return [(method, options or {}) for step in steps for method, options in step.items()]


def load_run(folder: Path) -> RunData:
    """The run in the folder; SelfsownError where a file is damaged."""
    run_folder = RunFolder(folder)
    with damaged_if_unreadable(folder / "recipe.yaml"):
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        if not {"goal", "name", "generations"} <= set(recipe):
            raise ValueError("goal, name or generations is missing")
    history = load_generations(run_folder)
    generated = [_generated_rows(run_folder, number) for number in range(1, len(history) + 1)]
    with damaged_if_unreadable(folder / "log.jsonl"):
        events = _load_log(folder / "log.jsonl")
    return RunData(
        folder=shown_folder(folder),
        recipe=recipe,
        environment=run_folder.json("environment") or {},
        real=_row_count(run_folder, "real"),
        held_out=_row_count(run_folder, "held_out"),
        history=history,
        control=load_generations(run_folder, CONTROL),
        generated=[rows for rows in generated if rows],
        log=[event for event in events if {"stage", "seconds", "generation"} <= set(event)],
        trainings={
            (event["generation"], event["training"]): event["summary"] for event in events if "summary" in event
        },
        result=run_folder.json("result"),
    )


def load_generations(run_folder: RunFolder, arm: str = "") -> list[Generation]:
    """arm: "" for the run itself, or its control."""
    with damaged_if_unreadable(run_folder.folder / arm / generation_dir(0) / "generation.json"):
        return run_folder.generations(arm)


def sample_rows(run: RunData, limit: int) -> list[Row]:
    """At most `limit` rows, from every generation and with every outcome; always the same ones.

    Kept rows come first, and those of the best generation before the others.
    """
    groups = {
        (generation.number, outcome): rows
        for generation in run.generated
        for outcome, rows in generation.examples.items()
    }
    quota = quotas({group: len(rows) for group, rows in groups.items()}, limit)
    sample = [row for group, rows in groups.items() for row in rows[: quota[group]]]
    best = run.best.number if run.history else 0
    return sorted(sample, key=lambda row: (STATUSES.index(row.status), row.generation != best, -row.generation, row.id))


def _generated_rows(run_folder: RunFolder, number: int) -> GeneratedRows | None:
    """The rows of a generation, of which a few columns are read, in batches, and then the examples."""
    path = run_folder.folder / f"{generation_dir(number)}/rows.parquet"
    if not path.exists():
        return None
    with damaged_if_unreadable(path):
        flows, failures = Counter[tuple[str, Outcome]](), Counter[str]()
        evidence, smallest, index = set[str](), defaultdict[Outcome, list[tuple[int, int]]](list), 0
        for batch in column_batches(path, ("method", "status", "reason", "id", "grades")):
            columns = (batch.column(column).to_pylist() for column in ("method", "status", "reason", "id"))
            for method, status, reason, row_id in zip(*columns, strict=True):
                outcome = _outcome(status, reason)
                flows[truncate(method or "unknown", MAX_NAME_CHARS), outcome] += 1
                failures[reason] += status == "failed"
                # An id is a hash, so the smallest ids are a random sample, and always the same one.
                push = heapq.heappush if len(smallest[outcome]) < MAX_EXAMPLES else heapq.heappushpop
                push(smallest[outcome], (-int(row_id, 16), index))
                index += 1
            evidence |= set(batch.column("grades").flatten().field("evidence").unique().to_pylist())
        rows = StoredRows(path)
        return GeneratedRows(
            number=number,
            flows=flows,
            failures=+failures,
            evidence=frozenset(evidence - {"none"}),
            examples={
                outcome: rows.take([index for _, index in sorted(smallest[outcome], reverse=True)])
                for outcome in sorted(smallest)
            },
        )


def _row_count(run_folder: RunFolder, name: str) -> int:
    rows = run_folder.stream(name)
    with damaged_if_unreadable(rows.path):
        return len(rows) if rows.path.exists() else 0


def _outcome(status: str, reason: str) -> Outcome:
    """What rejected a row is the part of its reason before the colon."""
    return status, truncate(reason.partition(":")[0], MAX_NAME_CHARS) if status == "rejected" else ""


def _load_log(path: Path) -> list[JsonObject]:
    """The lines of the log; the last line of a killed run may be incomplete."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events
