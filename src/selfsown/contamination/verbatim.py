"""Questions that stand word for word in other texts: as a whole, or by a run of words that identifies them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from selfsown.contamination.questions import Question
from selfsown.text.near_duplicates import near_duplicate_groups
from selfsown.text.overlap import MAX_SHARING_TEXTS, Passages, bare, runs, tokenize

ByBenchmark = dict[str, Question]


class VerbatimIndex:
    """The questions of benchmarks, of which none changes how another is found."""

    def __init__(self) -> None:
        self._by_text: dict[str, ByBenchmark] = {}
        self._by_run: dict[str, ByBenchmark] = {}
        self._whole = set[str]()  # runs that are all words of a short question
        self._passages = Passages()

    def add(self, questions: Sequence[Question], *, group: bool) -> int:
        """Index a benchmark; the number of its questions that are found as a whole only.

        A run of words that many of its questions have is boilerplate, and identifies none of them. group: nearly equal
        questions count as one there, so that a benchmark may hold a question several times.
        """
        runs_of = [self._runs(question.text) for question in questions]
        sharing = _sharing_texts(questions, runs_of, group)
        without = 0
        for question, own in zip(questions, runs_of, strict=True):
            self._by_text.setdefault(bare(question.text), {}).setdefault(question.benchmark, question)
            distinctive = [run for run in own if all(sharing[part] <= MAX_SHARING_TEXTS for part in self._parts(run))]
            without += not distinctive
            for run in distinctive:
                self._by_run.setdefault(run, {}).setdefault(question.benchmark, question)
                self._passages.add(run)
        return without

    def _runs(self, text: str) -> list[str]:
        tokens = tokenize(text)
        own = runs(tokens)
        if len(own) == 1 and own[0] == " ".join(tokens):
            self._whole.add(own[0])
        return list(dict.fromkeys(own))

    def _parts(self, run: str) -> tuple[str, ...]:
        """The parts of a run that must not be common phrases: the run itself, and in a longer text also the run without
        its first or its last word (one more word does not make a common phrase specific)."""
        return (run,) if run in self._whole else (run, *_inner(run))

    def ignore(self, texts: Iterable[str]) -> None:
        """Runs of words that these texts have, too, identify no question."""
        if not self._by_run:
            return
        candidates = Passages(part for run in self._by_run for part in self._parts(run))
        known = {part for text in texts for part in candidates.within(tokenize(text))}
        if known:
            self._by_run = {
                run: owners for run, owners in self._by_run.items() if not known.intersection(self._parts(run))
            }
            self._passages = Passages(self._by_run)

    def same(self, bare_text: str) -> ByBenchmark:
        """The questions that are this text. bare_text: in the form that `bare` returns."""
        return self._by_text.get(bare_text, {})

    def within(self, tokens: Sequence[str]) -> Iterator[tuple[str, ByBenchmark]]:
        """Each run of words that a question and these tokens have, with its questions."""
        for run in self._passages.within(tokens):
            yield run, self._by_run[run]


def _inner(run: str) -> tuple[str, str]:
    return run.split(" ", 1)[1], run.rsplit(" ", 1)[0]


def _sharing_texts(questions: Sequence[Question], runs_of: Sequence[list[str]], group: bool) -> Counter[str]:
    """In how many different questions each run is, also without its first or its last word."""
    texts: dict[str, list[str]] = {question.text: own for question, own in zip(questions, runs_of, strict=True)}
    sharing = _counted(map(set, texts.values()))
    if group and any(count > MAX_SHARING_TEXTS for count in sharing.values()):
        grouped: dict[int, set[str]] = {}
        for number, own in zip(near_duplicate_groups(list(texts)).tolist(), texts.values(), strict=True):
            grouped.setdefault(number, set()).update(own)
        sharing = _counted(grouped.values())
    return sharing


def _counted(runs_of: Iterable[set[str]]) -> Counter[str]:
    return Counter(part for own in runs_of for part in {part for run in own for part in (run, *_inner(run))})
