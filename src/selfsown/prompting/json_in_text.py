"""Find the JSON values in a text: lenient about syntax, strict about ambiguity."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from selfsown.models import Json, JsonObject

MAX_CANDIDATES = 200  # places in a text where JSON may begin
MAX_QUOTE_AWARE = 10  # of them, those whose end is searched with regard to quotation marks
MAX_DEPTH = 50  # nested brackets: repairing an endlessly repetitive text takes very long

_IMPORTING = (
    threading.Lock()
)  # two threads that first import modules with circular imports would see them half-initialized
_LENIENT = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*")|'(?P<single>(?:[^'\\]|\\.)*)'|\b(?:True|False|None)\b|,(?=\s*[\]}])""", re.DOTALL
)
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_ESCAPES = {"\\'": "'", "\\x": "\\u00", '"': '\\"'}
_QUOTED = (r"""[\[\]{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", r"""[\[\]{}]|"(?:[^"\\]|\\.)*\"""")
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class JsonValue:
    """A JSON value and the passage that it was parsed from; is_whole_text: the text contains nothing else."""

    value: Json
    text: str
    is_whole_text: bool = False


def json_values(text: str) -> list[JsonValue]:
    """Each top-level JSON value of a text, in order. Never raises.

    What cannot be parsed as JSON is parsed as a Python literal, then repaired heuristically; braces that contain
    something else are skipped whole. An object with a duplicate key is not JSON: it is unclear which value counts.
    """
    alone = text.strip()
    fence = _FENCE.fullmatch(alone)
    inside = fence[1].strip() if fence and "```" not in fence[1] else alone
    whole = next(iter((*_read(inside), *_read(inside, lenient=True))), _NOTHING)
    values = [JsonValue(whole, inside, True)] if whole is not _NOTHING else list(_parts(inside))
    begun = re.search(r"[\[{]", inside)
    if not values and begun:  # it was truncated, or one bracket is missing
        rest = inside[begun.start() :]
        values = [JsonValue(value, rest) for value in _repaired(rest)]
    return [JsonValue(value, item.text, item.is_whole_text) for item in values for value in _storable(item.value)]


_NOTHING = object()


def _storable(value: Json) -> Iterator[Json]:
    """The value as it can be stored: lone surrogates are replaced; a value that cannot be encoded is dropped."""
    try:
        yield json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), parse_constant=_refused)
    except (ValueError, RecursionError):
        return


def _parts(text: str) -> Iterator[JsonValue]:
    """JSON between code fences, and what begins with a bracket."""
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
        start = begun.start()
        if start < end:
            continue
        try:
            value, after = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, after = _lenient_value(text, start, quote_aware=count < MAX_QUOTE_AWARE)
        end = max(end, after)
        if after and value is not _NOTHING:
            yield JsonValue(value, text[start:after], text[start:after] == text)


def _lenient_value(text: str, start: int, *, quote_aware: bool) -> tuple[Json, int]:
    """A value that is not strict JSON, and its end; 0 where it never ends, or a list contains something else."""
    ends = [_end(text, start, marks) for marks in (*(_QUOTED if quote_aware else ()), r"[\[\]{}]")]
    pieces = [text[start:end] for end in dict.fromkeys(ends) if end]
    for read in (lambda piece: _read(piece, lenient=True), _repaired):
        for piece in pieces:
            for value in read(piece):
                return value, start + len(piece)
    return _NOTHING, start + len(pieces[-1]) if pieces and text[start] == "{" else 0


def _end(text: str, start: int, marks: str) -> int:
    """The position behind the bracket that closes the one here; 0 where none does."""
    depth = 0
    for mark in re.compile(marks, re.DOTALL).finditer(text, start):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark[0], 0)
        if not 0 < depth <= MAX_DEPTH:
            return 0 if depth else mark.end()
    return 0


def _read(piece: str, *, lenient: bool = False) -> Iterator[Json]:
    """Parsed as JSON; lenient: single quotes, Python's constants, line breaks in strings, trailing commas."""
    piece = re.sub(_LENIENT, _to_json_syntax, piece) if lenient else piece
    try:
        yield json.loads(piece, parse_constant=_refused, strict=not lenient, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return


def _to_json_syntax(match: re.Match[str]) -> str:
    if match["single"] is None:
        return match["double"] or _CONSTANTS.get(match[0], "")
    inside = re.sub(r'\\.|"', lambda escape: _ESCAPES.get(escape[0], escape[0]), match["single"])
    return f'"{inside}"'


def _repaired(piece: str) -> Iterator[Json]:
    """Repaired: quotes, commas and brackets corrected; nothing where a key is duplicated."""
    with _IMPORTING:
        import json_repair

    brackets = re.findall(r"[\[{}\]]", piece)
    if piece[:1] not in ("{", "[") or max(accumulate(1 if bracket in "[{" else -1 for bracket in brackets)) > MAX_DEPTH:
        return
    names = re.findall(r"""[{,]\s*["']?(\w+)["']?\s*:""", piece)
    if piece[0] == "{" and "[" not in piece and len(set(names)) < len(names):
        return
    try:
        yield json_repair.repair_json(piece, return_objects=True, skip_json_loads=True)
    except Exception:  # the heuristics see arbitrary text; where they fail, there is no value
        return


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        raise ValueError("duplicate key")
    return tree


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refused, object_pairs_hook=_unique)
