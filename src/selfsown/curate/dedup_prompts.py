"""Ask nothing nearly twice: a row is rejected if its prompt is too like one before it, by ROUGE-L (Self-Instruct)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.rouge import Told

STREAMS = True


def curate(
    rows: Iterable[Row], real: Sequence[Row], past: Sequence[Row], *, max_similarity: Share = 0.7
) -> Iterator[Row]:
    """Before it: real rows, earlier generations, and the rows that stayed so far. Of a document, its text is compared.

    It is for rows whose prompts are their own; those of `sample` are real ones, and would all be rejected.
    """
    told, ids = Told(least=max_similarity), list[str]()
    for row in chain(real, past):
        told.add(_said(row))
        ids.append(row.id)
    for row in rows:
        near, at = told.nearest(_said(row))
        if near:
            yield row.rejected(f"novel: its ROUGE-L with {ids[at]} is {near:.2f}")
            continue
        told.add(_said(row))
        ids.append(row.id)
        yield row


def _said(row: Row) -> str:
    return row.prompt or row.answer
