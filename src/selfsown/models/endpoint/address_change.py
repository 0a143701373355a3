"""A server at a new address: its replies are in the journal, but are requested again unless `identity` is set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit, urlunsplit

from selfsown.usage.journal import Journal

_log = logging.getLogger(__name__)
_checked = set[tuple[object, ...]]()


def warn_of_former_address(
    journal: Journal, recipe_key: str, url: str, model: str, keys: Callable[[str], Collection[str]]
) -> None:
    """Log, once for each recipe key and URL, whether the journal has replies of this model at another address.

    recipe_key: of the model. keys: returns the keys of this call's requests under another identity.
    """
    call = journal.path, recipe_key, url, model
    if call in _checked:
        return
    _checked.add(call)
    for former in _former(url, journal.hosts(model)):
        if count := len(journal.read(list(keys(former)))):
            replies = f"{count:,} {'reply' if count == 1 else 'replies'} of the same model at another address"
            remedy = f"to use them: --set '{recipe_key}.identity={former}'"
            _log.warning("%s would match, but will be requested again; %s", replies, remedy)
            return


def _former(url: str, hosts: Collection[str]) -> Iterator[str]:
    """URLs that the server may have had: the same, except for the host, the scheme, or a trailing /."""
    parts = urlsplit(url)
    for host in hosts:
        for scheme in (parts.scheme, {"http": "https", "https": "http"}[parts.scheme]):
            for path in (parts.path, parts.path.rstrip("/") if parts.path.endswith("/") else parts.path + "/"):
                if (former := urlunsplit((scheme, host, path, parts.query, ""))) != url:
                    yield former
