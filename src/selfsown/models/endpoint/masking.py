"""The key, taken out of whatever a server says, also where it is escaped or cut."""

from __future__ import annotations

import re
from functools import lru_cache

MIN_SECRET_CHARS = 8  # characters: what is shorter than a key ever is may stand in any text
PREFIX_CHARS = 12  # characters of its beginning by which a cut key is known


def mask_secret(text: str, secret: str) -> str:
    """The text with [key] wherever it holds the secret, or the beginning of it."""
    if len(secret) < MIN_SECRET_CHARS:
        return text
    beginning, rest = _patterns(secret)
    parts, last = list[str](), 0
    for found in beginning.finditer(text):
        if found.start() >= last:
            parts += [text[last : found.start()], "[key]"]
            last = found.end()
            for pattern in rest:
                if not (more := pattern.match(text, last)):
                    break
                last = more.end()
    return "".join([*parts, text[last:]]) if parts else text


@lru_cache
def _patterns(secret: str) -> tuple[re.Pattern[str], tuple[re.Pattern[str], ...]]:
    """The secret's beginning, and each character of its rest, as JSON or an address may write them."""
    written = [
        each if each.isalnum() else rf"(?:\\?{re.escape(each)}|\\u00(?i:{ord(each):02x})|%(?i:{ord(each):02x}))"
        for each in secret
    ]
    return re.compile("".join(written[:PREFIX_CHARS])), tuple(map(re.compile, written[PREFIX_CHARS:]))
