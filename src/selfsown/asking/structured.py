"""Answers as data: a model is asked for JSON by a schema, what it says is read with patience, and asked for again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from selfsown.models import Model, Reply
from selfsown.records import SelfsownError
from selfsown.text import fenced
from selfsown.text.talk import Prompt, followed

PLACES = 200  # in a text, at most, where JSON may begin
DEEPEST = 50  # brackets within brackets: a text that repeats itself without end takes very long to repair
SHOWN, REASON = 2000, 200  # characters of a wrong answer that its writer is shown, and of what was wrong with it

_IMPORTING = threading.Lock()  # modules that import each other, begun by two threads at once, are found half-made
_LENIENT = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\.)*")|'(?P<single>(?:[^'\\]|\\.)*)'|\b(?:True|False|None)\b|,(?=\s*[\]}])""", re.DOTALL
)
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}
_ESCAPES = {"\\'": "'", "\\x": "\\u00", '"': '\\"'}

Check = Callable[[Any], str]  # why the value does not keep to the schema; "" where it does


@dataclass(frozen=True)
class Answer:
    """What a model said last, as data by the schema; or failure: why there is none."""

    data: Any
    text: str
    failure: str = ""
    reasoning: str = ""


def ask(
    model: Model,
    prompts: Sequence[Prompt],
    schema: Mapping[str, Any],
    *,
    again: int = 2,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Answer]:
    """An answer to each prompt, in order. Who said something unfit is told why, and asked again, at most `again`
    times; of who said nothing at all, the failure is known already."""
    check = checked(schema)
    asked = [followed(each, f"Answer with JSON alone, by this JSON schema:\n{compact(schema)}") for each in prompts]
    answers: dict[int, Answer] = {}
    left = dict(enumerate(asked))
    for _ in range(again + 1):
        replies = model.complete(list(left.values()), temperature=temperature, seed=seed, schema=schema)
        answers |= {at: _read(reply, check) for at, (reply,) in zip(left, replies, strict=True)}
        left = {at: _again(asked[at], answers[at]) for at in left if answers[at].failure and answers[at].text.strip()}
        if not left:
            break
    return [answers[at] for at in range(len(prompts))]


def compact(data: Any) -> str:
    """JSON on one line, without a space too many."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def values(text: str) -> Iterator[Any]:
    """Every JSON value that a text may mean, the likeliest first; whatever the text, there is no exception."""
    pieces = [text.strip(), *_fenced(text)]
    if begun := re.search(r"[\[{]", text):
        rest = text[begun.start() :]
        pieces += [rest[: max(rest.rfind("}"), rest.rfind("]")) + 1], rest]
    for reading in (_strict, _lenient, _embedded, _repaired):
        for piece in dict.fromkeys(pieces):
            for value in reading(piece):
                try:
                    yield json.loads(compact(value).encode("utf-8", "replace"), parse_constant=_refused)
                except (ValueError, RecursionError):
                    continue  # half a character is mended; what no file could hold is no value


def _read(reply: Reply, check: Check) -> Answer:
    if reply.failure:  # what was cut off may look whole once it is repaired
        return Answer(None, reply.text, reply.failure, reply.reasoning)
    failure = ""
    for value in values(reply.text):
        wrong = check(value)
        if not wrong:
            return Answer(value, reply.text, "", reply.reasoning)
        failure = failure or f"not by the schema: {wrong}"
    return Answer(None, reply.text, failure or "no JSON in the answer", reply.reasoning)


def _again(prompt: Prompt, answer: Answer) -> Prompt:
    said = f"You answered before:\n{fenced(answer.text[:SHOWN])}\n\nThat is of no use:\n{fenced(answer.failure)}"
    return followed(prompt, f"{said}\nAnswer anew, with JSON alone, by the schema.")


def _fenced(text: str) -> list[str]:
    """What stands between fences, the last first; and between the first and the last, where a text holds some."""
    found = re.findall(r"```(.*?)```", text, re.DOTALL)[::-1]
    found += ["```".join(text.split("```")[1:-1])]
    return [re.sub(r"^[\w-]*\n", "", piece).strip() for piece in found]


def _strict(piece: str, *, lenient: bool = False) -> Iterator[Any]:
    try:
        yield json.loads(piece, parse_constant=_refused, strict=not lenient)
    except (ValueError, RecursionError):
        return


def _lenient(piece: str) -> Iterator[Any]:
    """With single quotes, Python's constants, breaks within texts, and commas after a last element."""
    return _strict(re.sub(_LENIENT, _put_right, piece), lenient=True)


def _put_right(found: re.Match[str]) -> str:
    if found["single"] is None:
        return found["double"] or _CONSTANTS.get(found[0], "")
    inside = re.sub(r'\\.|"', lambda each: _ESCAPES.get(each[0], each[0]), found["single"])
    return f'"{inside}"'


def _embedded(piece: str) -> Iterator[Any]:
    """Each object or list that stands whole in the text."""
    decoder, end = json.JSONDecoder(parse_constant=_refused), 0
    for at in [found.start() for found in re.finditer(r"[\[{]", piece)][:PLACES]:
        if at >= end:
            try:
                value, end = decoder.raw_decode(piece, at)
                yield value
            except (ValueError, RecursionError):
                continue


def _repaired(piece: str) -> Iterator[Any]:
    """As it was meant: quotes, commas and brackets put right."""
    with _IMPORTING:
        import json_repair

    brackets = re.findall(r"[\[{}\]]", piece)
    if piece[:1] in ("{", "[") and max(accumulate(1 if each in "[{" else -1 for each in brackets)) <= DEEPEST:
        try:
            yield json_repair.repair_json(piece, return_objects=True, skip_json_loads=True)
        except Exception:  # a guess at arbitrary text; where it fails, there is none
            return


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def checked(schema: Mapping[str, Any]) -> Check:
    """What tells whether a value keeps to the schema; SelfsownError where that is no schema."""
    try:
        with _IMPORTING:
            from jsonschema.exceptions import SchemaError, best_match
            from jsonschema.validators import Draft202012Validator, validator_for
            from referencing import Registry
            from referencing.exceptions import Unresolvable
            from referencing.jsonschema import DRAFT202012
    except ModuleNotFoundError as error:
        raise SelfsownError(f"answers as JSON need {error.name}: pip install 'selfsown[endpoint]'") from error
    try:
        json.dumps(schema)
        kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(dict(schema))
        registry: Any = Registry()  # one that fetches nothing
        resolver = registry.resolver_with_root(DRAFT202012.create_resource(schema))
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        raise SelfsownError(
            f"schema is no JSON schema: {error.json_path}: {error.message[:REASON]}; mend it"
        ) from error
    except Unresolvable as error:
        raise SelfsownError(f"schema refers to {error.ref!r}, which it does not hold; put it under $defs") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise SelfsownError(f"schema is no JSON schema: {error}; mend it") from error
    validator = kind(dict(schema), registry=registry)

    def check(value: Any) -> str:
        wrong = best_match(validator.iter_errors(value))
        return f"{wrong.json_path}: {wrong.message}"[:REASON] if wrong else ""

    return check


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    for each in schema if isinstance(schema, list | tuple) else ():
        yield from _references(each)
