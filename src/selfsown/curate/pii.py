"""Reject rows with personal data (PII) of a recognizable form: e-mail addresses, telephone, card, account and social
security numbers.

Names have no such form; `personal_names` finds full ones. Postal addresses have none either; a judge may find them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfsown.records import Row
from selfsown.text.personal_data import KIND_NAMES, KINDS, Kind, find_personal_data

STREAMS = True


def curate(rows: Iterable[Row], *, kinds: tuple[Kind, ...] = KINDS) -> Iterator[Row]:
    """Search prompt, answer and metadata; the reason does not repeat what was found.

    kinds: the kinds of personal data to look for. Reserved examples (addresses at example.com and similar, numbers with
    555-01) are not personal data.
    """
    for row in rows:
        parts = {"prompt": row.prompt, "answer": row.answer, **row.metadata}
        spans = ((part, span.kind) for part, text in parts.items() for span in find_personal_data(text, kinds))
        part, kind = next(spans, ("", "email"))
        yield row.rejected(f"pii: its {part} has {KIND_NAMES[kind]} ({kind})") if part else row
