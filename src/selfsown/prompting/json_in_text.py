"""The JSON that stands in a text, read with patience for how it is written, and with none for what it may mean."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

MAX_CANDIDATES = 200  # in a text, at most, where JSON may begin
MAX_QUOTE_AWARE = 10  # of them, those whose end is looked for with regard to quotation marks
MAX_DEPTH = 50  # brackets within brackets: a text that repeats itself without end takes very long to repair

_IMPORTING = threading.Lock()  # modules that import each other, begun by two threads at once, are found half-made
_LENIENT = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*")|'(?P<single>(?:[^'\\]|\\.)*)'|\b(?:True|False|None)\b|,(?=\s*[\]}])""", re.DOTALL
)
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_ESCAPES = {"\\'": "'", "\\x": "\\u00", '"': '\\"'}
_QUOTED = (r"""[\[\]{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", r"""[\[\]{}]|"(?:[^"\\]|\\.)*\"""")
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class JsonValue:
    """A JSON value and the passage that it was read from; whole: nothing else stands in the text."""

    value: Any
    text: str
    is_whole_text: bool = False


def json_values(text: str) -> list[JsonValue]:
    """Each JSON value of a text, in order, but for those within others; whatever the text, there is no exception.

    What cannot be read as JSON is read as Python would write it, and then put right by guessing; of braces that hold
    something else, nothing inside is read. A key that stands twice in an object, or in braces that were put right, is
    no JSON: nobody knows which one counts.
    """
    alone = text.strip()
    fence = _FENCE.fullmatch(alone)
    inside = fence[1].strip() if fence and "```" not in fence[1] else alone
    whole = next(iter((*_read(inside), *_read(inside, lenient=True))), _NOTHING)
    found = [JsonValue(whole, inside, True)] if whole is not _NOTHING else list(_parts(inside))
    begun = re.search(r"[\[{]", inside)
    if not found and begun:  # it was cut off, or one bracket is missing
        rest = inside[begun.start() :]
        found = [JsonValue(value, rest) for value in _repaired(rest)]
    return [JsonValue(value, each.text, each.is_whole_text) for each in found for value in _storable(each.value)]


_NOTHING = object()


def _storable(value: Any) -> Iterator[Any]:
    """The value as it can be written down: half a character is replaced; what no file could hold is no value."""
    try:
        yield json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), parse_constant=_refused)
    except (ValueError, RecursionError):
        return


def _parts(text: str) -> Iterator[JsonValue]:
    """What stands between fences, where that is JSON, and what begins with a bracket."""
    last = 0
    for fence in _FENCE.finditer(text):
        for value in _read(fence[1].strip()):
            yield from _pieces(text[last : fence.start()])
            yield JsonValue(value, fence[1].strip())
            last = fence.end()
    yield from _pieces(text[last:])


def _pieces(text: str) -> Iterator[JsonValue]:
    end = 0
    for count, begun in enumerate(list(re.finditer(r"[\[{]", text))[:MAX_CANDIDATES]):
        at = begun.start()
        if at < end:
            continue
        try:
            value, after = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            value, after = _mended(text, at, weighed=count < MAX_QUOTE_AWARE)
        end = max(end, after)
        if after and value is not _NOTHING:
            yield JsonValue(value, text[at:after], text[at:after] == text)


def _mended(text: str, at: int, *, weighed: bool) -> tuple[Any, int]:
    """A value that is no strict JSON, and where it ends; 0 where it never ends, or a list holds something else."""
    ends = [_end(text, at, marks) for marks in (*_QUOTED * weighed, r"[\[\]{}]")]
    pieces = [text[at:end] for end in dict.fromkeys(ends) if end]
    for read in (lambda piece: _read(piece, lenient=True), _repaired):
        for piece in pieces:
            for value in read(piece):
                return value, at + len(piece)
    return _NOTHING, at + len(pieces[-1]) if pieces and text[at] == "{" else 0


def _end(text: str, at: int, marks: str) -> int:
    """Where the bracket that opens here is closed; 0 where it never is."""
    depth = 0
    for mark in re.compile(marks, re.DOTALL).finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark[0], 0)
        if not 0 < depth <= MAX_DEPTH:
            return 0 if depth else mark.end()
    return 0


def _read(piece: str, *, lenient: bool = False) -> Iterator[Any]:
    """As JSON; lenient: with single quotes, Python's constants, breaks within texts, commas after a last element."""
    piece = re.sub(_LENIENT, _put_right, piece) if lenient else piece
    try:
        yield json.loads(piece, parse_constant=_refused, strict=not lenient, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return


def _put_right(found: re.Match[str]) -> str:
    if found["single"] is None:
        return found["double"] or _CONSTANTS.get(found[0], "")
    inside = re.sub(r'\\.|"', lambda each: _ESCAPES.get(each[0], each[0]), found["single"])
    return f'"{inside}"'


def _repaired(piece: str) -> Iterator[Any]:
    """As it was meant: quotes, commas and brackets put right; nothing where a name stands twice."""
    with _IMPORTING:
        import json_repair

    brackets = re.findall(r"[\[{}\]]", piece)
    if piece[:1] not in ("{", "[") or max(accumulate(1 if each in "[{" else -1 for each in brackets)) > MAX_DEPTH:
        return
    names = re.findall(r"""[{,]\s*["']?(\w+)["']?\s*:""", piece)
    if piece[0] == "{" and "[" not in piece and len(set(names)) < len(names):
        return
    try:
        yield json_repair.repair_json(piece, return_objects=True, skip_json_loads=True)
    except Exception:  # a guess at arbitrary text; where it fails, there is none
        return


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refused, object_pairs_hook=_unique)
