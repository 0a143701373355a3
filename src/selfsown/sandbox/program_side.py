"""The side of the program: its functions are called, and what they give goes back as plain data.

Nothing here is trusted by anyone: the program may bend all of it to its will, and gains nothing but wrong answers.
"""

from __future__ import annotations

import operator
import sys
import types
from functools import partial
from typing import Any

from selfsown.sandbox.protocol import MUTABLE, Gone, Line, decode, encode, listed

# Modules that tests may take for granted where the program imports them.
SHARED = """
bisect cmath collections copy datetime decimal fractions functools heapq itertools json math operator random
re statistics string typing
"""

_FORMS: dict[str, Any] = {"iter": iter, "next": next, "len": len, "str": str, "repr": repr, "bool": bool}
_FORMS |= {"attr": getattr, "setattr": setattr, "isinstance": isinstance, "abs": abs, "divmod": divmod}
_FORMS |= {"enter": lambda this: this.__enter__(), "exit": lambda this: this.__exit__(None, None, None)}


def offer(line: Line, module: types.ModuleType, failure: BaseException | None) -> None:
    """Tell the tests how the program failed, or what it defines of what they use; then do as they ask. Gone ends it:
    they are done."""
    program = _Program(line)
    wanted = line.receive()
    if failure is not None:
        line.send(program.raised(failure))
        return
    defined = {name: vars(module)[name] for name in wanted if name in vars(module)}
    line.send({"names": {name: encode(value, partial(program.named, name)) for name, value in defined.items()}})
    program.until_told()


class _Program:
    """Keeps what the tests know by number."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._kept: list[Any] = []
        self._numbers: dict[int, int] = {}

    def until_told(self) -> Any:
        """Do what is asked, until an answer comes to a question of our own."""
        while True:
            asked = self._line.receive()
            if "gives" in asked:
                return self._read(asked["gives"])
            if "fails" in asked:
                raise RuntimeError(asked["fails"])
            try:
                given = self._done(asked)
            except Gone:
                raise
            except BaseException as error:  # a program may raise whatever it likes
                self._line.send(self.raised(error))
            else:
                self._give(*given)

    def _give(self, values: list[Any], before: list[Any], found: Any) -> None:
        """Send what the program gives. What cannot be sent is no exception of the program's."""
        try:
            after = self._mutable(values)
            changed = {at: new for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}
            same = next((at for at, each in enumerate(values) if each is found and type(each) in MUTABLE), None)
            gives = {"same": same} if same is not None else encode(found, self._number)
            self._line.send({"gives": gives, "changed": changed})
        except Gone:
            raise
        except Exception as error:
            self._line.send({"lost": f"gives what cannot be handed over: {type(error).__name__}: {error}"[:200]})

    def _mutable(self, values: list[Any]) -> list[Any]:
        return [encode(each, self._number) if type(each) in MUTABLE else None for each in values]

    def named(self, name: str, value: Any) -> dict[str, Any]:
        """What stands for a thing that the program has under this name: perhaps it is a well-known module's."""
        if name in SHARED.split() and value is sys.modules.get(name):
            return {"module": [name, ""]}
        home = getattr(value, "__module__", "")
        if home in SHARED.split() and value is getattr(sys.modules.get(home), name, None):
            return {"module": [home, name]}
        return self._number(value)

    def raised(self, error: BaseException) -> dict[str, Any]:
        """An exception as its name, its built-in ancestors and its words."""
        kind, at = type(error), error.__traceback__
        line = 0
        while at:
            line = at.tb_lineno if at.tb_frame.f_code.co_filename == "<program>" else line
            at = at.tb_next
        if isinstance(error, SyntaxError):
            line, error = error.lineno or 0, kind(error.msg)
        above = [each.__name__ for each in kind.__mro__ if each.__module__ == "builtins"]
        return {"raises": kind.__name__, "above": above, "args": [*map(_word, error.args)], "line": line}

    def _number(self, value: Any) -> dict[str, Any]:
        number = self._numbers.setdefault(id(value), len(self._kept))
        if number == len(self._kept):
            self._kept.append(value)
        if isinstance(value, type) and issubclass(value, BaseException):
            above = [each.__name__ for each in value.__mro__ if each.__module__ == "builtins"]
            return {"error": [number, value.__name__, above]}
        return {"far": number}

    def _read(self, data: Any) -> Any:
        return decode(data, self._meant)

    def _meant(self, name: str, inside: Any) -> Any:
        if name in ("far", "error"):
            return self._kept[inside if name == "far" else inside[0]]
        return lambda *values: self._back(inside, values)

    def _back(self, number: int, values: tuple[Any, ...]) -> Any:
        """Call a function of the tests."""
        self._line.send({"back": number, "values": listed(values, self._number)})
        return self.until_told()

    def _done(self, asked: dict[str, Any]) -> tuple[list[Any], list[Any], Any]:
        """The values that were given, what they were like before, and what the program gives for them."""
        values, names = [self._read(each) for each in asked["values"]], self._read(asked["names"])
        before = self._mutable(values)
        if asked["do"] == "call":
            return values, before, values[0](*values[1:], **names)
        return values, before, (_FORMS.get(asked["do"]) or getattr(operator, asked["do"]))(*values)


def _word(value: Any) -> int | float | str:
    """An argument of an exception, as it is or in words."""
    if type(value) in (float, str) or (type(value) is int and value.bit_length() < 4000):
        return value  # type: ignore[no-any-return]
    try:
        return repr(value)[:200]
    except Exception:  # it cannot be said
        return type(value).__name__
