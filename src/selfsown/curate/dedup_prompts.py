"""Remove rows whose prompt is too similar to an earlier one by ROUGE-L (Self-Instruct, Wang et al. 2023)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.rouge import RougeIndex

STREAMS = True


def curate(
    rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row], *, max_similarity: Share = 0.7
) -> Iterator[Row]:
    """Reject a row if the ROUGE-L of its prompt with an earlier one exceeds `max_similarity`.

    Earlier are the real rows, the past generations, and the rows kept so far; of documents, the texts are compared.
    For generators that write prompts: `sample` takes those of real rows, which would all be rejected.
    """
    index, ids = RougeIndex(min_similarity=max_similarity), list[str]()
    for row in chain(real, past):
        index.add(_text(row))
        ids.append(row.id)
    for row in rows:
        similarity, nearest = index.nearest(_text(row))
        if similarity:
            yield row.rejected(f"dedup_prompts: ROUGE-L {similarity:.2f} with {ids[nearest]}")
            continue
        index.add(_text(row))
        ids.append(row.id)
        yield row


def _text(row: Row) -> str:
    return row.prompt or row.answer
