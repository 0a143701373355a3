"""Answers as data: a model is asked for JSON by a schema, what it says is read with patience, and asked for again.

Reasoning is left out first. Then each JSON value of the reply that keeps to the schema is an answer, but for those that
only repeat what the model was shown: whoever is judged could have written them. Answers that decide differently are
none: neither the first nor the last counts, for text may be quoted before the model's own words or after them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.models import Model, Reply, SamplingParams
from selfsown.prompting.coerce import EXPLANATIONS, coerce, parse_labeled_lines
from selfsown.prompting.json_in_text import json_values
from selfsown.records import SelfsownError
from selfsown.text.chat import Prompt, followed
from selfsown.text.normalize import fenced
from selfsown.text.reasoning import has_reasoning_tags, without_reasoning

MAX_CHARS_SHOWN, MAX_REASON_CHARS = (
    2000,
    200,
)  # characters of a wrong answer that its writer is shown, and of what was wrong with it

MIN_QUOTED_CHARS = 5  # characters of JSON that are taken for a quotation; any text may hold an empty list

_IMPORTING = threading.Lock()  # modules that import each other, begun by two threads at once, are found half-made
Check = Callable[[Any], str]  # why the value does not keep to the schema; "" where it does


@dataclass(frozen=True)
class Answer:
    """What a model said last, as data by the schema; or failure: why there is none."""

    data: Any
    text: str
    failure: str = ""
    reasoning: str = ""


def complete_json(
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
    check = schema_checker(schema)
    asked = [
        followed(each, f"Answer with JSON alone, by this JSON schema:\n{compact_json(schema)}") for each in prompts
    ]
    shown = [each if isinstance(each, str) else each.transcript() for each in prompts]
    answers: dict[int, Answer] = {}
    left = dict(enumerate(asked))
    for _ in range(again + 1):
        replies = model.complete(list(left.values()), SamplingParams(temperature=temperature, seed=seed, schema=schema))
        answers |= {at: _read(reply, shown[at], schema, check) for at, (reply,) in zip(left, replies, strict=True)}
        left = {at: _again(asked[at], answers[at]) for at in left if answers[at].failure and answers[at].text.strip()}
        if not left:
            break
    return [answers[at] for at in range(len(prompts))]


def compact_json(data: Any) -> str:
    """JSON on one line, without a space too many."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _read(reply: Reply, prompt: str, schema: Mapping[str, Any], check: Check) -> Answer:
    if reply.failure:  # what was cut off may look whole once it is repaired
        return Answer(None, reply.text, reply.failure, reply.reasoning)
    text = _own_words(reply, prompt)
    found, failure = [], ""
    for each in json_values(text):
        value, wrong = coerce(each.value, schema), check(each.value)
        if wrong and check(value):
            failure = failure or f"not by the schema: {wrong}"
        elif each.is_whole_text or not _is_quoted(each.text, prompt):
            found.append(value if wrong or value == each.value else each.value)
        else:
            failure = failure or "it only repeats JSON that it was shown"
    if not found and not failure:
        value = coerce(parse_labeled_lines(text, schema, prompt), schema)
        found = [value] * (value is not None and not check(value))
    decided = list(dict.fromkeys(compact_json(_decision(value)) for value in found))
    if len(decided) == 1:
        return Answer(found[-1], reply.text, "", reply.reasoning)
    if decided:
        failure = f"it gives {len(decided)} answers that differ: {'; '.join(each[:60] for each in decided[:3])}"
    return Answer(None, reply.text, failure or "no JSON in the answer", reply.reasoning)


def _own_words(reply: Reply, prompt: str) -> str:
    """The reply without its reasoning. Where the prompt itself holds a tag of reasoning, one in the reply may be a
    quotation, so that all of it is read."""
    if has_reasoning_tags(prompt):
        return f"{reply.reasoning}\n{reply.text}" if reply.reasoning else reply.text
    return without_reasoning(reply.text)[1]


def _is_quoted(piece: str, prompt: str) -> bool:
    """Whether the piece stands in the prompt, be it with other spaces, quotation marks or backslashes."""
    piece, prompt = (re.sub(r"[\s\\]+", "", text).replace("'", '"') for text in (piece, prompt))
    return len(piece) >= MIN_QUOTED_CHARS and piece in prompt


def _decision(value: Any) -> Any:
    """The value without what only explains it."""
    explained = isinstance(value, dict) and not value.keys() <= set(EXPLANATIONS)
    return {key: value[key] for key in sorted(value) if key not in EXPLANATIONS} if explained else value


def _again(prompt: Prompt, answer: Answer) -> Prompt:
    said = (
        f"You answered before:\n{fenced(answer.text[:MAX_CHARS_SHOWN])}\n\nThat is of no use:\n{fenced(answer.failure)}"
    )
    return followed(prompt, f"{said}\nAnswer anew, with JSON alone, by the schema.")


def schema_checker(schema: Mapping[str, Any]) -> Check:
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
            f"schema is no JSON schema: {error.json_path}: {error.message[:MAX_REASON_CHARS]}; mend it"
        ) from error
    except Unresolvable as error:
        raise SelfsownError(f"schema refers to {error.ref!r}, which it does not hold; put it under $defs") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise SelfsownError(f"schema is no JSON schema: {error}; mend it") from error
    validator = kind(dict(schema), registry=registry)

    def check(value: Any) -> str:
        wrong = best_match(validator.iter_errors(value))
        return f"{wrong.json_path}: {wrong.message}"[:MAX_REASON_CHARS] if wrong else ""

    return check


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    for each in schema if isinstance(schema, list | tuple) else ():
        yield from _references(each)
