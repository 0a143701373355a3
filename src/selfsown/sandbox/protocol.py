"""What a program and its tests say to each other: plain data as JSON, and numbers that stand for all other things.

Whoever reads believes nothing: a message can hold no code, and what does not fit raises.
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
from typing import Any

LONGEST = 32_000_000  # bytes in one message
MUTABLE = (list, dict, set, bytearray, collections.deque, collections.Counter, collections.defaultdict)

_PLAIN = (bool, int, float, str, type(None))
_ROWS: dict[type, Callable[..., Any]] = {list: list, tuple: tuple, set: set, frozenset: frozenset}
_ROWS |= {collections.deque: collections.deque}
_PAIRS: dict[type, Callable[..., Any]] = {dict: dict, collections.OrderedDict: collections.OrderedDict}
_PAIRS |= {collections.Counter: lambda pairs: collections.Counter(dict(pairs))}
_PAIRS |= {collections.defaultdict: lambda pairs: collections.defaultdict(None, pairs)}
_WORDS: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
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
# What is of a class of its own, but is one of these as well, goes as that.
_BASES: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (list, lambda value: list(list.__iter__(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
)
_NAMES = {kind.__name__: kind for kind in (*_ROWS, *_PAIRS, *_WORDS)}


def encode(value: Any, other: Callable[[Any], dict[str, Any]]) -> Any:
    """The value as JSON can hold it; `other` says what stands for what is no plain data."""
    kind = type(value)
    if kind is int and abs(value) >> 64:
        return {"int": hex(value)}
    if kind in _PLAIN:
        return value
    if kind in _ROWS:
        return {kind.__name__: [encode(each, other) for each in value]}
    if kind in _PAIRS:
        return {kind.__name__: [[encode(key, other), encode(each, other)] for key, each in value.items()]}
    if kind in _WORDS:
        return {kind.__name__: _WORDS[kind][0](value)}
    for base, bare in _BASES:
        if isinstance(value, base):
            return encode(bare(value), other)
    return other(value)


def decode(data: Any, other: Callable[[str, Any], Any]) -> Any:
    """The value that `encode` made this of; `other` says what a name and a number stand for."""
    if type(data) in _PLAIN:
        return data
    ((name, inside),) = data.items()
    if name == "int":
        return int(inside, 16)
    kind = _NAMES.get(name)
    if kind is None:
        return other(name, inside)
    if kind in _ROWS:
        return _ROWS[kind]([decode(each, other) for each in inside])
    if kind in _PAIRS:
        return _PAIRS[kind]([(decode(key, other), decode(each, other)) for key, each in inside])
    return _WORDS[kind][1](inside)


def change(value: Any, new: Any) -> None:
    """Make a list, dictionary or set what the other is."""
    if isinstance(value, list | bytearray):
        value[:] = new
    else:
        value.clear()
        (value.extend if isinstance(value, collections.deque) else value.update)(new)


class Gone(Exception):
    """The other end is gone."""


class Line:
    """One end of a connection: whole messages, each as JSON. Gone where the other end is."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: Any) -> None:
        said = json.dumps(message).encode()
        if len(said) > LONGEST:
            raise ValueError(f"a value takes more than {LONGEST:,} bytes")
        try:
            self._end.sendall(struct.pack(">I", len(said)) + said)
        except OSError as error:
            raise Gone from error

    def receive(self) -> Any:
        (length,) = struct.unpack(">I", self._exactly(4))
        if length > LONGEST:
            raise Gone
        return json.loads(self._exactly(length))

    def _exactly(self, length: int) -> bytes:
        parts: list[bytes] = []
        while length:
            try:
                part = self._end.recv(min(length, 1 << 20))
            except OSError as error:
                raise Gone from error
            if not part:
                raise Gone
            parts.append(part)
            length -= len(part)
        return b"".join(parts)


def listed(values: Iterable[Any], other: Callable[[Any], dict[str, Any]]) -> list[Any]:
    return [encode(each, other) for each in values]
