"""Benchmark contamination: rows that equal a benchmark question or share a long run of words with one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from selfsown.errors import DataError
from selfsown.records import Row
from selfsown.text.near_duplicates import near_duplicate_groups
from selfsown.text.normalize import normal
from selfsown.text.overlap import MAX_SHARING_TEXTS, Passages, bare, runs, tokenize

MAX_EXAMPLES = 50
Questions = dict[str, str]  # benchmark name -> one of its questions


@dataclass(frozen=True)
class Match:
    """A row that contains a benchmark question; passage: the words that both have."""

    row: Row
    benchmark: str
    question: str
    passage: str


@dataclass
class BenchmarkMatches:
    """The questions of all benchmarks, indexed so that millions of rows can be matched, and the matches so far.

    Each benchmark is indexed independently: the others change neither its index nor its matches.

    by_text: questions by their whole normalized text.
    by_passage: questions by each run of words that identifies them.
    passages: the same runs, as a matcher.
    question_counts: number of questions per benchmark.
    row_counts: number of matched rows per benchmark.
    matched_rows: number of rows that match any benchmark.
    short_counts: number of questions per benchmark that match as a whole row or prompt only.
    examples: the first matches.
    """

    by_text: dict[str, Questions] = field(default_factory=dict)
    by_passage: dict[str, Questions] = field(default_factory=dict)
    passages: Passages = field(default_factory=Passages)
    question_counts: Counter[str] = field(default_factory=Counter)
    row_counts: Counter[str] = field(default_factory=Counter)
    matched_rows: int = 0
    short_counts: Counter[str] = field(default_factory=Counter)
    examples: list[Match] = field(default_factory=list)

    @property
    def short_questions(self) -> int:
        """The number of questions that match as a whole row or prompt only."""
        return self.short_counts.total()

    @property
    def unsearchable(self) -> list[str]:
        """Benchmarks without any question that can be found inside a longer text."""
        return [name for name, count in self.question_counts.items() if self.short_counts[name] == count]

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """Index a benchmark; a row's question is its prompt, or its whole text. DataError: all questions are blank."""
        questions = [question for row in rows if normal(question := row.prompt or row.answer)]
        if not questions:
            raise DataError(f"--benchmark {name} has no questions: all of them are blank; name another file")
        question_runs = [set(runs(tokenize(question))) for question in questions]
        by_group: dict[int, set[str]] = {}
        for group, own_runs in zip(near_duplicate_groups(questions).tolist(), question_runs, strict=True):
            by_group.setdefault(group, set()).update(own_runs)
        occurrences = Counter(run for group_runs in by_group.values() for run in group_runs)
        self.question_counts[name] += len(questions)
        for question, own_runs in zip(questions, question_runs, strict=True):
            self.by_text.setdefault(bare(question), {}).setdefault(name, question)
            distinctive = [run for run in own_runs if occurrences[run] <= MAX_SHARING_TEXTS]
            self.short_counts[name] += not distinctive
            for run in distinctive:
                self.by_passage.setdefault(run, {}).setdefault(name, question)
                self.passages.add(run)

    def match(self, row: Row, normalized: str) -> str:
        """Match a row against every benchmark and count it; the first benchmark that it matches, "" for none.

        normalized: the normal form of the row's whole text.
        """
        matches: dict[str, tuple[str, str]] = {}
        for text in filter(None, (bare(normalized), bare(row.prompt))):
            matches |= {name: (question, text) for name, question in self.by_text.get(text, {}).items()}
        if len(matches) < len(self.question_counts):
            for passage in self.passages.within(tokenize(normalized)):
                for name, question in self.by_passage[passage].items():
                    matches.setdefault(name, (question, passage))
        self.matched_rows += bool(matches)
        for name, (question, passage) in matches.items():
            self.row_counts[name] += 1
            if len(self.examples) < MAX_EXAMPLES:
                self.examples.append(Match(row, name, question, passage))
        return next(iter(matches), "")
