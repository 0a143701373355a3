"""The side of the tests: what the program defines is used from here, in a process that runs nothing of the program.

A value that is plain data comes as a copy. Whatever else the program gives stands for itself: its methods can be
called and its attributes read, but it is never equal to plain data, and no sum with plain data is plain. So an object
that calls itself equal to everything is equal to nothing that the tests know.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from selfsown.sandbox.program_side import SHARED
from selfsown.sandbox.protocol import MUTABLE, Gone, Line, change, decode, encode

_BOTH = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "divmod",
]
_ALONE = ["neg", "pos", "abs", "invert"]
_ORDER = ["lt", "le", "gt", "ge"]
_GIVEN = ["iter", "next", "len", "str", "repr", "bool", "getitem", "setitem", "delitem", "contains", "enter"]
_SPELT = {"and": "and_", "or": "or_"}


class Lost(BaseException):
    """The program is gone, or what it says makes no sense. Tests that expect exceptions do not expect this one."""


class Stopped(RuntimeError):
    """What a program raises that would quietly end a loop of the tests, under the name that it has there."""


class Program:
    """The other end, and what of it is known here.

    lost: why nothing that it says counts any more; gone: it is not there any more; asked: how often it was asked.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._things: dict[int, Any] = {}
        self._own: list[Callable[..., Any]] = []
        self.lost, self.gone, self.asked, self.failure = "", False, 0, ""

    def defines(self, wanted: list[str]) -> dict[str, Any]:
        """What it defines of the wanted names; failure is set where it raised before it came to its end."""
        with self._believing():
            self._line.send(wanted)
            first = self._heard()
            if "raises" in first:
                place = f" in line {int(first['line'])}" if first["line"] else ""
                words = " ".join(str(each) for each in first["args"])[:200]
                self.failure = f"raises {str(first['raises'])[:50]} before its tests{place}: {words}"
                return {}
            there = {name: first["names"][name] for name in wanted if name in first["names"]}
            return {name: _shared(name, data) or self._read(data) for name, data in there.items()}

    def ask(self, do: str, *values: Any, **names: Any) -> Any:
        """What it does, with these values. Lost where it is not to be believed; else whatever it raises."""
        self.asked += 1
        message = {"do": do, "values": [self._said(each) for each in values], "names": self._said(names)}
        while True:
            self._send(message)
            with self._believing():
                answer = self._heard()
                if "raises" in answer:
                    raised = self._error(answer, loop=do == "next")
                    break
                if "back" not in answer:
                    return self._given(answer, values)
                work, given = self._own[answer["back"]], [self._read(each) for each in answer["values"]]
            message = self._called(work, given)
        raise raised

    def _given(self, answer: dict[str, Any], values: tuple[Any, ...]) -> Any:
        for at, new in answer["changed"].items():
            if type(values[int(at)]) in MUTABLE:
                change(values[int(at)], self._read(new))
        gives = answer["gives"]
        return values[gives["same"]] if isinstance(gives, dict) and "same" in gives else self._read(gives)

    def _called(self, work: Callable[..., Any], given: list[Any]) -> dict[str, Any]:
        """What a function of the tests gives, where the program calls it."""
        try:
            return {"gives": self._said(work(*given))}
        except Exception as error:
            return {"fails": f"{type(error).__name__}: {error}"}

    def _send(self, message: Any) -> None:
        if self.lost:
            raise Lost(self.lost)
        try:
            self._line.send(message)
        except Gone as error:
            self.gone = True
            self._lose("leaves its tests", error)

    def _heard(self) -> dict[str, Any]:
        answer = self._line.receive()
        if not isinstance(answer, dict):
            raise TypeError("an answer is a dictionary")
        if "lost" in answer:
            self._lose(str(answer["lost"])[:200])
        return answer

    @contextmanager
    def _believing(self) -> Iterator[None]:
        """Whatever goes wrong in reading what the program says makes it lost; it raises nothing that tests expect."""
        try:
            yield
        except Gone as error:
            self.gone = True
            self._lose("leaves its tests", error)
        except Exception as error:
            self._lose(f"answers its tests with what is no answer ({type(error).__name__})", error)

    def _lose(self, why: str, error: BaseException | None = None) -> NoReturn:
        self.lost = self.lost or why or "leaves its tests"
        raise Lost(self.lost) from error

    def _said(self, value: Any) -> Any:
        return encode(value, self._numbered)

    def _numbered(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Far):
            return {"far": object.__getattribute__(value, "_number")}
        if isinstance(value, type) and hasattr(value, "_number"):
            return {"far": value._number}
        if not callable(value):
            raise TypeError(f"tests can hand over plain values and functions, but no {type(value).__name__}")
        self._own.append(value)
        return {"back": len(self._own) - 1}

    def _read(self, data: Any) -> Any:
        return decode(data, self._meant)

    def _meant(self, name: str, inside: Any) -> Any:
        number = int(inside if name == "far" else inside[0])
        if number not in self._things:
            self._things[number] = Far(self, number) if name == "far" else _kind(inside[1], inside[2], number)
        return self._things[number]

    def _error(self, answer: dict[str, Any], *, loop: bool) -> BaseException:
        """The exception that was raised there: of the tests' own class where they know it, or else a built-in one.
        loop: it was asked for the next of its values, so that it may say that there is none."""
        name, above, words = str(answer["raises"]), [str(each) for each in answer["above"]], list(answer["args"])
        if loop and "StopIteration" in above:
            return StopIteration(*words)
        named = [each for each in self._things.values() if isinstance(each, type)]
        known = next((each for each in named if each.__name__ == name), None)
        kind: type[BaseException] = known or _kind(name, above, -1)
        try:
            return kind(*words)
        except Exception:  # it wants other arguments than these
            made = kind.__new__(kind)
            made.args = tuple(words)
            return made


