"""Remove near-duplicates: of similar rows, the one with the highest quality times difficulty stays.

After the semantic deduplication of Llama 3 (section 4.2.3): sort by quality times difficulty, keep what is unlike
everything kept so far. Llama 3 compares RoBERTa embeddings within clusters; this finds candidates by MinHash and
compares them by character n-grams with TF-IDF weights, without a model.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from selfsown.option_types import Count, Share
from selfsown.ranking import Ranking
from selfsown.records import Row
from selfsown.text.near_rows import near_duplicates
from selfsown.text.stored_texts import ReorderedTexts, StoredTexts

REREADS = True


def curate(
    rows: Collection[Row],
    real: Sequence[Row],
    past: Sequence[Row],
    seed: int,
    *,
    max_similarity: Share = 0.85,
    difficulty_key: str = "",
    ngram_size: Count = 3,
) -> Iterator[Row]:
    """Reject a row if its cosine with a real row, an earlier generation's or a better one is `max_similarity` or more,
    for prompts and for answers.

    If two rows begin with the same header, such as a list of tools, what follows must be similar as well. Answers of
    fewer than 13 words are near-duplicates only if their words are the same.

    max_similarity: cosine from which rows count as near-duplicates.
    difficulty_key: metadata field with the difficulty as a number; without it, the row's level. The better row is the
    one with the higher score times difficulty, ties broken at random.
    ngram_size: characters of an n-gram.
    """
    known, ids, ranking = len(real) + len(past), array("Q"), Ranking(seed)
    ranked = _ranked(rows, ranking, difficulty_key)
    with StoredTexts(_texts(chain(real, past, ranked), ids)) as stored:
        order = array("Q", [*range(known), *(known + ranking.best_first()).tolist()])
        twins, cosines = np.full(len(ids), -1), np.zeros(len(ids))
        best_first = ReorderedTexts(stored, order)
        for one, other, cosine in near_duplicates(best_first, known, max_similarity, ngram_size):
            twins[order[other]], cosines[order[other]] = order[one], cosine
    for row, twin, cosine in zip(rows, twins[known:], cosines[known:], strict=True):
        preferred = ", which is preferred" if twin >= known else ""
        reason = f"dedup_near: cosine {cosine:.2f} with row {ids[twin]:016x}{preferred}"
        yield row if twin < 0 else row.rejected(reason)


def _ranked(rows: Iterable[Row], ranking: Ranking, difficulty_key: str) -> Iterator[Row]:
    """The rows, which the ranking gets, too."""
    for row in rows:
        ranking.add(row, _priority(row, difficulty_key))
        yield row


def _texts(rows: Iterable[Row], ids: array[int]) -> Iterator[tuple[str, str]]:
    """The texts of the rows, whose ids the array gets."""
    for row in rows:
        ids.append(int(row.id, 16))
        yield row.prompt, row.answer


def _priority(row: Row, difficulty_key: str) -> float:
    """Score times difficulty; the score alone if the difficulty is unknown."""
    try:
        return row.score * (float(row.metadata[difficulty_key]) if difficulty_key else row.level or 1)
    except (KeyError, ValueError):
        return row.score
