"""Calls of workers to the driver, by way of an actor that both reach wherever the driver runs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Sequence
from typing import Any

import ray

TAKE_SECONDS = 1.0  # until the driver gets an empty list

Call = tuple[str, str, tuple[Any, ...]]  # its id, the name of what is called, and the arguments
Answer = tuple[bool, Any]  # whether it went well; the result, or the exception


class Mailbox:
    """Calls that wait for the driver, and its answers. If its process ends, it starts again, and Ray repeats what was
    being called; the driver knows by its id what it has answered."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, asyncio.Future[Answer]] = {}
        self.arrived = asyncio.Event()

    async def call(self, call: Call) -> Answer:
        """The driver's answer."""
        future = self.answers.setdefault(call[0], asyncio.get_running_loop().create_future())
        self.calls.append(call)
        self.arrived.set()
        try:
            return await future
        finally:
            self.answers.pop(call[0], None)

    async def take(self) -> list[Call]:
        """All calls since the last time, as soon as there is one."""
        try:
            await asyncio.wait_for(self.arrived.wait(), TAKE_SECONDS)
        except TimeoutError:
            return []
        calls, self.calls = self.calls, []
        self.arrived.clear()
        return calls

    async def answer(self, answers: Sequence[tuple[str, Answer]]) -> None:
        """Pass on what the driver answers."""
        for call_id, answer in answers:
            if (future := self.answers.get(call_id)) and not future.done():
                future.set_result(answer)


class Driver:
    """The driver as a worker sees it."""

    def __init__(self, mailbox: Any, worker: str) -> None:
        self.mailbox, self.worker = mailbox, worker

    def call(self, name: str, *arguments: Any) -> Any:
        """What the driver returns; raises what it raises."""
        return _result(ray.get(self._send(name, arguments)))

    def begin(self, name: str, *arguments: Any) -> Awaitable[Any]:
        """The same within an event loop; the call is sent at once."""
        reply = asyncio.wrap_future(self._send(name, arguments).future())

        async def result() -> Any:
            return _result(await reply)

        return result()

    def notify(self, name: str, *arguments: Any) -> None:
        """Call without waiting."""
        self._send(name, arguments)

    def _send(self, name: str, arguments: tuple[Any, ...]) -> Any:
        return self.mailbox.call.remote((uuid.uuid4().hex, name, (self.worker, *arguments)))


def _result(answer: Answer) -> Any:
    went_well, value = answer
    if went_well:
        return value
    raise value
