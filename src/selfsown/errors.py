"""Errors that a user can fix, exit codes of the command line, and "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum

MIN_SIMILARITY = 0.7  # of a name to the one that was meant, from 0 to 1
MAX_LISTED = 12  # names in one line


class ExitCode(IntEnum):
    """What the exit code of every command means."""

    OK = 0
    USAGE = 2  # the command, the recipe or the data must be changed
    BUDGET = 3  # the budget is spent; a larger one goes on
    FAILED = 4  # it ran, and the result is bad: nothing kept, worse, unsafe, or below a requirement
    INCONCLUSIVE = 5  # it ran, and the data cannot tell
    INTERRUPTED = 130


class SelfsownError(Exception):
    """An error that the user can fix: what was given, why it does not fit, and what there is instead.

    The command line prints it as one line, without a traceback, and exits with its code. Subclasses say what is at
    fault, for callers from Python.
    """

    def __init__(self, message: str, *, code: int = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.code = code


class RecipeError(SelfsownError):
    """The recipe: an unknown key or method, an option that does not fit, or keys that contradict one another."""


class DataError(SelfsownError):
    """The user's rows: a file that cannot be read, columns that are missing, or too few rows."""


class ModelError(SelfsownError):
    """A model or its server: unreachable, refused, unable to do what a step needs, or over the budget."""


class RunFolderError(SelfsownError):
    """The folder of a run: damaged, of another recipe, in use, or not a run's folder."""


def closest(word: str, names: Iterable[str]) -> str:
    """The name of which the word is a misspelling or, if it is the only one, the beginning; "" where none is near."""
    plain = {_plain(name): name for name in sorted(names)}
    typed = _plain(word)
    if close := get_close_matches(typed, plain, 1, MIN_SIMILARITY):
        return plain[close[0]]
    longer = [name for key, name in plain.items() if len(typed) > 2 and key.startswith(typed)]
    return longer[0] if len(longer) == 1 else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def suggest(word: str, available: Iterable[str], lister: str = "") -> str:
    """For an error about an unknown name: "; did you mean 'judge'?" where one is near, else all names if they are few.

    lister: the command that lists them, where they are many.
    """
    names = sorted(available)
    if near := closest(word, names):
        return f"; did you mean {near!r}?"
    if lister and len(names) > MAX_LISTED:
        return f"; `{lister}` lists all {len(names)}"
    return f"; available: {', '.join(names) or 'none'}"


def one_line(error: BaseException) -> str:
    """The type and message of any exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
