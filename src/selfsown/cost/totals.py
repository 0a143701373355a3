"""What a folder cost: the totals of its ledger, per kept row and per point gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet
import yaml

from selfsown.errors import RunFolderError
from selfsown.history import best_of
from selfsown.records import JsonObject
from selfsown.run_folder import RunFolder
from selfsown.scores import less_is_better
from selfsown.usage.ledger import UsageEntry, price_options, recipe_prices, total, usage_entries

IDENTITY_FIELDS = ("stage", "role", "model", "host")  # of a ledger line; a total has none
POINTS_PER_UNIT = 100


@dataclass(frozen=True)
class Cost:
    """The requests of a folder.

    lines: one for each step, role and model. kept: rows kept. goal: the key of a score, empty if no model was trained.
    points: how much better the best generation is than generation 0 in the goal, in hundredths; None without a gain.
    price_options: of each role, the option of the recipe that gives its price.
    """

    usage_entries: Sequence[UsageEntry]
    kept: int
    goal: str
    points: float | None
    price_options: Mapping[str, str]

    @property
    def total(self) -> UsageEntry:
        return total(self.usage_entries)

    @property
    def usd_per_kept_row(self) -> float | None:
        usd = self.total.usd
        return usd / self.kept if self.kept and usd is not None else None

    @property
    def usd_per_point(self) -> float | None:
        usd = self.total.usd
        return usd / self.points if self.points and usd is not None else None

    def of_role(self, role: str) -> UsageEntry:
        return total(line for line in self.usage_entries if line.role == role)

    def to_json(self) -> JsonObject:
        """As `selfsown cost --json` prints it; null is unknown."""
        numbers = self.total.to_json()
        return {
            "lines": [line.to_json() for line in self.usage_entries],
            "total": {name: value for name, value in numbers.items() if name not in IDENTITY_FIELDS},
            "kept": self.kept,
            "usd_per_kept_row": self.usd_per_kept_row,
            "points_gained": self.points,
            "usd_per_point": self.usd_per_point,
        }


def read_cost(folder: Path) -> Cost | None:
    """The cost of a folder; None if no model server was ever asked.

    Raises RunFolderError if the folder is not one of a run, or its recipe.yaml is damaged.
    """
    store = RunFolder(folder)
    try:
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        prices, options = recipe_prices(recipe), price_options(recipe)
    except (AttributeError, TypeError, ValueError, yaml.YAMLError) as error:
        raise RunFolderError(f"{folder}/recipe.yaml is damaged ({error}); restore the original") from error
    ledger = usage_entries(store.journal.path, prices)
    goal = str(recipe.get("goal", ""))
    return Cost(ledger, _kept_rows(folder), goal, _points_gained(store, goal), options) if ledger else None


def _kept_rows(folder: Path) -> int:
    """The number of kept rows of a run or of a folder of made rows."""
    count = 0
    for path in [*folder.glob("rows.parquet"), *folder.glob("generation-*/rows.parquet")]:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(columns=["status"], use_threads=False):
                count += batch.column(0).to_pylist().count("kept")
    return count


def _points_gained(store: RunFolder, goal: str) -> float | None:
    """By how many points the best generation is better than generation 0; None without a gain."""
    history = store.generations()
    if not history:
        return None
    first, best = history[0].score(goal), best_of(history, goal).score(goal)
    if not first or not best or first.direction == "neither":
        return None
    sign = -1 if less_is_better(first.direction) else 1
    gain = sign * POINTS_PER_UNIT * (best.comparable().value - first.comparable().value)
    return gain if gain > 0 else None
