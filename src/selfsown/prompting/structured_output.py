"""Structured output: a model is asked for JSON by a schema, its reply is parsed leniently, and retried if invalid.

Reasoning is removed first. Then each JSON value of the reply that matches the schema is an answer, except those that
only repeat what the prompt contains: the text being judged could have planted them. Answers that decide differently are
discarded: neither the first nor the last counts, because text may be quoted before or after the model's own words.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfsown.models import Json, Model, Reply, SamplingParams
from selfsown.prompting.coerce import EXPLANATIONS, coerce, parse_labeled_lines
from selfsown.prompting.json_in_text import json_values
from selfsown.records import SelfsownError
from selfsown.text.chat import Prompt, append_text
from selfsown.text.normalize import fenced
from selfsown.text.reasoning import has_reasoning_tags, without_reasoning

MAX_CHARS_SHOWN, MAX_REASON_CHARS = (
    2000,
    200,
)  # of an invalid answer in a retry prompt, and of the reason

MIN_QUOTED_CHARS = 5  # of JSON that counts as a quotation; any text may contain an empty list

_IMPORTING = (
    threading.Lock()
)  # two threads that first import modules with circular imports would see them half-initialized
Check = Callable[[Json], str]  # why the value does not match the schema; "" where it does


@dataclass(frozen=True)
class Answer:
    """A model's last reply as data that matches the schema; or failure: why there is none."""

    data: Json
    text: str
    failure: str = ""
    reasoning: str = ""


def complete_json(
    model: Model,
    prompts: Sequence[Prompt],
    schema: Mapping[str, Json],
    *,
    retries: int = 2,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[Answer]:
    """An answer to each prompt, in order. After an invalid reply, the model gets the reason and is asked again, at most
    `retries` times; a failed or empty reply is not retried. Raises SelfsownError where the schema is invalid."""
    check = schema_checker(schema)
    instructions = f"Answer with JSON alone, by this JSON schema:\n{compact_json(schema)}"
    requested = [append_text(prompt, instructions) for prompt in prompts]
    shown = [prompt if isinstance(prompt, str) else prompt.transcript() for prompt in prompts]
    answers: dict[int, Answer] = {}
    left = dict(enumerate(requested))
    for _ in range(retries + 1):
        replies = model.complete(list(left.values()), SamplingParams(temperature=temperature, seed=seed, schema=schema))
        answers |= {
            index: _read(reply, shown[index], schema, check) for index, (reply,) in zip(left, replies, strict=True)
        }
        left = {
            index: _retry_prompt(requested[index], answers[index])
            for index in left
            if answers[index].failure and answers[index].text.strip()
        }
        if not left:
            break
    return [answers[index] for index in range(len(prompts))]


def compact_json(data: Json) -> str:
    """JSON on one line, without optional spaces."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _read(reply: Reply, prompt: str, schema: Mapping[str, Json], check: Check) -> Answer:
    if reply.failure:  # a truncated reply may look complete once it is repaired
        return Answer(None, reply.text, reply.failure, reply.reasoning)
    text = _own_words(reply, prompt)
    values, failure = [], ""
    for item in json_values(text):
        value, wrong = coerce(item.value, schema), check(item.value)
        if wrong and check(value):
            failure = failure or f"does not match the schema: {wrong}"
        elif item.is_whole_text or not _is_quoted(item.text, prompt):
            values.append(value if wrong or value == item.value else item.value)
        else:
            failure = failure or "it only repeats JSON from its prompt"
    if not values and not failure:
        value = coerce(parse_labeled_lines(text, schema, prompt), schema)
        values = [value] if value is not None and not check(value) else []
    decided = list(dict.fromkeys(compact_json(_decision(value)) for value in values))
    if len(decided) == 1:
        return Answer(values[-1], reply.text, "", reply.reasoning)
    if decided:
        failure = f"it gives {len(decided)} different answers: {'; '.join(answer[:60] for answer in decided[:3])}"
    return Answer(None, reply.text, failure or "no JSON in the answer", reply.reasoning)


def _own_words(reply: Reply, prompt: str) -> str:
    """The reply without its reasoning. Where the prompt itself contains a reasoning tag, one in the reply may be a
    quotation, so the whole reply is parsed."""
    if has_reasoning_tags(prompt):
        return f"{reply.reasoning}\n{reply.text}" if reply.reasoning else reply.text
    return without_reasoning(reply.text)[1]


def _is_quoted(piece: str, prompt: str) -> bool:
    """Whether the prompt contains the piece, ignoring spaces, backslashes and the kind of quotation marks."""
    piece, prompt = (re.sub(r"[\s\\]+", "", text).replace("'", '"') for text in (piece, prompt))
    return len(piece) >= MIN_QUOTED_CHARS and piece in prompt


def _decision(value: Json) -> Json:
    """The value without the fields that only explain it."""
    explained = isinstance(value, dict) and not value.keys() <= set(EXPLANATIONS)
    return {key: value[key] for key in sorted(value) if key not in EXPLANATIONS} if explained else value


def _retry_prompt(prompt: Prompt, answer: Answer) -> Prompt:
    previous = f"You answered before:\n{fenced(answer.text[:MAX_CHARS_SHOWN])}"
    problem = f"That cannot be used:\n{fenced(answer.failure)}"
    return append_text(prompt, f"{previous}\n\n{problem}\nAnswer again, with JSON alone, by the schema.")


def schema_checker(schema: Mapping[str, Json]) -> Check:
    """A function that returns why a value does not match the schema. Raises SelfsownError for an invalid schema."""
    try:
        with _IMPORTING:
            from jsonschema.exceptions import SchemaError, best_match
            from jsonschema.validators import Draft202012Validator, validator_for
            from referencing import Registry
            from referencing.exceptions import Unresolvable
            from referencing.jsonschema import DRAFT202012
    except ModuleNotFoundError as error:
        raise SelfsownError(
            f"structured output needs the package {error.name}: pip install 'selfsown[endpoint]'"
        ) from error
    try:
        json.dumps(schema)
        kind = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(dict(schema))
        registry: Any = Registry()  # it fetches nothing
        resolver = registry.resolver_with_root(DRAFT202012.create_resource(schema))
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        raise SelfsownError(
            f"schema is not a JSON schema: {error.json_path}: {error.message[:MAX_REASON_CHARS]}"
        ) from error
    except Unresolvable as error:
        raise SelfsownError(
            f"schema refers to {error.ref!r}, which it does not contain; define it under $defs"
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise SelfsownError(f"schema is not a JSON schema: {error}") from error
    validator = kind(dict(schema), registry=registry)

    def check(value: Json) -> str:
        wrong = best_match(validator.iter_errors(value))
        return f"{wrong.json_path}: {wrong.message}"[:MAX_REASON_CHARS] if wrong else ""

    return check


def _references(schema: Json) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        schema = list(schema.values())
    for part in schema if isinstance(schema, list | tuple) else ():
        yield from _references(part)
