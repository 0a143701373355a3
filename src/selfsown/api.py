"""The Python API: run, make, audit and prove as functions that return results with tables.

Everything else is imported when a function is called, so that `import selfsown` is cheap.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import pyarrow

    from selfsown.audit.audit import Audit
    from selfsown.callbacks import Callbacks
    from selfsown.compare.results import ComparisonResult
    from selfsown.models import Model
    from selfsown.pipeline import Tally
    from selfsown.recipe.recipe import Recipe
    from selfsown.records import Generation, Status

    Source: TypeAlias = Recipe | str | Path  # a recipe, the name of a shipped one, or a YAML file
    Rows: TypeAlias = (
        str | Path | pyarrow.Table | Sequence[Mapping[str, Any]]
    )  # or what pyarrow.table() takes: a data frame


@dataclass(frozen=True)
class RunResult:
    """What a run left in its folder.

    generations: all of them in order, rolled-back ones too; control: those of the control, or none.
    """

    recipe: Recipe
    folder: Path
    generations: tuple[Generation, ...]
    control: tuple[Generation, ...]

    @property
    def best(self) -> Generation:
        """The accepted generation that the validation rows chose."""
        from selfsown.history import best_of

        return best_of(self.generations, self.recipe.goal)

    @property
    def findings(self) -> list[str]:
        """What the run may claim, in sentences."""
        from selfsown.findings import Findings

        return Findings(self.generations, self.control, self.recipe.goal, self.recipe.init_from).sentences()

    def rows(self, generation: int | None = None, status: Status | None = "kept") -> pyarrow.Table:
        """The synthetic rows as an Arrow table, one column a field of `Row`.

        generation: of this one only; None: of all. status: "kept", "rejected", "failed", or None for every row.
        """
        numbers = [generation] if generation is not None else range(1, len(self.generations))
        return _table(self.folder, [f"generation-{number:02d}/rows" for number in numbers], status)

    def scores(self) -> pyarrow.Table:
        """Every score on test rows: arm, generation, name, stratum, value, low, high (95 % interval) and n."""
        import pyarrow

        names = ("name", "stratum", "value", "low", "high", "n")
        records = [
            {"arm": arm, "generation": generation.number, **{name: getattr(score, name) for name in names}}
            for arm, generations in (("recipe", self.generations), ("control", self.control))
            for generation in generations
            for score in generation.scores
        ]
        return pyarrow.Table.from_pylist(records)

    def model(self) -> Model:
        """The best generation's model, ready to `complete` prompts."""
        model: Model = self.recipe.student.load(self.folder / "best")
        return model

    def report(self) -> Path:
        """Write the page of the run; its path."""
        from selfsown.html.report import write

        return write(self.folder)

    def _repr_html_(self) -> str:
        return _html([f"<b>{self.recipe.name}</b>, {self.folder}", *self.findings])


@dataclass(frozen=True)
class MakeResult:
    """What `make` left in its folder. counts: rows by status; reasons: why rows were rejected or failed."""

    recipe: Recipe
    folder: Path
    counts: Mapping[str, int]
    reasons: Mapping[str, int]

    def rows(self, status: Status | None = "kept") -> pyarrow.Table:
        """The rows as an Arrow table. status: "kept", "rejected", "failed", or None for every row."""
        return _table(self.folder, ["rows"], status)

    def export(self, out: Path | str, format: str = "") -> Path:
        """Write the kept rows as a data set with its card; the folder."""
        from selfsown.export.export import export

        return export(self.folder, Path(out), format=format).out

    def _repr_html_(self) -> str:
        counts = ", ".join(f"{count:,} {status}" for status, count in self.counts.items())
        return _html([f"<b>{self.recipe.name}</b>, {self.folder}", counts])


@dataclass(frozen=True)
class AuditResult:
    """How synthetic rows differ from real ones.

    verdict: "differs", "no_difference" or "inconclusive"; headline and sentences say why; data: everything, as `audit --json`.
    """

    verdict: str
    headline: str
    sentences: list[str]
    data: Mapping[str, Any]
    result: Audit

    def signals(self) -> pyarrow.Table:
        """Each check: name, value with its 95 % interval, tolerance, MDE and whether it is an alarm."""
        import pyarrow

        names = ("name", "family", "value", "low", "high", "tolerance", "mde", "is_alarm", "n", "unit")
        return pyarrow.Table.from_pylist(
            [{name: getattr(signal, name) for name in names} for signal in self.result.signals]
        )

    def report(self, path: Path | str) -> Path:
        """Write the page of the audit to an .html file; its path."""
        from selfsown.html.audit_page import write

        write(self.result, Path(path))
        return Path(path)

    def _repr_html_(self) -> str:
        return _html([f"<b>{self.headline}</b>", *self.sentences])


