"""The dataset's card: where its rows come from and what became of the others, in plain words."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow
import yaml

from selfsown import __version__, cost
from selfsown.export.card_counts import Seeds, Tally, quantiles
from selfsown.export.card_metadata import head
from selfsown.export.formats import LEFT_OUT, Format
from selfsown.export.limits import limits, step_of, steps_of
from selfsown.export.markdown import bullets, code, fenced, plain, table
from selfsown.export.run_reader import Source
from selfsown.intake import Intake

TOP = 10  # lines of a table
ROLES = ("student", "teacher", "judge")


@dataclass(frozen=True)
class Card:
    """What a card is made of. kind: how its records are written; held_out: how many real rows were; real: what became
    of all real rows, where that is known; own_judge: that the judge marks its own work, where it does."""

    name: str
    source: Source
    format: Format
    kind: str
    schema: pyarrow.Schema
    tally: Tally
    seeds: Seeds
    held_out: int
    real: Intake | None = None
    own_judge: str = ""

    @property
    def rows(self) -> int:
        """The records of the export."""
        return self.tally.origins.total()

    def text(self) -> str:
        licences = {declared for _, _, declared in self._seeds()}
        recipe = yaml.safe_dump(_shared(self.source.recipe), sort_keys=False, allow_unicode=True, width=100)
        made = f", from rows made by selfsown {self.source.version}" if self.source.version else ""
        parts = [
            head(self.name, self.rows, self.schema, self.kind, licences),
            *self._opening(),
            *self._content(),
            *self._origin(),
            *self._steps(),
            *self._fates(),
            *self._cost(),
            "## Known limits",
            bullets(list(self._limits())),
            "## The recipe",
            fenced("yaml", recipe),
            f"Written on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} by selfsown {__version__}{made}.",
        ]
        return "\n\n".join(parts) + "\n"

    def _opening(self) -> list[str]:
        recipe, about = (
            code(str(self.source.recipe.get("name", ""))),
            plain(str(self.source.recipe.get("description", ""))),
        )
        what = "pairs of a better and a worse answer" if self.format.pairs else "rows"
        real = self.tally.origins["real"]
        of_them = f", {real:,} of them real," * bool(real)
        load = f'from datasets import load_dataset\n\nrows = load_dataset("{self.name}", split="train")'
        return [
            f"# {plain(self.name)}",
            f"{self.rows:,} {what}{of_them or ','} made by the recipe {recipe}" + (f": {about}." if about else "."),
            fenced("python", load),
            "The name is the folder's path, or what it is called on a hub.",
        ]

    def _content(self) -> list[str]:
        origins, whose = self.tally.origins, "the better answers" if self.format.pairs else "the rows"
        share = f"{100 * origins['synthetic'] / origins.total():.1f} % of {whose} are synthetic"
        lengths = [("prompt", self.tally.prompts), ("answer", self.tally.answers)]
        return [
            "## What is in it",
            f"The format is {code(self.format.name)}. {share}: {origins['synthetic']:,}. Real: {origins['real']:,}.",
            table(("column", "type"), [(code(field.name), code(str(field.type))) for field in self.schema]),
            *self._left_out(),
            f"Lengths of {whose}, in characters:",
            table(
                ("", "shortest", "median", "95 % up to", "longest"),
                [(name, *(f"{each:,}" for each in quantiles(found))) for name, found in lengths],
            ),
        ]

    def _left_out(self) -> list[str]:
        count = self.tally.unanswered
        return [f"{count:,} real rows are left out: they are prompts that nobody has answered."] if count else []

    def _seeds(self) -> list[tuple[str, int, str]]:
        """Each source with its rows and its licence, declared by the rows or else by the recipe."""
        ways = self.source.recipe.get("real")
        knobs = next(iter(ways.values()), None) if isinstance(ways, dict) else None
        declared = str(knobs.get("license") or "") if isinstance(knobs, dict) else ""
        return [(name, n, own or declared) for (name, own), n in self.seeds.found.most_common()]

    def _origin(self) -> list[str]:
        seeds = self._seeds()
        lines = [(code(name), f"{n:,}", plain(licence) or "not declared") for name, n, licence in seeds[:TOP]]
        said = ["## Where it comes from", f"The real rows {_role(self.source.recipe)}:"]
        said += [table(("source", "rows", "licence"), lines), *_more(len(seeds))]
        if self.held_out:
            why = " to measure on" if self.source.recipe.get("student") else ""
            said.append(f"{self.held_out:,} more real rows were held out{why}. They are not in this dataset.")
        said += self._prepared()
        models = [(role, *_model(self.source.recipe[role])) for role in ROLES if self.source.recipe.get(role)]
        return [*said, *([table(("role", "model", "host"), models)] if models else [])]

    def _prepared(self) -> list[str]:
        """What was done to the real rows, and became of them, before anything was made of them."""
        if not self.real:
            return []
        prepared = steps_of(self.source.recipe)["prepare"]
        how = f"prepared by {', '.join(code(_bare(way)) for way, _ in prepared)}" if prepared else "taken as they are"
        return [f"The real rows were {how}: {plain(self.real.sentence())}."]

    def _steps(self) -> list[str]:
        steps = [
            (verb, code(_bare(way)), ", ".join(code(f"{name}: {value}") for name, value in knobs.items()))
            for verb, some in steps_of(self.source.recipe).items()
            for way, knobs in some
        ]
        lines = [(code(name), f"{n:,}") for name, n in self.tally.methods.most_common(TOP)]
        said = ["The steps that prepared, made, graded and chose rows:", table(("stage", "method", "options"), steps)]
        return [*said, *([table(("made by", "rows"), lines), *_more(len(self.tally.methods))] if lines else [])]

    def _fates(self) -> list[str]:
        ends = self.tally.ends
        said = [f"## What became of all {ends.total():,} rows that were made"]
        said.append(table(("status", "rows"), [(end, f"{ends[end]:,}") for end in ("kept", "rejected", "failed")]))
        said += _ranked("rejected by", self.tally.rejected) + _ranked("failed because", self.tally.failed)
        return said + [f"Left out, and not counted: {plain(each)}." for each in self.source.left_out]

    def _cost(self) -> list[str]:
        spent = cost.read(self.source.folder)
        if not spent:
            return []
        cells = [[plain(cell) for cell in line] for line in spent.cells()]
        return ["## What it cost", table(cost.HEAD, cells), bullets([plain(said) for said in spent.facts()])]

    def _limits(self) -> Iterator[str]:
        licensed = all(licence for _, _, licence in self._seeds())
        yield from limits(self.source.recipe, self.tally, self.own_judge, self.held_out, licensed)
        yield from (said.format(n) for name, said in LEFT_OUT.items() if (n := self.tally.left_out[name]))


def _ranked(title: str, found: Counter[str]) -> list[str]:
    lines = [(plain(reason) or "–", f"{n:,}") for reason, n in found.most_common(TOP)]
    return [table((title, "rows"), lines), *_more(len(found))] if lines else []


def _more(there: int) -> list[str]:
    return [f"And {there - TOP:,} more."] if there > TOP else []


def _role(recipe: Mapping[str, Any]) -> str:
    """What the real rows were for."""
    ways = {way for way, _ in steps_of(recipe)["generate"]}
    alone = not recipe.get("student") and ways <= {"magpie"}  # the model that writes sees none of them
    return "that nothing was made of" if alone else "that it grew from"


def _model(step: Any) -> tuple[str, str]:
    """Its name, and the host that serves it."""
    way, knobs = step_of(step)
    host = urlsplit(str(knobs.get("url", ""))).hostname
    return code(str(knobs.get("model", way))), code(host or (way if "model" in knobs else "here"))


def _shared(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe as it may be shown: without where a key is found, and without the user's own folders."""
    found = dict(recipe)
    for role in ("real", *ROLES):
        way, knobs = step_of(found.get(role))
        if knobs:
            found[role] = {_bare(way): {name: _bare(value) for name, value in knobs.items() if name != "api_key"}}
    return found | {stage: list(map(_bare_step, steps)) for stage, steps in found.items() if isinstance(steps, list)}


def _bare_step(step: Any) -> Any:
    return {_bare(way): knobs for way, knobs in step.items()} if isinstance(step, dict) else _bare(step)


def _bare(value: Any) -> Any:
    """An absolute path by its name alone."""
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
