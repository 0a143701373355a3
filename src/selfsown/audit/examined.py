"""Contamination: rows that say what an examination asks, word for word, or share a long run of words with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from selfsown.records import Row
from selfsown.text import normal

RUN = 13  # words in a row that are shared by chance hardly ever (Brown et al. 2020, appendix C; Phi-4, appendix B.1)
SHOWN = 50
_WORD = re.compile(r"\w+")


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

    hits: how many rows met one; shown: the first of them. Common runs, which several questions share, are left out.
    """

    whole: dict[str, tuple[str, str]] = field(default_factory=dict)
    runs: dict[str, tuple[str, str]] = field(default_factory=dict)
    begins: set[str] = field(default_factory=set)
    hits: int = 0
    questions: int = 0
    shown: list[Hit] = field(default_factory=list)

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """One more examination; its questions are prompts, or documents."""
        common = set[str]()
        for row in rows:
            question = row.prompt or row.answer
            self.questions += 1
            self.whole.setdefault(normal(question), (name, question))
            for run in set(_runs(_WORD.findall(question.casefold()))):
                if run in self.runs and self.runs[run][1] != question:
                    common.add(run)
                self.runs[run] = (name, question)
        for run in common:
            del self.runs[run]
        self.begins = {run.split(" ", 1)[0] for run in self.runs}

    def meet(self, row: Row, plain: str) -> None:
        """Look whether the row, of which `plain` is all that it says, says what a question says."""
        found = self.whole.get(plain) or (row.prompt and self.whole.get(normal(row.prompt)))
        run = plain if found else ""
        if not found:
            words = _WORD.findall(plain)
            for at in range(len(words) - RUN + 1):
                if words[at] in self.begins and (found := self.runs.get(" ".join(words[at : at + RUN]))):
                    run = " ".join(words[at : at + RUN])
                    break
        if found:
            self.hits += 1
            if len(self.shown) < SHOWN:
                self.shown.append(Hit(row, *found, run))


def _runs(words: list[str]) -> list[str]:
    return [" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
