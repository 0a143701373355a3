"""A server that has another address than before: its replies are there, and are asked for again unless that is said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit, urlunsplit

from selfsown.usage.journal import Journal

_say = logging.getLogger(__name__)
_looked = set[tuple[object, ...]]()


def warn_of_former_address(
    journal: Journal, place: str, url: str, model: str, keys: Callable[[str], Collection[str]]
) -> None:
    """Say, once for each place and address, whether the journal has replies of this model at another address.

    place: of the model in the recipe; keys: those that the requests of this call would have under an identity.
    """
    looked = journal.path, place, url, model
    if looked in _looked:
        return
    _looked.add(looked)
    for former in _former(url, journal.hosts(model)):
        if count := len(journal.read(list(keys(former)))):
            there = f"{count:,} {'reply' if count == 1 else 'replies'} of the same model at another address"
            remedy = f"to use what it has answered: --set '{place}.identity={former}'"
            _say.warning("%s would fit, but will be asked for again; %s", there, remedy)
            return


def _former(url: str, hosts: Collection[str]) -> Iterator[str]:
    """Addresses that the server may have had: the same, but for the host, the scheme, or a / at its end."""
    here = urlsplit(url)
    for host in hosts:
        for scheme in (here.scheme, {"http": "https", "https": "http"}[here.scheme]):
            for path in (here.path, here.path.rstrip("/") if here.path.endswith("/") else here.path + "/"):
                if (former := urlunsplit((scheme, host, path, here.query, ""))) != url:
                    yield former
