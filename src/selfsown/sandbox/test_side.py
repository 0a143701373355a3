"""The tests' side of the channel: uses what the program defines, in a process that runs nothing of the program.

Plain data arrives as a copy. Every other object of the program is a proxy: its methods can be called and its attributes
read, but it never equals plain data, and no arithmetic with plain data gives plain data. So an object that claims to
equal everything equals nothing that the tests know.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from selfsown.sandbox.program_side import SHARED_MODULES
from selfsown.sandbox.protocol import (
    MUTABLE_TYPES,
    ChannelClosed,
    Json,
    MessageChannel,
    decode,
    encode,
    update_in_place,
)

_BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
_BINARY += ["divmod"]
_UNARY = ["neg", "pos", "abs", "invert"]
_COMPARISONS = ["lt", "le", "gt", "ge"]
_FORWARDED = ["iter", "next", "len", "str", "repr", "bool", "getitem", "setitem", "delitem", "contains", "enter"]
_OPERATOR_NAMES = {"and": "and_", "or": "or_"}  # in the module operator


class ProgramLost(BaseException):
    """The program is gone, or its messages make no sense. A BaseException, so that tests that expect an exception do
    not catch it."""


class ProgramStopIteration(RuntimeError):
    """A StopIteration that a program raised where it would silently end a loop of the tests: it keeps its name."""


class RemoteProgram:
    """The program at the other end of the channel, and the objects of it that are known here.

    lost: why its messages no longer count, or ""; gone: the channel is closed; failure: what it raised before its
    tests, or ""; requests: the number of requests made.
    """

    def __init__(self, channel: MessageChannel) -> None:
        self._channel = channel
        self._objects: dict[int, Any] = {}
        self._callbacks: list[Callable[..., object]] = []
        self.lost = ""
        self.gone = False
        self.requests = 0
        self.failure = ""

    def definitions(self, names: list[str]) -> dict[str, Any]:
        """What the program defines of these names; `failure` is set if it raised an exception before its end."""
        with self._distrusting():
            self._channel.send(names)
            reply = self._receive()
            if "raises" in reply:
                place = f" in line {int(reply['line'])}" if reply["line"] else ""
                message = " ".join(str(argument) for argument in reply["args"])[:200]
                self.failure = f"raises {str(reply['raises'])[:50]} before its tests{place}: {message}"
                return {}
            defined = {name: reply["names"][name] for name in names if name in reply["names"]}
            return {name: _shared(name, data) or self._decode(data) for name, data in defined.items()}

    def request(self, operation: str, *values: Any, **keywords: Any) -> Any:
        """The result of an operation of the program on these values. Raises what the program raises, or ProgramLost if
        its reply cannot be trusted."""
        self.requests += 1
        encoded = [self._encode(value) for value in values]
        message = {"operation": operation, "values": encoded, "keywords": self._encode(keywords)}
        while True:
            self._send(message)
            with self._distrusting():
                reply = self._receive()
                if "raises" in reply:
                    error = self._exception(reply, from_next=operation == "next")
                    break
                if "callback" not in reply:
                    return self._result(reply, values)
                callback = self._callbacks[reply["callback"]]
                arguments = [self._decode(value) for value in reply["values"]]
            message = self._run_callback(callback, arguments)
        raise error

    def _result(self, reply: dict[str, Json], values: tuple[Any, ...]) -> Any:
        for index, new in reply["changed"].items():
            if type(values[int(index)]) in MUTABLE_TYPES:
                update_in_place(values[int(index)], self._decode(new))
        result = reply["result"]
        return values[result["same"]] if isinstance(result, dict) and "same" in result else self._decode(result)

    def _run_callback(self, callback: Callable[..., object], arguments: list[Any]) -> dict[str, Json]:
        """The message with the result of a function of the tests that the program called."""
        try:
            return {"result": self._encode(callback(*arguments))}
        except Exception as error:
            return {"callback_error": f"{type(error).__name__}: {error}"}

    def _send(self, message: dict[str, Json]) -> None:
        if self.lost:
            raise ProgramLost(self.lost)
        try:
            self._channel.send(message)
        except ChannelClosed as error:
            self.gone = True
            self._lose("leaves its tests", error)

    def _receive(self) -> dict[str, Json]:
        reply = self._channel.receive()
        if not isinstance(reply, dict):
            raise TypeError("a reply must be a dictionary")
        if "unsendable" in reply:
            self._lose(str(reply["unsendable"])[:200])
        return reply

    @contextmanager
    def _distrusting(self) -> Iterator[None]:
        """Whatever goes wrong while a message of the program is read makes it lost: nothing that tests could expect is
        raised."""
        try:
            yield
        except ChannelClosed as error:
            self.gone = True
            self._lose("leaves its tests", error)
        except Exception as error:
            self._lose(f"sends its tests an invalid reply ({type(error).__name__})", error)

    def _lose(self, reason: str, error: BaseException | None = None) -> NoReturn:
        self.lost = self.lost or reason or "leaves its tests"
        raise ProgramLost(self.lost) from error

    def _encode(self, value: object) -> Json:
        return encode(value, self._refer)

    def _refer(self, value: Any) -> dict[str, Json]:
        if isinstance(value, RemoteObject):
            return {"object": object.__getattribute__(value, "_number")}
        if isinstance(value, type) and hasattr(value, "_number"):
            return {"object": value._number}
        if not callable(value):
            raise TypeError(f"tests can pass plain values and functions, but not {type(value).__name__}")
        self._callbacks.append(value)
        return {"callback": len(self._callbacks) - 1}

    def _decode(self, data: Json) -> Any:
        return decode(data, self._resolve)

    def _resolve(self, kind: str, content: Json) -> Any:
        number = int(content if kind == "object" else content[0])
        if number not in self._objects:
            if kind == "object":
                self._objects[number] = RemoteObject(self, number)
            else:
                self._objects[number] = _exception_class(content[1], content[2], number)
        return self._objects[number]

    def _exception(self, reply: dict[str, Json], *, from_next: bool) -> BaseException:
        """The exception that the program raised: of the class that the tests know by its name, or else of a built-in
        one. from_next: it was raised by `next`, so a StopIteration is the regular end of an iterator."""
        name, bases, arguments = str(reply["raises"]), [str(base) for base in reply["bases"]], list(reply["args"])
        if from_next and "StopIteration" in bases:
            return StopIteration(*arguments)
        classes = [value for value in self._objects.values() if isinstance(value, type)]
        known = next((value for value in classes if value.__name__ == name), None)
        kind: type[BaseException] = known or _exception_class(name, bases, -1)
        try:
            return kind(*arguments)
        except Exception:  # its constructor takes other arguments
            error = kind.__new__(kind)
            error.args = tuple(arguments)
            return error


def _shared(name: str, data: Json) -> Any:
    """A well-known module, or part of one, that the program has under its own name: ours, not the program's."""
    if not isinstance(data, dict) or "module" not in data:
        return None
    home, inner = data["module"]
    if home not in SHARED_MODULES.split() or name != (inner or home):
        raise ValueError(f"{name!r} is not what it claims to be")
    module = importlib.import_module(home)
    return getattr(module, inner) if inner else module


