"""Reject rows with personal data that is known by its form: e-mail addresses, telephone, card, account and social
security numbers.

Names and postal addresses have no form; a judge may find them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfsown.records import Row
from selfsown.text.personal_data import KINDS, NAMES, Kind, find

STREAMS = True


def curate(rows: Iterable[Row], *, kinds: tuple[Kind, ...] = KINDS) -> Iterator[Row]:
    """Prompt, answer and traits are searched; the reason does not repeat what was found. Addresses under example.com
    and its like, and numbers with 555-01, are nobody's."""
    for row in rows:
        parts = {"prompt": row.prompt, "answer": row.answer, **row.metadata}
        spans = ((part, span.kind) for part, text in parts.items() for span in find(text, kinds))
        part, kind = next(spans, ("", "email"))
        yield row.rejected(f"personal: its {part} has {NAMES[kind]} ({kind})") if part else row
