"""Contamination: rows that say what an examination asks, word for word, or share a long run of words with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from selfsown.audit.copies import groups
from selfsown.records import Row
from selfsown.text import normal

RUN = 13  # words in a row that are shared by chance hardly ever (Brown et al. 2020, appendix C; Phi-4, appendix B.1)
SHORT = 5  # words, under which a question is looked for as a whole row or prompt alone; up to RUN, as a whole anywhere
COMMON = 10  # questions of an examination, no two nearly the same: a run that more have is a phrase of its forms
SHOWN = 50
_WORD = re.compile(r"\w+")
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
    hits: of each examination how many questions, and how many rows meet one; met: rows that meet any; hidden: questions
    that are found as a whole row or prompt alone; shown: the first hits.
    """

    whole: dict[str, Questions] = field(default_factory=dict)
    runs: dict[str, Questions] = field(default_factory=dict)
    begins: dict[str, set[int]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    met: int = 0
    hidden: int = 0
    shown: list[Hit] = field(default_factory=list)

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """One more examination; its questions are prompts, or documents."""
        questions = [question for row in rows if (question := row.prompt or row.answer).strip()]
        runs = [set(_runs(_WORD.findall(question.casefold()))) for question in questions]
        alike: dict[int, set[str]] = {}
        for group, said in zip(groups(questions).tolist(), runs, strict=True):
            alike.setdefault(group, set()).update(said)
        shared = Counter(run for said in alike.values() for run in said)
        self.asked[name] += len(questions)
        for question, said in zip(questions, runs, strict=True):
            self.whole.setdefault(normal(question), {}).setdefault(name, question)
            own = [run for run in said if shared[run] <= COMMON]
            self.hidden += not own
            for run in own:
                self.runs.setdefault(run, {}).setdefault(name, question)
                words = run.split(" ")
                self.begins.setdefault(words[0], set()).add(len(words))

    def meet(self, row: Row, plain: str) -> None:
        """Look whether the row, of which `plain` is all that it says, says what a question says."""
        found = {name: (question, plain) for name, question in self.whole.get(plain, {}).items()}
        if row.prompt and (asked := normal(row.prompt)) in self.whole:
            found |= {name: (question, asked) for name, question in self.whole[asked].items()}
        words = _WORD.findall(plain) if len(found) < len(self.asked) else []
        for at, word in enumerate(words):
            for many in self.begins.get(word, ()):
                run = " ".join(words[at : at + many])
                for name, question in self.runs.get(run, {}).items():
                    found.setdefault(name, (question, run))
        self.met += bool(found)
        for name, (question, run) in found.items():
            self.hits[name] += 1
            if len(self.shown) < SHOWN:
                self.shown.append(Hit(row, name, question, run))


def _runs(words: list[str]) -> list[str]:
    """The words that are looked for: each run of thirteen, or all of a shorter question, if they are five or more."""
    if len(words) < RUN:
        return [" ".join(words)] if len(words) >= SHORT else []
    return [" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
