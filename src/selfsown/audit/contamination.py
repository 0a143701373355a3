"""Contamination: rows that say what an examination asks, word for word, or share a long run of words with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from selfsown.audit.near_duplicates import groups
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import normal
from selfsown.text.overlap import COMMON, Passages, bare, runs, tokenize

SHOWN = 50
Questions = dict[str, str]  # by the name of their examination


@dataclass(frozen=True)
class Hit:
    """A row, and the question of which examination it meets; run: the words that both say."""

    row: Row
    examination: str
    question: str
    run: str


@dataclass
class Examination:
    """The questions of some examinations, made ready to be met by millions of rows.

    Each is prepared without a look at the others, so neither their order nor their number changes what is found. asked,
    hits: of each examination how many questions, and how many rows meet one; met: rows that meet any; whole_only: of
    each, how many questions are found as a whole row or prompt alone; shown: the first hits.
    """

    whole: dict[str, Questions] = field(default_factory=dict)
    runs: dict[str, Questions] = field(default_factory=dict)
    passages: Passages = field(default_factory=Passages)
    asked: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    met: int = 0
    whole_only: Counter[str] = field(default_factory=Counter)
    shown: list[Hit] = field(default_factory=list)

    @property
    def hidden(self) -> int:
        """How many questions are found as a whole row or prompt alone."""
        return self.whole_only.total()

    @property
    def unsearchable(self) -> list[str]:
        """Examinations of which no question can be found inside other words."""
        return [name for name, questions in self.asked.items() if self.whole_only[name] == questions]

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """One more examination; its questions are prompts, or documents. SelfsownError where it has none."""
        questions = [question for row in rows if normal(question := row.prompt or row.answer)]
        if not questions:
            raise SelfsownError(f"--examination {name} asks nothing: all its questions are blank; name another file")
        asked = [set(runs(tokenize(question))) for question in questions]
        alike: dict[int, set[str]] = {}
        for group, said in zip(groups(questions).tolist(), asked, strict=True):
            alike.setdefault(group, set()).update(said)
        shared = Counter(run for said in alike.values() for run in said)
        self.asked[name] += len(questions)
        for question, said in zip(questions, asked, strict=True):
            self.whole.setdefault(bare(question), {}).setdefault(name, question)
            own = [run for run in said if shared[run] <= COMMON]
            self.whole_only[name] += not own
            for run in own:
                self.runs.setdefault(run, {}).setdefault(name, question)
                self.passages.add(run)

    def meet(self, row: Row, plain: str) -> None:
        """Look whether the row, of which `plain` is all that it says, says what a question says."""
        found: dict[str, tuple[str, str]] = {}
        for said in filter(None, (bare(plain), bare(row.prompt))):
            found |= {name: (question, said) for name, question in self.whole.get(said, {}).items()}
        for run in self.passages.within(tokenize(plain)) if len(found) < len(self.asked) else ():
            for name, question in self.runs[run].items():
                found.setdefault(name, (question, run))
        self.met += bool(found)
        for name, (question, run) in found.items():
            self.hits[name] += 1
            if len(self.shown) < SHOWN:
                self.shown.append(Hit(row, name, question, run))
