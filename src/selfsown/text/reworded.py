"""Find questions that were reworded: copies in which some words were changed, and paraphrases.

Texts are compared by their content words, cut to a few letters so that inflections agree, and by their numbers. A word
weighs the more the fewer texts have it (TF-IDF, Salton and Buckley 1988). An inverted index proposes a few questions
for a text; of a longer text the part is compared that is most like the question.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from selfsown.text.content_words import Features, features, is_number

Array = np.ndarray[Any, np.dtype[Any]]
Kind = Literal["edited", "paraphrased"]

MIN_FEATURES = 8  # distinct content words of a question whose paraphrases are found
MIN_DISTINCTIVE = 4  # shared words that few questions have
SHORT_FEATURES = 4  # of a shorter question, of which only whole texts are edited copies: they have the same numbers,
SHORT_DISTINCTIVE = 3
SHORT_MIN_OWN = 0.5  # and this share of their own weight is the question's
MIN_COSINE = 0.5  # of a paraphrase
FEW_TEXTS, FEW_TEXTS_EXTRA = 100, 0.15  # of fewer texts it is not known which words are rare: more must agree
MIN_PART_COSINE = 0.6  # of a paraphrase within a longer text: the most similar of many parts is similar by chance, too
MIN_IN_ORDER = 0.75  # of the question's weight, in the order of the question: an edited copy
MIN_NUMBERS = 0.6  # share of the question's numbers that the text has, too: other numbers make another problem
MIN_NUMBERS_JACCARD = 0.4  # of a paraphrase: similarity of both sets of numbers
MARGIN = 0.1  # by which a text must be nearer to a question than any common text is
MAX_CEILING = 0.9  # nearer than that is a copy, whatever common texts are like
NUMBER_WEIGHT = 1.5
_SIEVE = 0.35  # share of the weight of a question's rarer words that a candidate has
_CANDIDATES = 4  # of a text, at most
_RARE_SHARE, _RARE_TEXTS = 0.05, 20  # words that more questions have are not searched for
_WINDOW = (1.0, 1.6)  # lengths of parts of a longer text, relative to the question


def is_long_enough(question: str) -> bool:
    """Whether a question has enough content words to be found in other words."""
    return len(set(features(question))) >= SHORT_FEATURES


@dataclass(frozen=True)
class Reworded:
    """The question (its number) that a text rewords; similarity: from 0 to 1."""

    question: int
    kind: Kind
    similarity: float


@dataclass(frozen=True)
class _Question:
    ordered: Features
    distinct: frozenset[str]
    numbers: frozenset[str]
    weight: float  # the sum of its features' weights


class RewordedIndex:
    """Questions, to be found in other texts by their content words."""

    def __init__(self, questions: Sequence[str], common: Iterable[Sequence[str]] = ()) -> None:
        """common: the texts of rows that are no copies, a row at a time; words that many of them have weigh little, and
        a question is only found where a text is nearer to it than any of them."""
        listed = [features(text) for text in questions]
        others = [[features(text) for text in texts] for texts in common]
        counts = Counter(feature for ordered in listed for feature in set(ordered))
        all_counts = counts + Counter(feature for row in others for feature in {part for text in row for part in text})
        texts = len(listed) + len(others)
        self._extra = FEW_TEXTS_EXTRA if texts < FEW_TEXTS else 0.0
        self._log_texts = math.log(max(texts, FEW_TEXTS) + 1)
        self._weights = {feature: self._weight(feature, count) for feature, count in all_counts.items()}
        self._questions = [self._question(ordered) for ordered in listed]
        rare = max(_RARE_TEXTS, _RARE_SHARE * len(listed))
        self._distinctive = {feature for feature, count in counts.items() if count <= rare}
        self._index(rare, counts)
        self._ceilings: dict[int, float] = {}
        for row in others:
            for ordered in row:
                for match in self._matches(ordered):
                    nearest = max(self._ceilings.get(match.question, 0.0), match.similarity + MARGIN)
                    self._ceilings[match.question] = min(MAX_CEILING, nearest)

    def _weight(self, feature: str, count: float) -> float:
        weight = (self._log_texts - math.log(count + 0.5)) * (NUMBER_WEIGHT if is_number(feature) else 1.0)
        return max(0.0, weight) ** 2

    def _question(self, ordered: Features) -> _Question:
        distinct = frozenset(ordered)
        return _Question(ordered, distinct, frozenset(filter(is_number, distinct)), self.weight(distinct))

    def weight(self, distinct: Iterable[str]) -> float:
        """The sum of the weights of these features."""
        unknown = self._unknown
        return sum(self._weights.get(feature, unknown) for feature in distinct)

    @property
    def _unknown(self) -> float:
        """The weight of a word that no known text has."""
        return (self._log_texts + math.log(2)) ** 2

    def _index(self, rare: float, counts: Counter[str]) -> None:
        """The questions that are long enough, by their rarer words; and the weight of these words in each question."""
        postings: dict[str, list[int]] = defaultdict(list)
        self._thresholds = np.full(len(self._questions), np.inf)
        for number, question in enumerate(self._questions):
            if len(question.distinct) >= SHORT_FEATURES:
                own = [feature for feature in question.distinct if feature in self._distinctive]
                for feature in own:
                    postings[feature].append(number)
                self._thresholds[number] = _SIEVE * self.weight(own) or np.inf
        self._postings = {
            feature: (np.asarray(numbers), np.full(len(numbers), self._weights[feature]))
            for feature, numbers in postings.items()
        }

    def find(self, ordered: Features) -> Reworded | None:
        """The question that a text with these features rewords, the most similar one; None where there is none."""
        matches = [
            match for match in self._matches(ordered) if match.similarity > self._ceilings.get(match.question, 0)
        ]
        return max(matches, key=lambda match: match.similarity, default=None)

    def _matches(self, ordered: Features) -> Iterator[Reworded]:
        distinct = set(ordered)
        if len(distinct) < SHORT_DISTINCTIVE or not self._postings:
            return
        lists = list(filter(None, map(self._postings.get, distinct)))
        if len(lists) < SHORT_DISTINCTIVE:
            return
        numbers = np.concatenate([posting for posting, _ in lists])
        weights = np.concatenate([weight for _, weight in lists])
        sums = np.bincount(numbers, weights, len(self._questions))
        candidates = np.flatnonzero(sums >= self._thresholds)
        if len(candidates) > _CANDIDATES:
            shares = sums[candidates] / self._thresholds[candidates]
            candidates = candidates[np.argsort(-shares, kind="stable")[:_CANDIDATES]]
        for number in candidates.tolist():
            if match := self._compare(number, ordered, distinct):
                yield match

    def _compare(self, number: int, ordered: Features, distinct: Set[str]) -> Reworded | None:
        question = self._questions[number]
        if len(question.distinct) < MIN_FEATURES:
            return self._compare_short(number, ordered)
        min_cosine = MIN_COSINE if len(ordered) <= _WINDOW[1] * len(question.ordered) else MIN_PART_COSINE
        min_cosine += self._extra
        # A part has no more of the question than the whole text, and its cosine is at most the root of that share.
        if not self._can_match(question, distinct, min_cosine * min_cosine):
            return None
        parts = self._parts(question, ordered)
        matches = [match for part in parts if (match := self._compare_part(number, part, min_cosine))]
        return max(matches, key=lambda match: match.similarity, default=None)

    def _can_match(self, question: _Question, distinct: Set[str], min_share: float) -> bool:
        """Whether a text has enough words and numbers of the question. min_share: of the question's weight."""
        shared = distinct & question.distinct
        return (
            len(question.numbers & distinct) >= MIN_NUMBERS * len(question.numbers)
            and len(shared & self._distinctive) >= MIN_DISTINCTIVE
            and self.weight(shared) >= min_share * question.weight
        )

    def _compare_part(self, number: int, part: Features, min_cosine: float) -> Reworded | None:
        question, distinct = self._questions[number], set(part)
        if not self._can_match(question, distinct, 0.0):
            return None
        weight = self.weight(distinct & question.distinct)
        if edited := self._edited(number, part, weight):
            return edited
        cosine = weight / math.sqrt(question.weight * self.weight(distinct))
        if cosine < min_cosine or not self._numbers_agree(question, distinct):
            return None
        return Reworded(number, "paraphrased", cosine)

    def _compare_short(self, number: int, whole: Features) -> Reworded | None:
        question, distinct = self._questions[number], set(whole)
        shared = distinct & question.distinct
        if len(shared & self._distinctive) < SHORT_DISTINCTIVE or question.numbers != set(filter(is_number, distinct)):
            return None
        weight = self.weight(shared)
        if weight < SHORT_MIN_OWN * self.weight(distinct):
            return None
        return self._edited(number, whole, weight)

    def _edited(self, number: int, part: Features, shared_weight: float) -> Reworded | None:
        """A match if enough of the question is there in its order. shared_weight: of its words there in any order."""
        question = self._questions[number]
        if shared_weight < MIN_IN_ORDER * question.weight:
            return None
        in_order = self._in_order(question, part) / question.weight
        return Reworded(number, "edited", in_order) if in_order >= MIN_IN_ORDER else None

    @staticmethod
    def _numbers_agree(question: _Question, distinct: Iterable[str]) -> bool:
        numbers = set(filter(is_number, distinct))
        return len(numbers & question.numbers) >= MIN_NUMBERS_JACCARD * len(numbers | question.numbers)

    def _parts(self, question: _Question, ordered: Features) -> Iterable[Features]:
        """The text, and of a longer one the parts of about the question's length with most of its weight."""
        size = len(question.ordered)
        if len(ordered) <= _WINDOW[1] * size:
            return [ordered]
        hits = np.array([self._weights[word] if word in question.distinct else 0.0 for word in ordered])
        sums = np.concatenate([[0.0], np.cumsum(hits)])
        parts = []
        for relative in _WINDOW:
            length = min(len(ordered), round(relative * size))
            start = int(np.argmax(sums[length:] - sums[:-length]))
            parts.append(ordered[start : start + length])
        return parts

    def _in_order(self, question: _Question, part: Features) -> float:
        """The weight of the longest common subsequence, the heaviest one; repeated words weigh once."""
        row = [0.0] * (len(part) + 1)
        seen = set[str]()
        for feature in question.ordered:
            weight = 0.0 if feature in seen else self._weights[feature]
            seen.add(feature)
            diagonal = 0.0
            for column, other in enumerate(part, 1):
                above = row[column]
                row[column] = diagonal + weight if other == feature else max(above, row[column - 1])
                diagonal = above
        return row[-1]
