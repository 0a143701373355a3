"""How well decontamination works in this folder: planted copies that it finds, clean rows that it rejects.

Copies of held-out rows and benchmark questions go through the recipe's own step, with its options, and so do real rows
that the step is not given as real rows. None of them is ever among the rows of the folder. The result is
`decontamination.json`, with a random sample of what was rejected beside the questions.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from selfsown.contamination.planted import KINDS, planted_copies
from selfsown.contamination.questions import Question, held_out_questions, read_benchmarks
from selfsown.recipe.inputs import CurateInputs
from selfsown.recipe.steps import Step
from selfsown.records import JsonObject, Row
from selfsown.run_folder import RunFolder
from selfsown.stages import curate_rows, derive_seed
from selfsown.stats.intervals import share
from selfsown.text.excerpt import excerpt

FILE = "decontamination"  # the name of the folder's file
PER_KIND = 100  # planted copies of a kind, at most
MAX_CLEAN = 300  # real rows that are not given to the step as real rows, at most
MAX_EXAMPLES = 20  # rejected rows that are shown beside their questions
MAX_CHARS = 600  # of a text in an example
KIND_NAMES = {
    "verbatim": "copies, word for word",
    "wrapped": "copies within another text",
    "edited": "copies with some words changed",
    "paraphrased": "mechanical paraphrases",
}


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval (Wilson)."""

    hits: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        return share(self.hits, self.n)

    @property
    def in_words(self) -> tuple[str, str]:
        """ "97 %" and "92 to 99 %"."""
        low, high = map(_percent, self.interval)
        return f"{_percent(self.hits / self.n)} %", f"{low} to {high} %"

    @property
    def text(self) -> str:
        """ "97 % (92 to 99 %)"."""
        return "{} ({})".format(*self.in_words)


@dataclass(frozen=True)
class RejectedExample:
    """A rejected row beside the question for which it was rejected."""

    row: str
    name: str  # of the question
    question: str
    reason: str


