"""Remove rows that overlap held-out rows or benchmarks (decontamination): the same problem, a run of the same words, an
edited copy or a paraphrase."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from selfsown.contamination.matcher import Matcher
from selfsown.contamination.questions import BenchmarkEntry, asked_question, held_out_questions, read_benchmarks
from selfsown.contamination.searching import searched
from selfsown.option_types import Natural, Share
from selfsown.records import Row
from selfsown.text.near_duplicates import NearDuplicateIndex
from selfsown.text.normalize import words
from selfsown.text.overlap import bare

STREAMS = True
DECONTAMINATES = True  # planted copies of questions measure it (calibration/decontamination.py)

SHORT_NGRAM = 7  # words; texts that overlap share many of these

NgramIndex = dict[tuple[str, ...], list[int]]  # for each n-gram of words, the indices of the held-out rows that have it


def curate(
    rows: Iterable[Row],
    real: Sequence[Row],
    held_out: Sequence[Row],
    *,
    against: tuple[BenchmarkEntry, ...] = (),
    paraphrases: bool = True,
    ngram_size: Natural = 0,
    min_overlap: Share = 1.0,
    near_copies: bool = False,
) -> Iterator[Row]:
    """Reject rows that overlap a held-out row, or a question of a benchmark.

    Always: its problem or prompt is that of a held-out row, ignoring final punctuation; or its prompt or answer
    contains 13 consecutive words of a held-out prompt (of a document: of its text), or all of a prompt of 5 to 12
    words. Phrases that occur in the real training rows, or in more than ten held-out rows, do not count, nor does such
    a phrase with one more word at either end. Sentences that pose constraints (real: instructions) do not count.
    against: benchmarks whose questions are searched for in the same way: files, folders or names of the datasets
    library, {lm_eval: TASK}, or {file: {path: FILE, prompt: COLUMN}}.
    paraphrases: also if prompt or answer is an edited copy or a paraphrase of a held-out prompt or a benchmark's
    question: it has most of its content words, and its numbers. What is as near to a real row does not count.
    ngram_size: also if it shares that many consecutive words with a held-out prompt or answer, unless the real rows
    have them too, all or all but one; 0 is off.
    min_overlap: below 1, also if it shares more than this share of 7-word n-grams with a held-out row, relative to
    the shorter of the two.
    near_copies: also if prompt and answer together are a near duplicate of those of a held-out row (80 % of their runs
    of five characters are the same), unless that row is one of a real row, too.

    A reason names the rule and the held-out row's id, or the question. DataError: a benchmark cannot be read.
    """
    problems = {key: row.id for row in held_out for key in (row.key, bare(row.prompt or row.answer))}
    benchmarks = [question for questions in read_benchmarks(against).values() for question in questions]
    matcher = Matcher([*held_out_questions(held_out), *benchmarks], real, reworded=paraphrases)
    overlap = _Overlap(held_out, real, ngram_size, min_overlap, near_copies)
    for row, reason in searched(rows, partial(_reason, problems, matcher, overlap)):
        yield row.rejected(f"decontaminate: {reason}") if reason else row


def _reason(problems: Mapping[str, str], matcher: Matcher, overlap: _Overlap, row: Row) -> str:
    """Why the row is rejected; "" where it is not. problems: ids of held-out rows, by their problems and prompts."""
    known = problems and (problems.get(row.key) or problems.get(bare(row.prompt or row.answer)))
    if known:
        return f"same problem as held-out row {known}"
    return match.reason if (match := matcher.match(row)) else overlap.reason(row)


class _Overlap:
    """The rules that are options: shared n-grams, a share of them, and near copies of whole rows."""

    def __init__(
        self, held_out: Sequence[Row], real: Sequence[Row], ngram_size: int, min_overlap: float, near_copies: bool
    ) -> None:
        self._ids = [row.id for row in held_out]
        self._ngram_size, self._min_overlap = ngram_size, min_overlap
        self._long = _ngram_index(held_out, ngram_size, real) if ngram_size else {}
        self._short = _ngram_index(held_out, SHORT_NGRAM, real) if min_overlap < 1 else {}
        self._sizes = Counter(index for holders in self._short.values() for index in holders)
        self._copies = _near_index(held_out, real) if near_copies else None

    def reason(self, row: Row) -> str:
        """Why the row is rejected; "" where it is not."""
        reason = _shared_ngram(row, self._ngram_size, self._long, self._ids) if self._long else ""
        if not reason and self._short:
            reason = _ngram_share(row, self._min_overlap, self._short, self._sizes, self._ids)
        if not reason and self._copies and (twin := self._copies.near(_whole(row))):
            reason = f"nearly the text of held-out row {twin}"
        return reason


def _whole(row: Row) -> str:
    return f"{row.prompt}\n{row.answer}"


def _near_index(held_out: Sequence[Row], common: Sequence[Row]) -> NearDuplicateIndex:
    """The held-out rows without those that real rows nearly repeat: such rows are alike by nature."""
    known, index = NearDuplicateIndex(), NearDuplicateIndex()
    for row in common:
        known.add(_whole(row), row.id)
    for row in held_out:
        if not known.near(_whole(row)):
            index.add(_whole(row), row.id)
    return index


def _ngrams(row: Row, size: int) -> set[tuple[str, ...]]:
    """All n-grams of words in its prompt and in its answer."""
    texts = [words(asked_question(row)), words(row.answer)]
    return {tuple(text[start : start + size]) for text in texts for start in range(len(text) - size + 1)}


def _ngram_index(held_out: Sequence[Row], size: int, common: Sequence[Row]) -> NgramIndex:
    """The n-grams of held-out rows, without those that real rows have, all or all but one word."""
    index: NgramIndex = defaultdict(list)
    for number, row in enumerate(held_out):
        for ngram in _ngrams(row, size):
            index[ngram].append(number)
    parts = {part for ngram in index for part in (ngram[1:], ngram[:-1])}
    known = {part for row in common for part in _ngrams(row, max(1, size - 1)) & parts}
    return {ngram: holders for ngram, holders in index.items() if not known & {ngram[1:], ngram[:-1]}}


def _shared_ngram(row: Row, size: int, index: NgramIndex, ids: Sequence[str]) -> str:
    match = min(_ngrams(row, size) & index.keys(), default=())
    return f"shares {' '.join(match)!r} with held-out row {ids[index[match][0]]}" if match else ""


def _ngram_share(row: Row, max_share: float, index: NgramIndex, sizes: Counter[int], ids: Sequence[str]) -> str:
    own = _ngrams(row, SHORT_NGRAM)
    shared = Counter(number for ngram in own & index.keys() for number in index[ngram])
    for number, count in shared.items():
        share = count / min(len(own), sizes[number])
        if share > max_share:
            return f"shares {share:.0%} of its {SHORT_NGRAM}-word n-grams with held-out row {ids[number]}"
    return ""
