"""The one line that a command prints of an error, with what to type instead."""

from __future__ import annotations

from collections.abc import Sequence

from cyclopts import MissingArgumentError, UnusedCliTokensError


def error_line(error: Exception, arguments: Sequence[str]) -> str:
    """arguments: those of the command line, which may show what the shell made of an unquoted change."""
    command = arguments[0] if arguments else ""
    if split := _split_change(arguments):
        return (
            f"the shell has split {split.split()[0]!r} at its spaces; put the change in single quotes: --set '{split}'"
        )
    if isinstance(error, MissingArgumentError) and error.argument:
        name = error.argument.name
        if name in arguments:
            return f"{name} needs a value; see selfsown {command} --help"
        positional = error.argument.field_info.is_positional
        return f"{command} needs {name.lstrip('-').upper() if positional else name}; see selfsown {command} --help"
    if isinstance(error, UnusedCliTokensError):
        unused = " ".join(error.unused_tokens or ())
        return f"{command} takes no further argument {unused!r}; see selfsown {command} --help"
    return " ".join(str(error).split())


def _split_change(arguments: Sequence[str]) -> str:
    """The change whose brackets are closed by later arguments only; "" where there is none."""
    for index, argument in enumerate(arguments[:-1]):
        change = arguments[index + 1] if argument == "--set" else ""
        for end in range(index + 3, len(arguments) + 1):
            if not _is_open(change):
                break
            change = " ".join(arguments[index + 1 : end])
            if not _is_open(change):
                return change
    return ""


def _is_open(text: str) -> bool:
    return any(text.count(left) > text.count(right) for left, right in ("{}", "[]"))