@dataclass(frozen=True)
class Decontamination:
    """The measurement of a folder's decontamination.

    questions: their number by benchmark.
    recall: by kind of planted copy. clean: real rows that were rejected, an upper bound of the false positives, since
    real rows may have benchmark questions, too. removed: new rows that the step rejected, of those that reached it.
    """

    questions: Mapping[str, int]
    recall: Mapping[str, Rate]
    clean: Rate
    removed: Rate
    removed_examples: tuple[RejectedExample, ...] = ()
    clean_examples: tuple[RejectedExample, ...] = ()

    @classmethod
    def of(cls, store: RunFolder) -> Decontamination | None:
        """As the folder has it; None where nothing was measured."""
        values = store.json(FILE)
        if values is None:
            return None
        return cls(
            questions=values["questions"],
            recall={kind: Rate(**rate) for kind, rate in values["recall"].items()},
            clean=Rate(**values["clean"]),
            removed=Rate(**values["removed"]),
            removed_examples=tuple(RejectedExample(**example) for example in values["removed_examples"]),
            clean_examples=tuple(RejectedExample(**example) for example in values["clean_examples"]),
        )

    def plain(self) -> JsonObject:
        """The measurement, for JSON."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """What was measured, and what it means."""
        against = ", ".join(f"{count:,} of {name}" for name, count in self.questions.items())
        sentences = [
            f"Rows were searched for {sum(self.questions.values()):,} questions ({against}); {self.removed.hits:,} of "
            f"{self.removed.n:,} were rejected.",
            "Planted copies of the questions went through the same step, with the same options; none of them is among "
            "the rows.",
        ]
        if "paraphrased" in self.recall:
            sentences.append("Paraphrases are mechanical, and share as many words with a question as written ones do.")
        if self.clean.n:
            sentences.append(
                f"Of {self.clean.n:,} real rows that the step was not given as real rows it rejects {self.clean.text}. "
                "That is the most that it rejects by mistake, since real rows may have benchmark questions, too."
            )
        return sentences

    def sentence(self) -> str:
        """All in one sentence, for a terminal."""
        against = ", ".join(f"{count:,} of {name}" for name, count in self.questions.items())
        recall = ", ".join(f"{kind} {rate.text}" for kind, rate in self.recall.items() if rate.n)
        clean = f"; of {self.clean.n:,} other real rows it rejects {self.clean.text}" if self.clean.n else ""
        return (
            f"Decontamination rejected {self.removed.hits:,} of {self.removed.n:,} rows, searching for questions "
            f"({against}); of planted copies it finds {recall}{clean}"
        )


def measure_decontamination(
    steps: Sequence[Step], inputs: CurateInputs, store: RunFolder, rows: Iterable[Row], seed: int
) -> Decontamination | None:
    """Measure the first of the curators that decontaminates, and write what was measured; None where none does.

    inputs: as for the curators, without rows. rows: all new rows with their statuses. seed: of the planted
    copies and of the samples.
    """
    step = next((step for step in steps if step.decontaminates), None)
    if step is None:
        return None
    seed = derive_seed(seed, "decontamination")
    benchmarks = read_benchmarks(step.option("against") or ())
    questions = [*held_out_questions(inputs.held_out), *(question for own in benchmarks.values() for question in own)]
    if not questions:
        return None
    clean, others = _split(inputs.real, seed)
    copies = planted_copies(questions, PER_KIND, seed)
    recall, rejected = _through_step(step, replace(inputs, real=others), copies, clean)
    removed, examples = _removed(rows, _prefix(step), seed)
    result = Decontamination(
        questions=dict(Counter(question.benchmark for question in questions)),
        recall=recall,
        clean=Rate(len(rejected), len(clean)),
        removed=removed,
        removed_examples=_examples(examples, questions),
        clean_examples=_examples(rejected[:MAX_EXAMPLES], questions),
    )
    store.write_json(FILE, result.plain())
    return result


def _split(real: Sequence[Row], seed: int) -> tuple[list[Row], Sequence[Row]]:
    """(clean rows, at most half of all; the other real rows)."""
    size = len(real)
    chosen = set(random.Random(seed).sample(range(size), min(MAX_CLEAN, size // 2)))
    return [row for index, row in enumerate(real) if index in chosen], _Others(real, frozenset(chosen))


class _Others(Sequence[Row]):
    """Rows without some of them, read again each time, as those of a file are."""

    def __init__(self, rows: Sequence[Row], without: frozenset[int]) -> None:
        self._rows, self._without = rows, without

    def __len__(self) -> int:
        return len(self._rows) - len(self._without)

    def __iter__(self) -> Iterator[Row]:
        return (row for index, row in enumerate(self._rows) if index not in self._without)

    def __getitem__(self, index: int | slice) -> Row | list[Row]:  # type: ignore[override]
        """For a few rows only: each call reads all rows."""
        return list(self)[index]


def _through_step(
    step: Step, inputs: CurateInputs, copies: Sequence[tuple[str, Question, Row]], clean: Sequence[Row]
) -> tuple[dict[str, Rate], list[Row]]:
    """How many planted copies of each kind the step rejects, and the clean rows that it rejects."""
    planted = {row.id: kind for kind, _, row in copies}
    tested = [row.replace_fields(origin="synthetic", method="clean") for row in clean]
    out = list(curate_rows(step, [*(row for _, _, row in copies), *tested], inputs))
    hits = Counter(planted[row.id] for row in out if row.id in planted and row.status == "rejected")
    sizes = Counter(planted.values())
    recall = {kind: Rate(hits[kind], sizes[kind]) for kind in KINDS if sizes[kind]}
    return recall, [row for row in out if row.method == "clean" and row.status == "rejected"]


def _prefix(step: Step) -> str:
    """What begins the reasons of the step."""
    return f"{Path(step.method).stem}:"


def _removed(rows: Iterable[Row], prefix: str, seed: int) -> tuple[Rate, list[Row]]:
    """How many rows the step rejected, of these and those that were kept; and a random sample of them."""
    rng, rejected, others = random.Random(seed), 0, 0
    sample = list[Row]()
    for row in rows:
        if row.status == "rejected" and row.reason.startswith(prefix):
            if len(sample) < MAX_EXAMPLES:
                sample.append(row)
            elif (place := rng.randrange(rejected + 1)) < MAX_EXAMPLES:
                sample[place] = row
            rejected += 1
        others += row.status == "kept"
    return Rate(rejected, rejected + others), sample


def _examples(rows: Iterable[Row], questions: Sequence[Question]) -> tuple[RejectedExample, ...]:
    """Each row beside the question that its reason names, as far as it names one."""
    by_name = {question.name: question.text for question in questions}
    examples = []
    for row in rows:
        named = [name for name in by_name if name in row.reason]
        name = max(named, key=len, default="")
        text = "\n".join(filter(None, (row.prompt, row.answer)))
        examples.append(RejectedExample(_short(text), name, _short(by_name.get(name, "")), _short(row.reason)))
    return tuple(examples)


def _short(text: str) -> str:
    return excerpt(text, MAX_CHARS)


def _percent(value: float) -> str:
    """One digit below 10 % and above 90 %, where it matters."""
    return f"{100 * value:.3g}" if 0 < value < 0.1 else f"{100 * value:.0f}"
