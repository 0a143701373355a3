"""Request coalescing: identical requests of several calls in one process are sent once, and share the reply."""

from __future__ import annotations

import asyncio

from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.usage.journal import Journal

Shared = asyncio.Future[ParsedReply | None]  # the reply; None where the call that sent the request was stopped


class Claims:
    """The requests that one call sends itself. Other calls with an identical request wait for its reply.

    pending: the requests in flight of all calls, by journal and key; it is shared and used within one event loop.
    """

    def __init__(self, pending: dict[object, Shared], journal: Journal | None) -> None:
        self.pending, self.journal = pending, journal
        self.own: dict[str, Shared] = {}

    def other(self, key: str) -> Shared | None:
        """The identical request that another call, or this one, has in flight."""
        return self.pending.get((self.journal, key))

    def claim(self, key: str) -> None:
        """From now on, other calls with this request wait for ours."""
        self.own[key] = self.pending[self.journal, key] = asyncio.get_running_loop().create_future()

    def release(self, key: str, reply: ParsedReply | None) -> None:
        """Hand the reply to the calls that wait for it; None: it was not received."""
        if shared := self.own.pop(key, None):
            del self.pending[self.journal, key]
            shared.set_result(reply)

    def release_all(self) -> None:
        for key in list(self.own):
            self.release(key, None)

    async def borrow(self, key: str, other: Shared) -> ParsedReply | None:
        """The reply to another call's identical request; None where no call that had it in flight received one."""
        shared: Shared | None = other
        while shared:
            if reply := await asyncio.shield(shared):
                return reply
            shared = self.other(key)
        return None
