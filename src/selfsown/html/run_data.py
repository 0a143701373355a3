"""A run's folder as one value: what its page is about."""

from __future__ import annotations

import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from selfsown.files.row_parquet import rows_from_table
from selfsown.findings import Findings
from selfsown.history import best_of
from selfsown.html.formatting import cut
from selfsown.records import Generation, Row, SelfsownError
from selfsown.run_folder import CONTROL, RunFolder, generation_dir

EXAMPLES = 300
NAME = 60  # characters of a name that a row gives
STAGES = ("generate", "grade", "curate", "train", "evaluate", "guard")
Fate = tuple[str, str]  # how a row ended, and who rejected it


@dataclass(frozen=True)
class Made:
    """What one generation made: rows by way and fate, why rows failed, what grades rest on, a few rows of each fate."""

    number: int
    flows: Mapping[tuple[str, Fate], int]
    failures: Mapping[str, int]
    trust: frozenset[str]
    sample: Mapping[Fate, Sequence[Row]]

    def fates(self) -> Counter[Fate]:
        found: Counter[Fate] = Counter()
        for (_, fate), n in self.flows.items():
            found[fate] += n
        return found

    def ended(self, end: str) -> int:
        return sum(n for (_, fate), n in self.flows.items() if fate[0] == end)

    @property
    def total(self) -> int:
        return sum(self.flows.values())


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it, finished or not."""

    recipe: Mapping[str, Any]
    environment: Mapping[str, Any]
    real: int
    held_out: int
    history: Sequence[Generation]
    control: Sequence[Generation]
    made: Sequence[Made]
    log: Sequence[Mapping[str, Any]]
    result: Mapping[str, Any] | None

    @property
    def goal(self) -> str:
        return str(self.recipe["goal"])

    @property
    def best(self) -> Generation:
        return best_of(self.history, self.goal)

    @property
    def findings(self) -> Findings:
        return Findings(self.history, self.control, self.goal, str(self.recipe.get("init_from", "previous")))

    @property
    def rolls_back(self) -> bool:
        """Whether what a guard refuses is undone, as it is unless the recipe says otherwise."""
        return bool(self.recipe.get("rollback", True))

    def seconds(self, stage: str, generation: int | None = None) -> float:
        """What a stage took; a run that was killed and went on has a stage's time several times."""
        lines = [line for line in self.log if line["stage"] == stage]
        return sum(float(line["seconds"]) for line in lines if generation in (None, line["generation"]))


def run(folder: Path) -> Run:
    """The run in the folder; SelfsownError where it cannot be understood."""
    store = RunFolder(folder)
    with understood(folder / "recipe.yaml"):
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        if not {"goal", "name", "generations"} <= set(recipe):
            raise ValueError("goal, name or generations is missing")
    history, control = generations(store), generations(store, CONTROL)
    made = [made for number in range(1, len(history) + 1) if (made := _made(store, number))]
    with understood(folder / "log.jsonl"):
        log = _log(folder / "log.jsonl")
    sizes = {side: len(store.table(side) or ()) for side in ("real", "held_out")}
    environment, result = store.json("environment") or {}, store.json("result")
    return Run(recipe, environment, sizes["real"], sizes["held_out"], history, control, made, log, result)


def generations(store: RunFolder, arm: str = "") -> list[Generation]:
    with understood(store.folder / arm / generation_dir(0) / "generation.json"):
        return store.generations(arm)


def chosen(made: Sequence[Made]) -> list[Row]:
    """About as many rows as a page can show, from every generation and of every fate; the same ones each time."""
    groups = [rows for each in made for rows in each.sample.values()]
    quota = 1
    while quota < EXAMPLES and sum(min(len(rows), quota + 1) for rows in groups) <= EXAMPLES:
        quota += 1
    rows = [row for group in groups for row in group[:quota]]
    few = heapq.nsmallest(EXAMPLES, rows, key=lambda row: row.id)
    return sorted(few, key=lambda row: (row.generation, row.sample_index, row.id))


def _made(store: RunFolder, number: int) -> Made | None:
    name = f"{generation_dir(number)}/rows"
    table = store.table(name)
    if table is None:
        return None
    with understood(store.folder / f"{name}.parquet"):
        ways, ends, reasons, ids = (table[column].to_pylist() for column in ("method", "status", "reason", "id"))
        fates = list(map(_fate, ends, reasons))
        flows = Counter(zip((cut(way or "unknown", NAME) for way in ways), fates, strict=True))
        failures = Counter(reason for end, reason in zip(ends, reasons, strict=True) if end == "failed")
        groups = defaultdict(list)
        for at, fate in enumerate(fates):
            groups[fate].append((ids[at], at))
        # An id is a hash, so the smallest ids are a fair sample, and the same one whoever takes it.
        few = {fate: [at for _, at in heapq.nsmallest(EXAMPLES, groups[fate])] for fate in sorted(groups)}
        sample = {fate: rows_from_table(table.take(places)) for fate, places in few.items()}
        trust = frozenset(table["grades"].combine_chunks().flatten().field("evidence").unique().to_pylist()) - {"none"}
        return Made(number, flows, failures, trust, sample)


def _fate(end: str, reason: str) -> Fate:
    """Who rejected a row stands before the colon in its reason."""
    return end, cut(reason.partition(":")[0], NAME) if end == "rejected" else ""


def _log(path: Path) -> list[dict[str, Any]]:
    """The log's lines of stages; the last line of a killed run may be cut off."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(event, dict) and {"stage", "seconds", "generation"} <= set(event):
            found.append(event)
    return found


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """What cannot be read as what it should be is damaged, and is said to be."""
    try:
        yield
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SelfsownError(f"{path} is damaged ({said}); a report needs it whole") from error
