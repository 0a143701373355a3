"""Arms of a recipe against one another, over seeds: each run by a process of its own, all measured alike."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import filelock
import yaml

from selfsown.compare.arms import fitting
from selfsown.compare.child_processes import Run, work, write_whole
from selfsown.compare.data_efficiency import prices_of, ready_prices
from selfsown.compare.experiment import Plan
from selfsown.compare.results import last, outcome
from selfsown.recipe.recipe import DEFAULTS, Recipe
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.terminal.comparison import markdown

Say = Callable[[str], None]


def run(plan: Plan, folder: Path, jobs: int, prices: Path | None, say: Say) -> dict[str, Any]:
    """Run what is not finished yet, `jobs` at a time (0: one a core); what came out.

    It is written too: FOLDER/compare.json, and as tables FOLDER/table.md.
    """
    if jobs < 0:
        raise SelfsownError(f"--jobs is {jobs}; it must be 1 or more, or 0: one a core")
    if prices and not plan.multiples:
        raise SelfsownError("--prices is for --real-rows alone: add such as --real-rows 1x,2x,4x, or leave it out")
    _fits(folder)
    runs = plan.runs(folder)
    _same_comparison(folder, plan)
    left = [each for each in runs if not _finished(each, plan)]
    if left:
        fitting(plan.arms, plan.source, plan.directed)
    charged = prices_of(folder, prices) if plan.multiples else {}
    with _locked(folder):
        if plan.multiples and not (folder / "prices.yaml").exists():
            write_whole(folder / "prices.yaml", ready_prices())
        _alike(runs)
        work(left, jobs or _cores(), _told(plan, len(left), say))
        _alike(runs)
        found = outcome(plan, runs, charged)
        write_whole(folder / "compare.json", json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        write_whole(folder / "table.md", markdown(found))
    return found


def demand_rows(found: Mapping[str, Any]) -> None:
    """SelfsownError where the reference made rows and kept none: then nothing was compared."""
    reference = next(arm for arm in found["arms"] if arm["name"] == found["reference"])
    made, kept = sum(reference["made"]), sum(reference["kept"])
    if made and not kept:
        raise SelfsownError(f"{reference['name']} kept none of the {made:,} rows it made: nothing was compared", code=4)


def _cores() -> int:
    """Those that we may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _alike(runs: Sequence[Run]) -> None:
    """SelfsownError where two arms of a seed have other held-out rows: a file of real rows that has changed since."""
    first: dict[int, tuple[str, list[str]]] = {}
    for run in runs:
        if not (run.folder / "held_out.parquet").exists():
            continue
        ids = [row.id for row in RunFolder(run.folder).rows("held_out") or []]
        arm, others = first.setdefault(run.seed, (run.arm, ids))
        if ids != others:
            raise SelfsownError(
                f"arms {arm} and {run.arm} of seed {run.seed} were measured on other held-out rows: "
                "the real rows have changed since; name another folder"
            )


def _told(plan: Plan, left: int, say: Say) -> Callable[[Run], None]:
    """What is called as each run ends: its score, and how long the others will take."""
    began, done = time.monotonic(), list[Run]()

    def ended(run: Run) -> None:
        done.append(run)
        minutes = (time.monotonic() - began) / len(done) * (left - len(done)) / 60
        score = last(RunFolder(run.folder).generations()).score(plan.recipe.goal)
        value = f"{plan.recipe.goal} {score.value:.3f}" if score else ""
        say(f"{run.arm}, seed {run.seed}: {value}  about {minutes:.0f} min left")

    return ended


def _fits(folder: Path) -> None:
    """SelfsownError where the folder holds something else than a comparison."""
    if folder.exists() and not folder.is_dir():
        raise SelfsownError(f"{folder} is a file; name a folder for the comparison")
    if (folder / "recipe.yaml").exists():
        raise SelfsownError(f"{folder} is the folder of one run; name a new or an empty folder for the comparison")
    known = {"prices.yaml", "compare.json", "table.md"}
    strange = folder.exists() and any(not p.name.startswith(".") and p.name not in known for p in folder.iterdir())
    if strange and not any(folder.glob("*/seed-*")):
        raise SelfsownError(f"{folder} holds something that is no comparison; name a new or an empty folder")


def _locked(folder: Path) -> AbstractContextManager[filelock.BaseFileLock]:
    """One process at a time compares in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return filelock.FileLock(folder / ".lock").acquire(timeout=0)
    except filelock.Timeout as error:
        raise SelfsownError(f"another process is comparing in {folder}; wait for it, or name another") from error


def _finished(run: Run, plan: Plan) -> bool:
    """Whether there is nothing left to run; more generations may be asked for than before."""
    if not (run.folder / "result.json").exists():
        return False
    wanted = Recipe.load(plan.source, run.changes).generations
    return len(RunFolder(run.folder).generations()) == wanted + 1


def _same_comparison(folder: Path, plan: Plan) -> None:
    """SelfsownError where a run of the folder was begun with another recipe, or the arm with other changes."""
    begun = {path: _begun(path) for path in sorted(folder.glob("*/seed-*/recipe.yaml"))}
    for before in begun.values():
        if before.get("name") != plan.recipe.name:
            raise SelfsownError(f"{folder} compares the recipe {before.get('name')!r}; name another folder")
    for arm in plan.arms:
        for seed in plan.seeds:
            before = begun.get(folder / arm.folder / f"seed-{seed}" / "recipe.yaml", {})
            for key, value in arm.recipe(plan.source, seed).dump().items() if before else ():
                if key not in ("description", "generations") and before.get(key, DEFAULTS.get(key)) != value:
                    raise SelfsownError(
                        f"{folder} compares otherwise: in arm {arm.name}, {key} was {before.get(key)!r}, "
                        f"now it is {value!r}; name another folder"
                    )


def _begun(path: Path) -> dict[str, Any]:
    """The recipe with which a run was begun."""
    try:
        return dict(yaml.safe_load(path.read_text("utf-8")))
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise SelfsownError(f"{path} is damaged; delete {path.parent} and give the same command again") from error
