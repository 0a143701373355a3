"""The side of the tests: what the program defines is used from here, in a process that runs nothing of the program.

A value that is plain data comes as a copy. Whatever else the program gives stands for itself: its methods can be
called and its attributes read, but it is never equal to plain data, and no sum with plain data is plain. So an object
that calls itself equal to everything is equal to nothing that the tests know.
"""

from __future__ import annotations

import builtins
import importlib
import types
from collections.abc import Callable, Iterator
from typing import Any

from selfsown.sandbox.near import SHARED
from selfsown.sandbox.wire import MUTABLE, Line, change, decode, encode

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


class Verdict(Exception):
    """Why the tests did not pass; broken: it is not the program's fault."""

    def __init__(self, reason: str, *, broken: bool = False) -> None:
        super().__init__(reason)
        self.broken = broken


def judged(line: Line, tests: str, entry: str) -> dict[str, Any]:
    """Run the tests on what the program at the other end defines."""
    try:
        _run(_Program(line), tests, entry)
    except Verdict as verdict:
        return {"passed": False, "reason": str(verdict), "broken": verdict.broken}
    except EOFError:
        return {"passed": False, "reason": "", "broken": False}
    except BaseException as error:  # tests may raise whatever they like
        return {"passed": False, "reason": _told(error, tests), "broken": False}
    return {"passed": True, "reason": "", "broken": False}


def _run(program: _Program, tests: str, entry: str) -> None:
    try:
        code = compile(tests, "<tests>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Verdict(f"the tests are no Python: {error}", broken=True) from error
    names: dict[str, Any] = {"__name__": "tests", "__builtins__": builtins}
    known = set(vars(builtins)) - {entry}
    names |= program.defines(sorted((set(_used(code)) | {entry} - {""}) - known))
    if entry and entry not in names:
        raise Verdict(f"it defines no {entry!r}")
    if entry:
        names["candidate"] = names[entry]
    exec(code, names)
    check = names.get("check")
    if entry and isinstance(check, types.FunctionType):
        check(names[entry])


def _used(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _used(each)


def _told(error: BaseException, tests: str) -> str:
    """The exception and the line of the tests at which it came up."""
    at, line = error.__traceback__, 0
    while at:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == "<tests>" else line
        at = at.tb_next
    words = " ".join(str(error).split())[:200]
    said = "fails" if isinstance(error, AssertionError) else f"raises {type(error).__name__}"
    place = " ".join(tests.splitlines()[line - 1].split())[:200] if line else "at its end"
    return f"{said}{': ' * bool(words)}{words} at: {place}"


class _Program:
    """The other end, and what of it is known here."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._things: dict[int, Any] = {}
        self._own: list[Callable[..., Any]] = []

    def defines(self, wanted: list[str]) -> dict[str, Any]:
        self._line.send(wanted)
        first = self._line.receive()
        if "raises" in first:
            place = f" in line {int(first['line'])}" if first["line"] else ""
            words = " ".join(str(each) for each in first["args"])[:200]
            raise Verdict(f"raises {str(first['raises'])[:50]} before its tests{place}: {words}")
        there = {name: first["names"][name] for name in wanted if name in first["names"]}
        return {name: _shared(name, data) or self._read(data) for name, data in there.items()}

    def ask(self, do: str, *values: Any, **names: Any) -> Any:
        self._line.send({"do": do, "values": [self._said(each) for each in values], "names": self._said(names)})
        while True:
            answer = self._line.receive()
            if "back" in answer:
                self._line.send(self._called(answer))
            elif "raises" in answer:
                raise self._error(answer)
            else:
                for at, new in answer["changed"].items():
                    if type(values[int(at)]) in MUTABLE:
                        change(values[int(at)], self._read(new))
                gives = answer["gives"]
                return values[gives["same"]] if isinstance(gives, dict) and "same" in gives else self._read(gives)

    def _called(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a function of the tests gives, where the program calls it."""
        try:
            return {"gives": self._said(self._own[asked["back"]](*[self._read(each) for each in asked["values"]]))}
        except Exception as error:
            return {"fails": f"{type(error).__name__}: {error}"}

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

    def _error(self, answer: dict[str, Any]) -> BaseException:
        """The exception that was raised there: of the tests' own class where they know it, or else a built-in one."""
        named = [each for each in self._things.values() if isinstance(each, type)]
        kind = next((each for each in named if each.__name__ == answer["raises"]), None)
        kind = kind or _kind(str(answer["raises"]), answer["above"], -1)
        try:
            raised: BaseException = kind(*answer["args"])
            return raised
        except Exception:
            return RuntimeError(f"{kind.__name__}: {answer['args']}")


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
    """A class of exceptions; what would end the tests quietly is none."""
    bases = [getattr(builtins, each, None) for each in above]
    base = next((each for each in bases if isinstance(each, type) and issubclass(each, Exception)), Exception)
    return base if base.__name__ == name else type(name[:80], (base,), {"_number": number})


class Far:
    """A thing of the program."""

    def __init__(self, program: _Program, number: int) -> None:
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