@dataclass(frozen=True)
class ProofResult:
    """Whether synthetic rows help. verdict: "better", "worse" or "inconclusive"; result: every arm, score and difference."""

    verdict: str
    headline: str
    sentences: list[str]
    result: ComparisonResult
    folder: Path

    def report(self) -> Path:
        """Write the page of the comparison; its path."""
        from selfsown.html.report import write

        return write(self.folder)

    def _repr_html_(self) -> str:
        return _html([f"<b>{self.headline}</b>", *self.sentences])


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
    from selfsown.audit import findings, json_report
    from selfsown.audit.inputs import run_audit
    from selfsown.audit.options import AuditOptions

    with tempfile.TemporaryDirectory() as scratch:
        paths = [_path(rows, Path(scratch) / name) for rows, name in ((synthetic, "synthetic"), (real, "real"))]
        result = run_audit(paths[0], paths[1], _options(AuditOptions, options))
    return AuditResult(
        findings.verdict(result),
        findings.headline(result),
        findings.sentences(result),
        json_report.to_json(result),
        result,
    )


def prove(
    recipe: str | Path, folder: Path | str | None = None, *, seeds: int = 5, jobs: int = 0, changes: Sequence[str] = ()
) -> ProofResult:
    """Test whether a recipe's synthetic rows help: training with them against without, at equal steps, over seeds.

    recipe: the name of a shipped recipe or a YAML file, since each arm runs in a process of its own. folder: by default
    runs/NAME-proof; it resumes there. seeds: how many, from 0; at least 3. jobs: runs at a time (0: one a core).
    changes: as of `--set`, such as "train.sft.steps=100".

    Raises RecipeError where the recipe has nothing to prove, or a SelfsownError of the run that failed.
    """
    from selfsown.compare import prove as proofs
    from selfsown.compare.runner import run as run_arms

    experiment = proofs.plan_proof(str(recipe), list(changes), seeds)
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

    screen = RunProgress(recipe, Console())
    with screen.progress:
        yield screen


@contextmanager
def _make_progress(progress: bool | None) -> Iterator[Callable[[Tally], None] | None]:
    if not _shown(progress):
        yield None
        return
    from rich.console import Console

    from selfsown.terminal.make_progress import MakeProgress

    with MakeProgress(Console()) as shown:
        yield shown.update


def _recipe(recipe: Any) -> Recipe:
    from selfsown.recipe.recipe import Recipe

    return recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)


def _table(folder: Path, names: Sequence[str], status: Status | None) -> pyarrow.Table:
    """The rows under these names in one table."""
    import pyarrow
    import pyarrow.compute

    from selfsown.run_folder import RunFolder

    tables = [table for name in names if (table := RunFolder(folder).table(name)) is not None]
    if not tables:
        from selfsown.files.row_parquet import SCHEMA

        return SCHEMA.empty_table()
    rows = pyarrow.concat_tables(tables)
    return rows if status is None else rows.filter(pyarrow.compute.equal(rows["status"], status))


def _path(rows: Any, name: Path) -> str:
    """The file of these rows; rows in memory are written to one."""
    if isinstance(rows, str | Path):
        return str(rows)
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pylist(list(rows)) if isinstance(rows, list | tuple) else pyarrow.table(rows)
    pyarrow.parquet.write_table(table, name.with_suffix(".parquet"))
    return str(name.with_suffix(".parquet"))


def _options(options: Any, given: Mapping[str, Any]) -> Any:
    """The dataclass of a command's options; RecipeError where one is unknown."""
    from selfsown.errors import RecipeError, suggest

    names = set(options.__dataclass_fields__)
    for name in given:
        if name not in names:
            raise RecipeError(f"there is no option {name!r}{suggest(name, names)}")
    return options(**given)


def _html(lines: Sequence[str]) -> str:
    """For notebooks: a line a paragraph."""
    from html import escape

    first, *others = lines
    return "".join([f"<p>{first}</p>", *(f"<p>{escape(line)}</p>" for line in others)])