def _shared(name: str, data: Any) -> Any:
    """A well-known module, or a thing of its, where the program has it under its own name: ours, not the program's."""
    if not isinstance(data, dict) or "module" not in data:
        return None
    home, inner = data["module"]
    if home not in SHARED.split() or name != (inner or home):
        raise ValueError(f"{name!r} is not what it says")
    module = importlib.import_module(home)
    return getattr(module, inner) if inner else module


def _kind(name: str, above: list[str], number: int) -> type[Exception]:
    """A class of exceptions; what would end the tests, or a loop of theirs, is none of its ancestors."""
    bases = [getattr(builtins, each, None) for each in above]
    base = next((each for each in bases if isinstance(each, type) and issubclass(each, Exception)), Exception)
    base = Stopped if issubclass(base, StopIteration | StopAsyncIteration) else base
    return base if base.__name__ == name else type(name[:80], (base,), {"_number": number})


class Far:
    """A thing of the program."""

    def __init__(self, program: Program, number: int) -> None:
        object.__setattr__(self, "_program", program)
        object.__setattr__(self, "_number", number)

    def __call__(self, *values: Any, **names: Any) -> Any:
        return _ask(self, "call", self, *values, **names)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__name__", "__doc__", "__dict__"):
            raise AttributeError(name)
        return _ask(self, "attr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "setattr", self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Far) and _ask(self, "eq", self, other) is True

    def __hash__(self) -> int:
        return hash(object.__getattribute__(self, "_number"))

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Far) and _ask(self, "isinstance", value, self) is True

    def __exit__(self, *error: object) -> None:
        _ask(self, "exit", self)


def _ask(thing: Far, do: str, *values: Any, **names: Any) -> Any:
    return object.__getattribute__(thing, "_program").ask(do, *values, **names)


def _operator(name: str, *, turned: bool = False) -> Callable[..., Any]:
    def work(this: Far, *others: Any) -> Any:
        found = _ask(this, _SPELT.get(name, name), *([*others, this] if turned else [this, *others]))
        if not isinstance(found, Far) and not (others and isinstance(others[0], Far)):
            raise TypeError(f"an object of the program's own gives a plain value for {name!r}")
        return found

    return work


def _order(name: str) -> Callable[..., Any]:
    return lambda this, other: _ask(this, name, this, other) if isinstance(other, Far) else NotImplemented


def _given(name: str) -> Callable[..., Any]:
    return lambda this, *values: _ask(this, name, this, *values)


for _name in (*_BOTH, *_ALONE):
    setattr(Far, f"__{_name}__", _operator(_name))
for _name in _BOTH:
    setattr(Far, f"__r{_name}__", _operator(_name, turned=True))
for _name in _ORDER:
    setattr(Far, f"__{_name}__", _order(_name))
for _name in _GIVEN:
    setattr(Far, f"__{_name}__", _given(_name))
