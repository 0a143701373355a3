"""The search for questions in rows: word for word, with some words changed, and paraphrased."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from selfsown.contamination.questions import HELD_OUT, Question, by_benchmark
from selfsown.contamination.verbatim import VerbatimIndex
from selfsown.records import Row
from selfsown.text.content_words import Features, features
from selfsown.text.normalize import normal
from selfsown.text.overlap import bare_of_normal, tokenize, tokens_of_normal
from selfsown.text.reworded import RewordedIndex, is_long_enough

MAX_COMMON_ROWS = 5_000  # real rows with which questions are compared, so that what is alike by nature is no copy


@dataclass(frozen=True)
class Match:
    """A question in a row, and by which rule it was found.

    rule: "same", the whole text; "passage", a run of words; "edited", a copy with some words changed; "paraphrased".
    passage: the run of words. similarity: of a reworded copy, from 0 to 1.
    """

    question: Question
    rule: str
    passage: str = ""
    similarity: float = 1.0

    @property
    def is_reworded(self) -> bool:
        return self.rule in ("edited", "paraphrased")

    @property
    def rule_in_words(self) -> str:
        """How a reworded copy was found; "" for one word for word."""
        if self.rule == "edited":
            return f"{self.similarity:.0%} of its words in their order"
        return f"similarity {self.similarity:.2f}" if self.rule == "paraphrased" else ""

    @property
    def reason(self) -> str:
        """The match in words."""
        name = self.question.name
        if self.rule == "passage":
            return f"shares {self.passage!r} with {'the prompt of ' if name.startswith('held-out') else ''}{name}"
        if self.is_reworded:
            copy = "an edited copy" if self.rule == "edited" else "a paraphrase"
            return f"{copy} of {name}: {self.rule_in_words}"
        return f"same problem as {name}"


@dataclass
class Text:
    """A text of a row, read once for all rules."""

    text: str
    tokens: Sequence[str]
    _features: Features | None = None

    @classmethod
    def of(cls, text: str) -> Text:
        return cls(text, tokenize(text))

    @property
    def features(self) -> Features:
        """Its content words, found once; cached_property has a lock, which a fork may find taken for ever."""
        if self._features is None:
            self._features = features(self.text, self.tokens)
        return self._features


class RewordedQuestions:
    """Questions to be found in other words."""

    def __init__(self, questions: Sequence[Question], common: Iterable[Sequence[str]] = ()) -> None:
        self._questions = questions
        self._index = RewordedIndex([question.text for question in questions], common)

    def match(self, texts: Iterable[Text]) -> Match | None:
        """The question that the first of these texts rewords that rewords any; None where there is none."""
        for text in texts:
            if match := self._index.find(text.features):
                return Match(self._questions[match.question], match.kind, similarity=match.similarity)
        return None


class Matcher:
    """All questions, indexed so that millions of rows can be searched."""

    def __init__(self, questions: Sequence[Question], common: Iterable[Row] = (), *, reworded: bool = True) -> None:
        """common: rows that are no copies; the phrases that they have identify no question. reworded: search for
        questions in other words, too; of documents only the words themselves are searched for."""
        self._verbatim = VerbatimIndex()
        for benchmark, own in by_benchmark(questions).items():
            self._verbatim.add(own, group=benchmark != HELD_OUT)
        self._verbatim.ignore(text for row in common for text in (row.prompt, row.answer))
        without_documents = [question for question in questions if not question.is_document]
        searched = reworded and any(is_long_enough(question.text) for question in without_documents)
        self._reworded = RewordedQuestions(without_documents, _sampled(common)) if searched else None

    def match(self, row: Row) -> Match | None:
        """The first question that the row's prompt or answer has; None where there is none."""
        normalized = [(text, normal(text)) for text in (row.prompt, row.answer) if text]
        for question in self._verbatim.same(bare_of_normal(normalized[0][1]) if normalized else "").values():
            return Match(question, "same")
        texts = [Text(text, tokens_of_normal(form)) for text, form in normalized]
        for text in texts:
            for run, owners in self._verbatim.within(text.tokens):
                return Match(next(iter(owners.values())), "passage", run)
        return self._reworded.match(texts) if self._reworded else None


def _sampled(rows: Iterable[Row]) -> Iterable[tuple[str, str]]:
    """The texts of at most MAX_COMMON_ROWS rows, from first to last."""
    count = len(rows) if isinstance(rows, Sequence) else sum(1 for _ in rows)
    step = max(1, -(-count // MAX_COMMON_ROWS))
    return ((row.prompt, row.answer) for row in islice(rows, 0, None, step))
