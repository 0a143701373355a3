"""Remove rows that overlap held-out rows (decontamination): the same problem, or a run of the same words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from selfsown.option_types import Natural, Share
from selfsown.records import Row
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY
from selfsown.text.near_duplicates import NearDuplicateIndex
from selfsown.text.normalize import words
from selfsown.text.overlap import MAX_SHARING_TEXTS, Passages, bare, runs, tokenize

STREAMS = True

SHORT_NGRAM = 7  # words; texts that overlap share many of these

NgramIndex = dict[tuple[str, ...], list[int]]  # for each n-gram of words, the indices of the held-out rows that have it


def curate(
    rows: Iterable[Row],
    real: Sequence[Row],
    held_out: Sequence[Row],
    *,
    ngram_size: Natural = 0,
    min_overlap: Share = 1.0,
    near_copies: bool = False,
) -> Iterator[Row]:
    """Reject rows that overlap a held-out row.

    Always: its problem or prompt is that of a held-out row, ignoring final punctuation; or its prompt or answer
    contains 13 consecutive words of a held-out prompt (of a document: of its text), or all of a prompt of 5 to 12
    words. Phrases that occur in the real training rows, or in more than ten held-out rows, do not count, nor does such
    a phrase with one more word at either end. Sentences that pose constraints (real: instructions) do not count.
    ngram_size: also if it shares that many consecutive words with a held-out prompt or answer, unless the real rows
    have them too, all or all but one; 0 is off.
    min_overlap: below 1, also if it shares more than this share of 7-word n-grams with a held-out row, relative to
    the shorter of the two.
    near_copies: also if prompt and answer together are a near duplicate of those of a held-out row (80 % of their runs
    of five characters are the same), unless that row is one of a real row, too.
    """
    problems = {key: row.id for row in held_out for key in (row.key, bare(row.prompt or row.answer))}
    passages, owners = _passages(held_out, real)
    long = _ngram_index(held_out, ngram_size, real) if ngram_size else {}
    short = _ngram_index(held_out, SHORT_NGRAM, real) if min_overlap < 1 else {}
    copies = _near_index(held_out, real) if near_copies else None
    sizes = Counter(index for holders in short.values() for index in holders)
    for row in rows:
        known = problems.get(row.key) or problems.get(bare(row.prompt or row.answer))
        reason = f"same problem as held-out row {known}" if known else _shared_passage(row, passages, owners)
        reason = reason or _shared_ngram(row, ngram_size, long, held_out)
        reason = reason or _overlap(row, min_overlap, short, sizes, held_out)
        if not reason and copies and (twin := copies.near(_whole(row))):
            reason = f"nearly the text of held-out row {twin}"
        yield row.rejected(f"decontaminate: {reason}") if reason else row


def _request(row: Row) -> str:
    """The prompt, without sentences that pose constraints on how to answer: prompts about anything share those."""
    return row.problem if row.problem and CONSTRAINTS_KEY in row.metadata else row.prompt


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


def _passages(held_out: Sequence[Row], common: Sequence[Row]) -> tuple[Passages, dict[str, str]]:
    """The runs of words of held-out rows, without phrases that real rows or many held-out ones have; and the id of the
    first row that has each."""
    texts = {_request(row) or row.answer: row.id for row in reversed(held_out)}
    phrases = {row_id: _phrases(tokenize(text)) for text, row_id in reversed(texts.items())}
    shared = Counter(part for runs_of in phrases.values() for part in set().union(*runs_of.values()))
    kept = {
        run: (row_id, parts)
        for row_id, runs_of in reversed(phrases.items())
        for run, parts in runs_of.items()
        if all(shared[part] <= MAX_SHARING_TEXTS for part in parts)
    }
    candidates = Passages(part for _, parts in kept.values() for part in parts)
    known = set[str]()
    for row in common if kept else ():
        known.update(part for text in (row.prompt, row.answer) for part in candidates.within(tokenize(text)))
    owners = {run: row_id for run, (row_id, parts) in kept.items() if not known & parts}
    return Passages(owners), owners


def _phrases(tokens: Sequence[str]) -> dict[str, set[str]]:
    """Each run of words to look for, with the parts that must not be common phrases: the run itself, and in a longer
    text also the run without its first or its last word (one more word does not make a common phrase specific)."""
    whole = " ".join(tokens)
    phrases: dict[str, set[str]] = {}
    for run in runs(tokens):
        inner = () if run == whole else (run.split(" ", 1)[1], run.rsplit(" ", 1)[0])
        phrases[run] = {run, *inner}
    return phrases


def _shared_passage(row: Row, passages: Passages, owners: Mapping[str, str]) -> str:
    texts = (row.prompt, row.answer) if owners else ()
    run = next((run for text in texts for run in passages.within(tokenize(text))), "")
    return f"shares {run!r} with the prompt of held-out row {owners[run]}" if run else ""


def _ngrams(row: Row, size: int) -> set[tuple[str, ...]]:
    """All n-grams of words in its prompt and in its answer."""
    texts = [words(_request(row)), words(row.answer)]
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


def _shared_ngram(row: Row, size: int, index: NgramIndex, held_out: Sequence[Row]) -> str:
    match = min(_ngrams(row, size) & index.keys(), default=()) if index else ()
    return f"shares {' '.join(match)!r} with held-out row {held_out[index[match][0]].id}" if match else ""


def _overlap(row: Row, max_share: float, index: NgramIndex, sizes: Counter[int], held_out: Sequence[Row]) -> str:
    own = _ngrams(row, SHORT_NGRAM) if index else set()
    shared = Counter(number for ngram in own & index.keys() for number in index[ngram])
    for number, count in shared.items():
        share = count / min(len(own), sizes[number])
        if share > max_share:
            return f"shares {share:.0%} of its {SHORT_NGRAM}-word n-grams with held-out row {held_out[number].id}"
    return ""
