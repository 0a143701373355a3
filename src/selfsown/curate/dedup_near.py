"""Remove near-duplicates: of similar rows, the one with the highest quality times difficulty stays.

After the semantic deduplication of Llama 3 (section 4.2.3): sort by quality times difficulty, keep what is unlike
everything kept so far. Llama 3 compares RoBERTa embeddings within clusters; this finds candidates by MinHash and
compares them by character n-grams with TF-IDF weights, without a model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from selfsown.option_types import Count, Share
from selfsown.records import Row
from selfsown.text.near_rows import near_duplicates


def curate(
    rows: Sequence[Row],
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
    known = [*real, *past]
    chance = {row.id: hashlib.sha256(f"{seed} {row.id}".encode()).digest() for row in rows}
    order = [*known, *sorted(rows, key=lambda row: (-_priority(row, difficulty_key), chance[row.id]))]
    near: dict[str, str] = {}
    texts = [(row.prompt, row.answer) for row in order]
    for one, other, cosine in near_duplicates(texts, len(known), max_similarity, ngram_size):
        preferred = "" if one < len(known) else ", which is preferred"
        near[order[other].id] = f"dedup_near: cosine {cosine:.2f} with row {order[one].id}{preferred}"
    for row in rows:
        yield row.rejected(near[row.id]) if row.id in near else row


def _priority(row: Row, difficulty_key: str) -> float:
    """Score times difficulty; the score alone if the difficulty is unknown."""
    try:
        return row.score * (float(row.metadata[difficulty_key]) if difficulty_key else row.level or 1)
    except (KeyError, ValueError):
        return row.score
