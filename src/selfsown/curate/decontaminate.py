"""Keep the examination out of the lessons: a row about a held-out problem, or with a run of its words, is rejected."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from selfsown.option_types import Natural, Share
from selfsown.records import Row
from selfsown.text.normalize import words
from selfsown.text.overlap import COMMON, Passages, bare, runs, tokenize

STREAMS = True

SHORT = 7  # words in a row, of which texts have many in common before they have `ngram`

Grams = dict[tuple[str, ...], list[int]]  # which of the held-out rows have it


def curate(
    rows: Iterable[Row],
    real: Sequence[Row],
    held_out: Sequence[Row],
    *,
    ngram_size: Natural = 0,
    min_overlap: Share = 1.0,
) -> Iterator[Row]:
    """A row leaks if its problem or prompt is a held-out one, whatever ends it, or if its prompt or answer has thirteen
    words in a row of a held-out prompt (of a document, its text), or all of a shorter one of five words or more; runs
    that real rows to learn from or more than ten held-out rows have, too, all or all but a word at an end, do not
    count. With `ngram`, it also leaks if it has that many words in a row of a held-out prompt or answer, but for those
    that real rows have too, all or all but one. With a `share` below 1, it also leaks if it has more than this share of
    the seven-word runs of a held-out row, or of its own, whichever are fewer."""
    examined = {key: row.id for row in held_out for key in (row.key, bare(row.prompt or row.answer))}
    passages, askers = _passages(held_out, real)
    long = _grams(held_out, ngram_size, real) if ngram_size else {}
    short = _grams(held_out, SHORT, real) if min_overlap < 1 else {}
    sizes = Counter(at for holders in short.values() for at in holders)
    for row in rows:
        known = examined.get(row.key) or examined.get(bare(row.prompt or row.answer))
        reason = f"its problem is held-out row {known}" if known else _passage(row, passages, askers)
        reason = reason or _run(row, ngram_size, long, held_out) or _near(row, min_overlap, short, sizes, held_out)
        yield row.rejected(f"leaks: {reason}") if reason else row


def _passages(held_out: Sequence[Row], common: Sequence[Row]) -> tuple[Passages, dict[str, str]]:
    """The runs of words of what is held out, but for phrases that real rows or many held-out ones have; and the first
    row that has each."""
    asked = {row.prompt or row.answer: row.id for row in reversed(held_out)}
    found = {number: _phrases(tokenize(text)) for text, number in reversed(asked.items())}
    shared = Counter(phrase for phrases in found.values() for phrase in set().union(*phrases.values()))
    kept = {
        run: (number, parts)
        for number, phrases in reversed(found.items())
        for run, parts in phrases.items()
        if all(shared[part] <= COMMON for part in parts)
    }
    looked_for, known = Passages(part for _, parts in kept.values() for part in parts), set[str]()
    for row in common if kept else ():
        known.update(part for text in (row.prompt, row.answer) for part in looked_for.within(tokenize(text)))
    askers = {run: number for run, (number, parts) in kept.items() if not known & parts}
    return Passages(askers), askers


def _phrases(tokens: Sequence[str]) -> dict[str, set[str]]:
    """Each run that is looked for of a text, with what must not be a common phrase: the run, and of a longer text also
    all of the run but its first or its last word, for one word beside a phrase makes no other of it."""
    whole, found = " ".join(tokens), dict[str, set[str]]()
    for run in runs(tokens):
        inner = () if run == whole else (run.split(" ", 1)[1], run.rsplit(" ", 1)[0])
        found[run] = {run, *inner}
    return found


def _passage(row: Row, passages: Passages, askers: Mapping[str, str]) -> str:
    texts = (row.prompt, row.answer) if askers else ()
    run = next((run for text in texts for run in passages.within(tokenize(text))), "")
    return f"held-out row {askers[run]} asks {run!r}, too" if run else ""


def _runs(row: Row, size: int) -> set[tuple[str, ...]]:
    """All runs of so many words, of its prompt or of its answer."""
    texts = [words(row.prompt), words(row.answer)]
    return {tuple(text[at : at + size]) for text in texts for at in range(len(text) - size + 1)}


def _grams(held_out: Sequence[Row], size: int, common: Sequence[Row]) -> Grams:
    found: Grams = defaultdict(list)
    for at, row in enumerate(held_out):
        for gram in _runs(row, size):
            found[gram].append(at)
    parts = {part for gram in found for part in (gram[1:], gram[:-1])}
    known = {part for row in common for part in _runs(row, max(1, size - 1)) & parts}
    return {gram: holders for gram, holders in found.items() if not known & {gram[1:], gram[:-1]}}


def _run(row: Row, size: int, grams: Grams, held_out: Sequence[Row]) -> str:
    met = min(_runs(row, size) & grams.keys(), default=()) if grams else ()
    return f"held-out row {held_out[grams[met][0]].id} says {' '.join(met)!r}, too" if met else ""


def _near(row: Row, share: float, grams: Grams, sizes: Counter[int], held_out: Sequence[Row]) -> str:
    own = _runs(row, SHORT) if grams else set()
    shared = Counter(at for gram in own & grams.keys() for at in grams[gram])
    for at, count in shared.items():
        part = count / min(len(own), sizes[at])
        if part > share:
            return f"{part:.0%} of its runs of {SHORT} words stand in held-out row {held_out[at].id}"
    return ""
