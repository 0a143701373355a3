"""Reject rows that have credentials: API keys, tokens, private keys, and passwords in links or assignments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from selfsown.errors import RecipeError
from selfsown.records import Row
from selfsown.text.secrets import find_secrets

STREAMS = True


def curate(rows: Iterable[Row], *, ignore: tuple[str, ...] = ()) -> Iterator[Row]:
    """Search prompt, answer and metadata; the reason names the kind and does not repeat what was found. Hashes, UUIDs,
    checksums, encoded images, public keys and placeholders (YOUR_API_KEY, user:password@example.com) are no secrets.

    ignore: kinds to leave, as the reasons name them, such as JSON Web Token.

    By the detectors of the package detect-secrets, without its verification, so nothing is sent anywhere, and rules for
    keys of newer services. RecipeError where it is not installed.
    """
    if not find_spec("detect_secrets"):
        raise RecipeError(
            "curate.secrets needs the package detect-secrets, which is not installed: pip install 'selfsown[curation]'"
        )
    for row in rows:
        parts = {"prompt": row.prompt, "answer": row.answer, **row.metadata}
        kinds = ((part, kind) for part, text in parts.items() for kind in find_secrets(text) if kind not in ignore)
        part, kind = next(kinds, ("", ""))
        yield row.rejected(f"secrets: its {part} has a secret ({kind})") if part else row
