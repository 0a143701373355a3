"""The Python API: run, make, audit, attack and prove as functions that return results with tables.

Everything else is imported when a function is called, so that `import selfsown` is cheap.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from selfsown.api_results import AttackResult, AuditResult, MakeResult, ProofResult, RunResult

if TYPE_CHECKING:
    import pyarrow

    from selfsown.callbacks import Callbacks, Tally
    from selfsown.recipe.recipe import Recipe
    from selfsown.recipe.steps import Function
    from selfsown.records import Json

    Source: TypeAlias = Recipe | str | Path  # a recipe, the name of a shipped one, or a YAML file
    Rows: TypeAlias = (
        str | Path | pyarrow.Table | Sequence[Mapping[str, Json]]
    )  # or what pyarrow.table() takes: a data frame


def run(recipe: Source, folder: Path | str | None = None, *, progress: bool | None = None) -> RunResult:
    """Run a recipe, or resume it in its folder.

    recipe: a `Recipe`, the name of a shipped recipe or a YAML file. folder: where the run is kept, by default
    runs/NAME; the same recipe resumes there. progress: print progress; None: in a terminal or notebook.

    Raises RecipeError, DataError, ModelError or RunFolderError, all of them SelfsownError.
    """
    from selfsown.loop import run as run_loop
    from selfsown.run_folder import CONTROL, RunFolder

    loaded = _recipe(recipe)
    path = Path(folder) if folder else Path("runs") / loaded.name
    with _run_callbacks(loaded, progress) as callbacks:
        history = run_loop(loaded, path, callbacks)
    return RunResult(loaded, path, tuple(history), tuple(RunFolder(path).generations(CONTROL)))


def make(recipe: Source, folder: Path | str | None = None, *, progress: bool | None = None) -> MakeResult:
    """Make rows with a teacher: the loop without training.

    recipe, progress: as for `run`. folder: by default made/NAME; replies that are there are not paid again.

    Raises RecipeError, DataError, ModelError (a server, or the budget) or RunFolderError.
    """
    from selfsown.pipeline import make as make_rows

    loaded = _recipe(recipe)
    path = Path(folder) if folder else Path("made") / loaded.name
    with _make_progress(progress) as tell:
        tally = make_rows(loaded, path, tell)
    return MakeResult(loaded, path, dict(tally.counts), dict(tally.reasons))


def audit(synthetic: Rows, real: Rows, **options: Any) -> AuditResult:
    """Compare a synthetic data set with real rows: variety, bias, format, copies, contamination.

    synthetic, real: a file or folder of rows, an Arrow table, a data frame, or a list of dicts. options: those of
    `selfsown audit` with underscores, such as attribute=["gender"], benchmark=[Path("test.jsonl")], sample=2000.

    Raises DataError where rows cannot be read, RecipeError where an option does not fit.
    """
    from selfsown.audit import conclusion, findings, json_report
    from selfsown.audit.inputs import run_audit
    from selfsown.audit.options import AuditOptions

    with tempfile.TemporaryDirectory() as scratch:
        paths = [_path(rows, Path(scratch) / name) for rows, name in ((synthetic, "synthetic"), (real, "real"))]
        result = run_audit(paths[0], paths[1], _options(AuditOptions, options))
    return AuditResult(
        conclusion.verdict(result),
        conclusion.headline(result),
        findings.sentences(result),
        json_report.to_json(result),
        result,
    )


def attack(
    recipe: Source | None = None,
    folder: Path | str | None = None,
    *,
    grader: str | Function = "",
    rows: int = 20,
    min_score: float = 0.5,
    seed: int = 0,
) -> AttackResult:
    """Try graders on wrong answers that are made to pass, and on right ones in other notations.

    recipe: its graders, or the one that is named, are attacked on its real rows. folder: of attack.json and of the
    replies of a judge. grader: without a recipe, a method, a file ("./mine.py"), a reward function for TRL
    ("./rewards.py:NAME"), or the function of a grader. rows: at most so many. min_score: without a recipe, the score
    from which an answer is accepted. seed: draws the rows and the combinations.

    Raises RecipeError where there is no such grader, DataError where no real row has an answer.
    """
    from selfsown.attack.findings import conclusion
    from selfsown.attack.graders import attack_one, attack_recipe
    from selfsown.errors import ExitCode, RecipeError

    if recipe is not None and not isinstance(grader, str):
        raise RecipeError(
            "attack takes a recipe, or a function of a grader, not both; put the function into the recipe"
        )
    if recipe is None and not grader:
        raise RecipeError('attack takes a recipe, or one grader: attack(grader="math_equal")')
    if recipe is None:
        result = attack_one(grader, rows, seed, min_score)
    else:
        result = attack_recipe(_recipe(recipe), Path(folder) if folder else None, str(grader), rows, seed)
    held = {ExitCode.OK: True, ExitCode.FAILED: False}.get(result.code)
    return AttackResult(held, [f"{one.name}: {conclusion(one)}" for one in result.graders], result.to_json(), result)


def prove(
    recipe: str | Path,
    folder: Path | str | None = None,
    *,
    seeds: int = 5,
    first_seed: int = 0,
    jobs: int = 0,
    changes: Sequence[str] = (),
) -> ProofResult:
    """Test whether a recipe's synthetic rows help: training with them against without, at equal steps, over seeds.

    recipe: the name of a shipped recipe or a YAML file, since each arm runs in a process of its own. folder: by default
    runs/NAME-proof; it resumes there. seeds: how many, from first_seed on; at least 3. jobs: runs at a time (0: one a
    core). changes: as of `--set`, such as "train.sft.steps=100".

    Raises RecipeError where the recipe has nothing to prove, or a SelfsownError of the run that failed.
    """
    from selfsown.compare import prove as proofs
    from selfsown.compare.runner import run as run_arms

    experiment = proofs.plan_proof(str(recipe), list(changes), seeds).from_seed(first_seed)
    path = Path(folder) if folder else Path("runs") / f"{experiment.recipe.name}-proof"
    compared = run_arms(experiment, path, jobs, None, lambda line: print(line, file=sys.stderr))
    result = proofs.prove(experiment, path, compared)
    assert result.proof
    return ProofResult(result.proof.verdict, result.proof.headline, result.proof.sentences, result, path)


def _shown(progress: bool | None) -> bool:
    """Whether to print progress: as asked, else in a terminal or notebook."""
    return (sys.stdout.isatty() or "ipykernel" in sys.modules) if progress is None else progress


@contextmanager
def _run_callbacks(recipe: Recipe, progress: bool | None) -> Iterator[Callbacks | None]:
    if not _shown(progress):
        yield None
        return
    from rich.console import Console

    from selfsown.terminal.run_progress import RunProgress

    with RunProgress(recipe, Console()).shown() as screen:
        yield screen


@contextmanager
def _make_progress(progress: bool | None) -> Iterator[Callable[[Tally], None] | None]:
    if not _shown(progress):
        yield None
        return
    from rich.console import Console

    from selfsown.terminal.make_progress import MakeProgress

    with MakeProgress(Console()).shown() as screen:
        yield screen.update


def _recipe(recipe: Any) -> Recipe:
    from selfsown.recipe.recipe import Recipe

    return recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)


def _path(rows: Any, name: Path) -> str:
    """The file of these rows; rows in memory are written to one."""
    if isinstance(rows, str | Path):
        return str(rows)
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pylist(list(rows)) if isinstance(rows, list | tuple) else pyarrow.table(rows)
    pyarrow.parquet.write_table(table, name.with_suffix(".parquet"))
    return str(name.with_suffix(".parquet"))


def _options(options: Any, values: Mapping[str, Json]) -> Any:
    """The dataclass of a command's options; RecipeError where one is unknown."""
    from selfsown.errors import RecipeError, suggest

    names = set(options.__dataclass_fields__)
    for name in values:
        if name not in names:
            raise RecipeError(f"there is no option {name!r}{suggest(name, names)}")
    return options(**values)
