"""Runs the arms of a comparison over seeds, each run in a process of its own, and writes the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import filelock
import yaml

from selfsown.atomic import write_atomically
from selfsown.compare.analysis import analyze
from selfsown.compare.arms import preflight_arms
from selfsown.compare.child_processes import ArmRun, run_all
from selfsown.compare.costs import default_prices, load_prices
from selfsown.compare.experiment import Experiment
from selfsown.compare.results import ComparisonResult
from selfsown.compare.shared_start import share_start
from selfsown.compare.tables import write_results
from selfsown.compare.time_left import TimeLeft
from selfsown.compare.workload import run_seconds, start_sentence
from selfsown.errors import ExitCode, RunFolderError
from selfsown.history import last_accepted
from selfsown.parallel import usable_cores
from selfsown.recipe.recipe import DEFAULTS, Recipe
from selfsown.records import JsonObject, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.text.durations import duration

Print = Callable[[str], None]
OUTPUT_FILES = {"prices.yaml", "compare.json", "table.md"}
CHANGEABLE_KEYS = ("description", "generations")  # may differ from those of an earlier comparison


def default_jobs(recipe: Recipe) -> int:
    """Runs at a time: one per core, or a single one where a student has its own trainer, which takes all cores or the
    GPU."""
    return 1 if recipe.student.objectives else usable_cores()


def run(
    experiment: Experiment, folder: Path, jobs: int, price_file: Path | None, print_line: Print
) -> ComparisonResult:
    """Run what is not finished yet, and write FOLDER/compare.json and FOLDER/table.md.

    jobs: runs at a time; 0 for as many as `default_jobs`. price_file: for --real-rows; None for FOLDER/prices.yaml.
    print_line: is called when a run ends. Raises SelfsownError where an argument, an arm or the folder is invalid,
    or a run fails.
    """
    if jobs < 0:
        raise SelfsownError(f"--jobs is {jobs}; it must be 1 or more, or 0 for as many as suit the recipe")
    if price_file and not experiment.multiples:
        raise SelfsownError("--prices needs --real-rows: add for example --real-rows 1x,2x,4x, or leave it out")
    jobs = jobs or default_jobs(experiment.recipe)
    _check_folder(folder)
    runs = experiment.runs(folder)
    _check_same_comparison(folder, experiment)
    pending = [run for run in runs if not _is_finished(run, experiment)]
    time_left = TimeLeft(pending, jobs)
    if pending:
        real = preflight_arms(experiment.arms, experiment.source, experiment.needs_direction)
        time_left.seconds = run_seconds(experiment.recipe, real, min(jobs, len(pending)))
    prices = load_prices(folder, price_file) if experiment.multiples else {}
    with _locked(folder):
        if experiment.multiples and not (folder / "prices.yaml").exists():
            write_atomically(
                folder / "prices.yaml", lambda partial: partial.write_text(default_prices(), encoding="utf-8")
            )
        _check_held_out(runs)
        if pending:
            print_line(start_sentence(experiment, pending, time_left.seconds_left()))
        share = partial(share_start, runs=runs)
        run_all(pending, jobs, share, _progress_printer(experiment, time_left, print_line), time_left)
        _check_held_out(runs)
        result = analyze(experiment, runs, prices)
        write_results(result, folder)
    return result


def require_kept_rows(result: ComparisonResult) -> None:
    """SelfsownError where the reference arm generated rows and kept none: then nothing was compared."""
    reference = result.arm(result.reference)
    made = sum(reference.made)
    if made and not sum(reference.kept):
        raise SelfsownError(
            f"arm {reference.name} kept none of its {made:,} generated rows: nothing was compared", code=ExitCode.FAILED
        )


def _check_held_out(runs: Sequence[ArmRun]) -> None:
    """SelfsownError where two arms of a seed have other held-out rows, because the file of real rows has changed."""
    first: dict[int, tuple[str, list[str]]] = {}
    for run in runs:
        if not (run.folder / "held_out.parquet").exists():
            continue
        ids = [row.id for row in RunFolder(run.folder).rows("held_out") or []]
        arm, first_ids = first.setdefault(run.seed, (run.arm, ids))
        if ids != first_ids:
            raise RunFolderError(
                f"arms {arm} and {run.arm} of seed {run.seed} were measured on different held-out rows: "
                "the real rows have changed between the runs; name another folder"
            )


def _progress_printer(experiment: Experiment, time_left: TimeLeft, print_line: Print) -> Callable[[ArmRun], None]:
    """A callback for the end of each run, which prints its score and the remaining time."""

    def on_end(run: ArmRun) -> None:
        left = time_left.seconds_left()
        score = last_accepted(RunFolder(run.folder).generations()).score(experiment.recipe.goal)
        value = f"{experiment.recipe.goal} {score.value:.3f}" if score else ""
        print_line(f"{run.arm}, seed {run.seed}: {value}" + (f"  about {duration(left)} left" if left else ""))

    return on_end


def _check_folder(folder: Path) -> None:
    """SelfsownError where the folder holds something other than a comparison."""
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file; name a folder for the comparison")
    if (folder / "recipe.yaml").exists():
        raise RunFolderError(f"{folder} is the folder of one run; name a new or an empty folder for the comparison")
    if any(folder.glob("*/seed-*")) or not folder.exists():
        return
    if any(not path.name.startswith(".") and path.name not in OUTPUT_FILES for path in folder.iterdir()):
        raise RunFolderError(f"{folder} holds files that are not of a comparison; name a new or an empty folder")


def _locked(folder: Path) -> AbstractContextManager[filelock.BaseFileLock]:
    """Only one process at a time runs a comparison in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return filelock.FileLock(folder / ".lock").acquire(timeout=0)
    except filelock.Timeout as error:
        raise RunFolderError(f"another comparison runs in {folder}; wait for it, or name another folder") from error


def _is_finished(run: ArmRun, experiment: Experiment) -> bool:
    """Whether the run has all generations; more may be requested than before."""
    if not run.finished:
        return False
    generations = Recipe.load(experiment.source, run.changes).generations
    return len(RunFolder(run.folder).generations()) == generations + 1


def _check_same_comparison(folder: Path, experiment: Experiment) -> None:
    """SelfsownError where a run of the folder has another recipe, or its arm other changes."""
    recipes = {path: _load_recipe(path) for path in sorted(folder.glob("*/seed-*/recipe.yaml"))}
    for before in recipes.values():
        if before.get("name") != experiment.recipe.name:
            raise RunFolderError(f"{folder} compares the recipe {before.get('name')!r}; name another folder")
    for arm in experiment.arms:
        for seed in experiment.seeds:
            before = recipes.get(folder / arm.folder / f"seed-{seed}" / "recipe.yaml", {})
            for key, value in arm.recipe(experiment.source, seed).dump().items() if before else ():
                if key not in CHANGEABLE_KEYS and before.get(key, DEFAULTS.get(key)) != value:
                    raise RunFolderError(
                        f"{folder} holds another comparison: in arm {arm.name}, {key} was {before.get(key)!r}, "
                        f"now it is {value!r}; name another folder"
                    )


def _load_recipe(path: Path) -> JsonObject:
    """The recipe of an earlier run in the folder."""
    try:
        return dict(yaml.safe_load(path.read_text("utf-8")))
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise RunFolderError(f"{path} is damaged; delete {path.parent} and repeat the command") from error
