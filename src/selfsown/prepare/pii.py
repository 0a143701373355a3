"""Set aside rows with personal data known by its form, or replace it: e-mail addresses, telephone, card, account and
social security numbers.

Names and postal addresses have no form, and are not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfsown.records import Row
from selfsown.rewriting import rewritten, texts
from selfsown.text.personal_data import KINDS, NAMES, Kind, find

STREAMS = True


def prepare(rows: Iterable[Row], *, redact: bool = False, kinds: tuple[Kind, ...] = KINDS) -> Iterator[Row]:
    """Prompt, answer and traits are searched, each message of a chat among them. redact: replace each finding by its
    kind, such as [EMAIL] or [PHONE], and keep the row. The reason does not repeat what was found."""

    def redacted(text: str) -> str:
        while found := find(text, kinds):  # again, for what stood beside a finding may be one now
            for span in reversed(found):
                text = f"{text[: span.start]}[{span.kind.upper()}]{text[span.end :]}"
        return text

    for row in rows:
        if redact:
            yield rewritten(row, redacted, everywhere=True)
            continue
        found = ((part, spans[0].kind) for part, text in texts(row) if (spans := find(text, kinds)))
        part, kind = next(found, ("", None))
        yield row.rejected(f"its {part} has {NAMES[kind]} ({kind})") if kind else row