def _exception_class(name: str, bases: list[str], number: int) -> type[Exception]:
    """A class of exceptions. Nothing that would end the tests, or a loop in them, is among its bases."""
    classes = [getattr(builtins, base, None) for base in bases]
    base = next((item for item in classes if isinstance(item, type) and issubclass(item, Exception)), Exception)
    base = ProgramStopIteration if issubclass(base, StopIteration | StopAsyncIteration) else base
    return base if base.__name__ == name else type(name[:80], (base,), {"_number": number})


class RemoteObject:
    """A proxy for an object of the program: every operation on it is a request to the program's process.

    Python looks up special methods (`__add__`, `__len__` …) on the class and not through `__getattr__`, so the class
    must define each that tests may use. Some 50 of them differ in their name only; they are attached below, by group:
    arithmetic (whose result must be an object of the program again), comparisons, and the rest, which is forwarded.
    """

    def __init__(self, program: RemoteProgram, number: int) -> None:
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_number", number)

    def __call__(self, *values: object, **keywords: object) -> object:
        return _request(self, "call", self, *values, **keywords)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name not in ("__name__", "__doc__", "__dict__"):
            raise AttributeError(name)
        return _request(self, "attr", self, name)

    def __setattr__(self, name: str, value: object) -> None:
        _request(self, "setattr", self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteObject) and _request(self, "eq", self, other) is True

    def __hash__(self) -> int:
        return hash(object.__getattribute__(self, "_number"))

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, RemoteObject) and _request(self, "isinstance", value, self) is True

    def __exit__(self, *error: object) -> None:
        _request(self, "exit", self)


def _request(target: RemoteObject, operation: str, *values: object, **keywords: object) -> object:
    return object.__getattribute__(target, "_program").request(operation, *values, **keywords)


def _arithmetic(name: str, *, reflected: bool = False) -> Callable[..., object]:
    def method(self: RemoteObject, *others: object) -> object:
        operands = [*others, self] if reflected else [self, *others]
        result = _request(self, _OPERATOR_NAMES.get(name, name), *operands)
        if not isinstance(result, RemoteObject) and not (others and isinstance(others[0], RemoteObject)):
            raise TypeError(f"an object of the program gives a plain value for {name!r}")
        return result

    return method


def _comparison(name: str) -> Callable[..., object]:
    def method(self: RemoteObject, other: object) -> object:
        return _request(self, name, self, other) if isinstance(other, RemoteObject) else NotImplemented

    return method


def _forwarded(name: str) -> Callable[..., object]:
    return lambda self, *values: _request(self, name, self, *values)


for _name in (*_BINARY, *_UNARY):
    setattr(RemoteObject, f"__{_name}__", _arithmetic(_name))
for _name in _BINARY:
    setattr(RemoteObject, f"__r{_name}__", _arithmetic(_name, reflected=True))
for _name in _COMPARISONS:
    setattr(RemoteObject, f"__{_name}__", _comparison(_name))
for _name in _FORWARDED:
    setattr(RemoteObject, f"__{_name}__", _forwarded(_name))
