"""Benchmark contamination: rows that have a benchmark question, word for word, edited or paraphrased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from selfsown.contamination.matcher import Match, RewordedQuestions, Text
from selfsown.contamination.questions import Question
from selfsown.contamination.verbatim import VerbatimIndex
from selfsown.errors import DataError
from selfsown.records import Row
from selfsown.text.normalize import normal
from selfsown.text.overlap import bare, tokenize

MAX_EXAMPLES = 50


@dataclass(frozen=True)
class BenchmarkMatch:
    """A row that has a benchmark question, and by which rule."""

    row: Row
    match: Match

    @property
    def benchmark(self) -> str:
        return self.match.question.benchmark

    @property
    def question(self) -> str:
        return self.match.question.text

    @property
    def evidence(self) -> str:
        """The words that both have, or how a reworded copy was found."""
        return self.match.passage or self.match.rule_in_words


@dataclass
class BenchmarkMatches:
    """The questions of all benchmarks, indexed so that millions of rows can be matched, and the matches so far.

    Each benchmark is indexed independently: the others change neither its index nor its matches.

    question_counts: number of questions per benchmark.
    row_counts: number of matched rows per benchmark.
    reworded_counts: those of them that have an edited or paraphrased question only.
    matched_rows: number of rows that match any benchmark.
    short_counts: number of questions per benchmark that match word for word as a whole row or prompt only.
    examples: the first matches.
    """

    question_counts: Counter[str] = field(default_factory=Counter)
    row_counts: Counter[str] = field(default_factory=Counter)
    reworded_counts: Counter[str] = field(default_factory=Counter)
    matched_rows: int = 0
    short_counts: Counter[str] = field(default_factory=Counter)
    examples: list[BenchmarkMatch] = field(default_factory=list)
    verbatim: VerbatimIndex = field(default_factory=VerbatimIndex)
    reworded: dict[str, RewordedQuestions] = field(default_factory=dict)

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
        texts = ((row.prompt or row.answer, row.source) for row in rows)
        questions = [Question(text, name, source) for text, source in texts if normal(text)]
        if not questions:
            raise DataError(f"--benchmark {name} has no questions: all of them are blank; name another file")
        self.question_counts[name] += len(questions)
        self.short_counts[name] += self.verbatim.add(questions, group=True)
        self.reworded[name] = RewordedQuestions(questions)

    def match(self, row: Row, normalized: str) -> str:
        """Match a row against every benchmark and count it; the first benchmark that it matches, "" for none.

        normalized: the normal form of the row's whole text.
        """
        matches: dict[str, Match] = {}
        for text in filter(None, (bare(normalized), bare(row.prompt))):
            for name, question in self.verbatim.same(text).items():
                matches[name] = Match(question, "same", text)
        if len(matches) < len(self.question_counts):
            for passage, owners in self.verbatim.within(tokenize(normalized)):
                for name, question in owners.items():
                    matches.setdefault(name, Match(question, "passage", passage))
        if len(matches) < len(self.question_counts):
            self._match_reworded(row, matches)
        self.matched_rows += bool(matches)
        for name, match in matches.items():
            self.row_counts[name] += 1
            self.reworded_counts[name] += match.is_reworded
            if len(self.examples) < MAX_EXAMPLES:
                self.examples.append(BenchmarkMatch(row, match))
        return next(iter(matches), "")

    def _match_reworded(self, row: Row, matches: dict[str, Match]) -> None:
        """Add the benchmarks of which the row's prompt or answer rewords a question."""
        texts = [Text.of(text) for text in (row.prompt, row.answer) if text]
        for name, questions in self.reworded.items():
            if name not in matches and (match := questions.match(texts)):
                matches[name] = match
