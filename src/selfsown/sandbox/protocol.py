"""Messages between processes of the sandbox. A program and its tests exchange plain data as JSON, and numbers that
refer to every other object.

The reader trusts nothing: a message cannot carry code, and data that does not fit raises an exception.
"""

from __future__ import annotations

import collections
import datetime
import fractions
import json
import socket
import struct
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypedDict

MAX_MESSAGE_BYTES = 32_000_000
MUTABLE_TYPES = (list, dict, set, bytearray, collections.deque, collections.Counter, collections.defaultdict)

Json = Any  # data decoded from JSON that another process wrote: unchecked, so that whatever does not fit raises

_SCALARS = (bool, int, float, str, type(None))
_SEQUENCES: dict[type, Callable[..., object]] = {list: list, tuple: tuple, set: set, frozenset: frozenset}
_SEQUENCES |= {collections.deque: collections.deque}
_MAPPINGS: dict[type, Callable[..., object]] = {dict: dict, collections.OrderedDict: collections.OrderedDict}
_MAPPINGS |= {collections.Counter: lambda pairs: collections.Counter(dict(pairs))}
_MAPPINGS |= {collections.defaultdict: lambda pairs: collections.defaultdict(None, pairs)}
_CONVERTED: dict[type, tuple[Callable[[Any], Json], Callable[[Any], object]]] = {  # to JSON, from JSON
    bytes: (bytes.hex, bytes.fromhex),
    bytearray: (bytearray.hex, bytearray.fromhex),
    complex: (lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
    range: (lambda value: [value.start, value.stop, value.step], lambda parts: range(*parts)),
    Decimal: (str, Decimal),
    fractions.Fraction: (str, fractions.Fraction),
    datetime.date: (datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.datetime: (datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    datetime.timedelta: (
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: datetime.timedelta(*parts),
    ),
}
# An instance of a subclass of one of these is sent as its base type.
_BASE_TYPES: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (list, lambda value: list(list.__iter__(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
)
_TYPES_BY_NAME = {kind.__name__: kind for kind in (*_SEQUENCES, *_MAPPINGS, *_CONVERTED)}


class ProgramTask(TypedDict):
    """What a watchdog is given to run. tests: whether a TestTask follows. seconds: CPU; memory: MB; output: bytes."""

    program: str
    stdin: str
    tests: bool
    seconds: float
    memory: int
    output: int


class TestTask(TypedDict):
    """The tests of a program, and the name of the function under test, or ""."""

    tests: str
    entry_point: str


class TestVerdict(TypedDict):
    """verdict: passed, failed, invalid (no program could pass such tests) or lost (the program left its tests)."""

    verdict: str
    reason: str


class ProgramReport(TypedDict):
    """What a watchdog reports. ended: what stopped the program or its tests, or ""; tests: what stopped the tests
    before they gave a verdict, or ""."""

    stdout: str
    stderr: str
    ended: str
    code: int
    verdict: TestVerdict | None
    tests: str


def encode(value: Any, refer: Callable[[Any], dict[str, Json]]) -> Json:
    """The value as JSON data; `refer` gives the reference to send in place of an object that is no plain data."""
    kind = type(value)
    if kind is int and abs(value) >> 64:
        return {"int": hex(value)}
    if kind in (str, bytes, bytearray) and len(value) > MAX_MESSAGE_BYTES:
        raise _too_large()  # before it is written as JSON, which may take longer than the program may
    if kind in _SCALARS:
        return value
    if kind in _SEQUENCES:
        return {kind.__name__: [encode(item, refer) for item in value]}
    if kind in _MAPPINGS:
        return {kind.__name__: [[encode(key, refer), encode(item, refer)] for key, item in value.items()]}
    if kind in _CONVERTED:
        return {kind.__name__: _CONVERTED[kind][0](value)}
    for base, to_base in _BASE_TYPES:
        if isinstance(value, base):
            return encode(to_base(value), refer)
    return refer(value)


def _too_large() -> ValueError:
    return ValueError(f"a value takes more than {MAX_MESSAGE_BYTES:,} bytes")


def encode_all(values: Iterable[object], refer: Callable[[Any], dict[str, Json]]) -> list[Json]:
    return [encode(value, refer) for value in values]


def decode(data: Json, resolve: Callable[[str, Json], object]) -> Any:
    """The value that `encode` was given; `resolve` gives the object for the kind and content of a reference."""
    if type(data) in _SCALARS:
        return data
    ((name, content),) = data.items()
    if name == "int":
        return int(content, 16)
    kind = _TYPES_BY_NAME.get(name)
    if kind is None:
        return resolve(name, content)
    if kind in _SEQUENCES:
        return _SEQUENCES[kind]([decode(item, resolve) for item in content])
    if kind in _MAPPINGS:
        return _MAPPINGS[kind]([(decode(key, resolve), decode(item, resolve)) for key, item in content])
    return _CONVERTED[kind][1](content)


def update_in_place(value: Any, new: Any) -> None:
    """Give a list, dictionary or set the content of another."""
    if isinstance(value, list | bytearray):
        value[:] = new
    else:
        value.clear()
        (value.extend if isinstance(value, collections.deque) else value.update)(new)


class ChannelClosed(Exception):
    """The other end of the channel is closed."""


class MessageChannel:
    """One end of a connection that carries whole messages, each as JSON. Raises ChannelClosed if the other end is."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, message: Json) -> None:
        data = json.dumps(message).encode()
        if len(data) > MAX_MESSAGE_BYTES:
            raise _too_large()
        try:
            self._connection.sendall(struct.pack(">I", len(data)) + data)
        except OSError as error:
            raise ChannelClosed from error

    def receive(self) -> Json:
        (length,) = struct.unpack(">I", self._read_exactly(4))
        if length > MAX_MESSAGE_BYTES:
            raise ChannelClosed
        return json.loads(self._read_exactly(length))

    def _read_exactly(self, length: int) -> bytes:
        parts: list[bytes] = []
        while length:
            try:
                part = self._connection.recv(min(length, 1 << 20))
            except OSError as error:
                raise ChannelClosed from error
            if not part:
                raise ChannelClosed
            parts.append(part)
            length -= len(part)
        return b"".join(parts)
