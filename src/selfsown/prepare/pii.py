"""Remove rows with personal data (PII) of a recognizable form, or replace it: e-mail addresses, telephone, card,
account and social security numbers.

Names and postal addresses have no such form, and are not detected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selfsown.records import Row
from selfsown.rewriting import rewritten, texts
from selfsown.text.personal_data import KIND_NAMES, KINDS, Kind, find_personal_data

STREAMS = True


def prepare(rows: Iterable[Row], *, redact: bool = False, kinds: tuple[Kind, ...] = KINDS) -> Iterator[Row]:
    """Search prompt, answer and metadata, including each message of a chat. The reason does not repeat what was found.

    redact: replace each match by its kind, such as [EMAIL] or [PHONE], and keep the row.
    kinds: the kinds of personal data to look for.
    """

    def redacted(text: str) -> str:
        while spans := find_personal_data(text, kinds):  # repeat: a replacement may turn adjacent text into a match
            for span in reversed(spans):
                text = f"{text[: span.start]}[{span.kind.upper()}]{text[span.end :]}"
        return text

    for row in rows:
        if redact:
            yield rewritten(row, redacted, everywhere=True)
            continue
        matches = ((part, spans[0].kind) for part, text in texts(row) if (spans := find_personal_data(text, kinds)))
        part, kind = next(matches, ("", None))
        yield row.rejected(f"its {part} has {KIND_NAMES[kind]} ({kind})") if kind else row
