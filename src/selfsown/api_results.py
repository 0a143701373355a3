"""What the functions of the Python API return: results with tables, pages and sentences.

Everything else is imported when a method is called, so that `import selfsown` is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

    from selfsown.attack.results import Attack
    from selfsown.audit.audit import Audit
    from selfsown.compare.results import ComparisonResult
    from selfsown.models import Model
    from selfsown.recipe.recipe import Recipe
    from selfsown.records import Generation, Json, Status


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

        recipe = self.recipe
        trained = (recipe.goal, recipe.init_from, recipe.stops_early)
        return Findings(self.generations, self.control, *trained, str(self.folder)).sentences()

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

    def report(self) -> Path:
        """Write the page of the rows; its path."""
        from selfsown.html.report import write

        return write(self.folder)

    def _repr_html_(self) -> str:
        counts = ", ".join(f"{count:,} {status}" for status, count in self.counts.items())
        return _html([f"<b>{self.recipe.name}</b>, {self.folder}", counts])


@dataclass(frozen=True)
class AuditResult:
    """How synthetic rows differ from real ones.

    verdict: "differs", "no_difference" or "inconclusive"; headline and sentences say why. data: everything, as
    `audit --json`.
    """

    verdict: str
    headline: str
    sentences: list[str]
    data: Mapping[str, Json]
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
class AttackResult:
    """What got past graders.

    held: whether no wrong answer passed any of them; None where too little could be tried. sentences: a conclusion for
    each. data: everything, as `attack --json`.
    """

    held: bool | None
    sentences: list[str]
    data: Mapping[str, Json]
    result: Attack

    def probes(self) -> pyarrow.Table:
        """Each probe: grader, side ("wrong", "right" or "combination"), family, name, reason, tried, hits (wrong
        answers accepted, or right ones refused), and an answer that was a hit."""
        import pyarrow

        records = [
            {"grader": grader.name, "side": side, **probe.to_json(), "example": probe.example and probe.example.answer}
            for grader in self.result.graders
            for side, probes in (("wrong", grader.wrong), ("right", grader.right), ("combination", grader.combinations))
            for probe in probes
        ]
        return pyarrow.Table.from_pylist(records)

    def report(self, path: Path | str) -> Path:
        """Write the page of the attack to an .html file; its path."""
        from selfsown.html.attack_page import write

        write(self.result, Path(path))
        return Path(path)

    def _repr_html_(self) -> str:
        return _html(["<b>held</b>" if self.held else "<b>not held</b>", *self.sentences])


@dataclass(frozen=True)
class ProofResult:
    """Whether synthetic rows help.

    verdict: "better", "worse" or "inconclusive". result: every arm, score and difference.
    """

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


def _html(lines: Sequence[str]) -> str:
    """For notebooks: a line a paragraph."""
    from html import escape

    first, *others = lines
    return "".join([f"<p>{first}</p>", *(f"<p>{escape(line)}</p>" for line in others)])
