"""The program's side of the channel: calls what the program defines, and returns the results as plain data.

Nothing here is trusted by the other side: a program may change any of it, and gains nothing but wrong results.
"""

from __future__ import annotations

import operator
import sys
import types
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from selfsown.sandbox.protocol import MUTABLE_TYPES, ChannelClosed, Json, MessageChannel, decode, encode, encode_all

# Modules that tests may use without importing them, where the program imports them.
SHARED_MODULES = """
bisect cmath collections copy datetime decimal fractions functools heapq itertools json math operator random
re statistics string typing
"""

_OPERATIONS: dict[str, Callable[..., object]] = {"iter": iter, "next": next, "len": len, "str": str, "repr": repr}
_OPERATIONS |= {"attr": getattr, "setattr": setattr, "isinstance": isinstance, "abs": abs, "divmod": divmod}
_OPERATIONS |= {"bool": bool, "enter": lambda value: value.__enter__()}
_OPERATIONS |= {"exit": lambda value: value.__exit__(None, None, None)}


class _Result(NamedTuple):
    """A result, with the values that were passed in and, for each mutable one, its encoding before the operation."""

    values: list[Any]
    before: list[Json]
    result: object


def serve(channel: MessageChannel, module: types.ModuleType, failure: BaseException | None) -> None:
    """Report how the program failed, or what it defines of the names that the tests use; then answer requests.
    Raises ChannelClosed when the tests are done."""
    program = _Program(channel)
    requested = channel.receive()
    if failure is not None:
        channel.send(program.describe_exception(failure))
        return
    defined = {name: vars(module)[name] for name in requested if name in vars(module)}
    names = {name: encode(value, partial(program.refer_by_name, name)) for name, value in defined.items()}
    channel.send({"names": names})
    program.answer_requests()


class _Program:
    """Answers requests, and keeps every object that the tests know by its number."""

    def __init__(self, channel: MessageChannel) -> None:
        self._channel = channel
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}  # by id

    def answer_requests(self) -> Any:
        """Do what is requested, until the result of a callback arrives; return that."""
        while True:
            request = self._channel.receive()
            if "result" in request:
                return self._decode(request["result"])
            if "callback_error" in request:
                raise RuntimeError(request["callback_error"])
            try:
                result = self._perform(request)
            except ChannelClosed:
                raise
            except BaseException as error:  # a program may raise anything
                self._channel.send(self.describe_exception(error))
            else:
                self._send_result(result)

    def _perform(self, request: Json) -> _Result:
        values = [self._decode(value) for value in request["values"]]
        keywords = self._decode(request["keywords"])
        before = self._encode_mutable(values)
        if request["operation"] == "call":
            return _Result(values, before, values[0](*values[1:], **keywords))
        operation = _OPERATIONS.get(request["operation"]) or getattr(operator, request["operation"])
        return _Result(values, before, operation(*values))

    def _send_result(self, done: _Result) -> None:
        """Send a result. One that cannot be sent is not reported as an exception of the program."""
        values, result = done.values, done.result
        try:
            after = self._encode_mutable(values)
            pairs = enumerate(zip(done.before, after, strict=True))
            changed = {index: new for index, (old, new) in pairs if old != new}
            identical = (
                index for index, value in enumerate(values) if value is result and type(value) in MUTABLE_TYPES
            )
            same = next(identical, None)
            encoded = {"same": same} if same is not None else encode(result, self._refer)
            self._channel.send({"result": encoded, "changed": changed})
        except ChannelClosed:
            raise
        except Exception as error:
            reason = f"returns a value that cannot be sent: {type(error).__name__}: {error}"
            self._channel.send({"unsendable": reason[:200]})

    def _encode_mutable(self, values: list[Any]) -> list[Json]:
        return [encode(value, self._refer) if type(value) in MUTABLE_TYPES else None for value in values]

    def refer_by_name(self, name: str, value: Any) -> dict[str, Json]:
        """The reference to what the program defines under this name: perhaps a well-known module, or part of one."""
        if name in SHARED_MODULES.split() and value is sys.modules.get(name):
            return {"module": [name, ""]}
        home = getattr(value, "__module__", "")
        if home in SHARED_MODULES.split() and value is getattr(sys.modules.get(home), name, None):
            return {"module": [home, name]}
        return self._refer(value)

    def describe_exception(self, error: BaseException) -> dict[str, Json]:
        """An exception as the names of its class and of its built-in bases, its arguments and the program's line."""
        kind = type(error)
        line = 0
        frame = error.__traceback__
        while frame:
            line = frame.tb_lineno if frame.tb_frame.f_code.co_filename == "<program>" else line
            frame = frame.tb_next
        if isinstance(error, SyntaxError):
            line, error = error.lineno or 0, kind(error.msg)
        bases = _builtin_bases(kind)
        return {"raises": kind.__name__, "bases": bases, "args": [*map(_encode_argument, error.args)], "line": line}

    def _refer(self, value: Any) -> dict[str, Json]:
        number = self._numbers.setdefault(id(value), len(self._objects))
        if number == len(self._objects):
            self._objects.append(value)
        if isinstance(value, type) and issubclass(value, BaseException):
            return {"error": [number, value.__name__, _builtin_bases(value)]}
        return {"object": number}

    def _decode(self, data: Json) -> Any:
        return decode(data, self._resolve)

    def _resolve(self, kind: str, content: Json) -> Any:
        if kind in ("object", "error"):
            return self._objects[content if kind == "object" else content[0]]
        return lambda *values: self._call_back(content, values)

    def _call_back(self, number: int, values: tuple[object, ...]) -> Any:
        """Call a function of the tests."""
        self._channel.send({"callback": number, "values": encode_all(values, self._refer)})
        return self.answer_requests()


def _builtin_bases(kind: type[BaseException]) -> list[str]:
    return [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]


def _encode_argument(value: object) -> int | float | str:
    """An argument of an exception, as it is or as text."""
    if type(value) in (float, str) or (type(value) is int and value.bit_length() < 4000):
        return value  # type: ignore[return-value]
    try:
        return repr(value)[:200]
    except Exception:  # it has no text
        return type(value).__name__
