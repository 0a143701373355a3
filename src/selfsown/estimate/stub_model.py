"""A model behind a server whose requests are listed, and one that answers in its place and asks nobody."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.prompting.structured_output import compact_json
from selfsown.text.chat import Prompt

if TYPE_CHECKING:  # it brings an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.api_formats import ParsedReply
    from selfsown.models.endpoint.endpoint import Endpoint
    from selfsown.models.endpoint.request import Request

CHARACTERS = 4  # of a token, about
QUOTED = 20  # words of a text that are quoted from it
DEEPEST = 20  # schemas within schemas: one that holds itself has no end
FORMATS = {"date": "2000-01-01", "date-time": "2000-01-01T00:00:00Z", "time": "00:00:00Z", "email": "a@example.org"}
FORMATS |= {"uri": "https://example.org", "uuid": "00000000-0000-4000-8000-000000000000", "ipv4": "192.0.2.1"}

_SOURCE = re.compile(r"<text-(\w{12})>\n(.*)\n</text-\1>", re.DOTALL)  # what stands between marks


@dataclass(frozen=True)
class Asked:
    """A request, for whom it is, and the reply that the journal has of it.

    tokens: those that a reply is expected to have.
    """

    model: Endpoint
    ask: Request
    said: ParsedReply | None = None
    tokens: int = 0


class Listed:
    """The model as it is; what it is asked is put down as well."""

    def __init__(self, model: Endpoint, asked: list[Asked]) -> None:
        self.model, self.asked, self.name = model, asked, model.name
        self.url, self.style, self.role, self.price = model.url, model.style, model.role, model.price

    @property
    def max_in_flight(self) -> int:
        return self.model.max_in_flight

    @property
    def preferred_batch(self) -> int:
        return self.model.preferred_batch

    def cancel(self) -> None:
        self.model.cancel()

    def for_step(self, stage: str) -> Listed:
        return Listed(self.model.for_step(stage), self.asked)

    def with_model(self, name: str) -> Listed:
        return Listed(self.model.with_model(name), self.asked)

    def bits(self, rows: Sequence[Any]) -> Any:
        return self.model.bits(rows)

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        asks = self.model.requests(prompts, params)
        self.asked += [Asked(self.model, ask) for these in asks for ask in {ask.key: ask for ask in these}.values()]
        return self.model.complete(prompts, params)


Length = Callable[
    ["Endpoint", "Request", bool], int
]  # tokens of a reply that nobody has given; whether it has a schema


class StandIn(Listed):
    """What the journal has is answered as it was; the rest with words of the length that a reply is expected to have,
    or with the least that keeps to the schema, its lists of so many elements as the step asks for."""

    def __init__(self, model: Endpoint, asked: list[Asked], length: Length, elements: Mapping[str, int]) -> None:
        super().__init__(model, asked)
        self.length, self.elements = length, elements

    def for_step(self, stage: str) -> StandIn:
        return StandIn(self.model.for_step(stage), self.asked, self.length, self.elements)

    def with_model(self, name: str) -> StandIn:
        return StandIn(self.model.with_model(name), self.asked, self.length, self.elements)

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        from selfsown.models.endpoint.api_formats import ParsedReply

        asks = self.model.requests(prompts, params)
        schema = params.schema
        heard = self.model.journaled_replies([ask.key for these in asks for ask in these])
        said = dict(heard)
        fits = _fitting(schema) if schema else None
        for prompt, these in zip(prompts, asks, strict=True):
            for ask in {ask.key: ask for ask in these}.values():
                tokens = self.length(self.model, ask, bool(schema))
                self.asked.append(Asked(self.model, ask, heard.get(ask.key), tokens))
            for ask in these:
                if ask.key not in said:
                    tokens = self.length(self.model, ask, bool(schema))
                    text = _made_up(ask, str(prompt), tokens, schema, fits, self.elements.get(self.model.stage, 1))
                    said[ask.key] = ParsedReply(text, failure="" if text else "no stand-in keeps to its schema")
        return self.model.replies(prompts, asks, said, params.continue_prompt)


def _made_up(
    ask: Request, prompt: str, tokens: int, schema: Any, fits: Callable[[Any], bool] | None, elements: int
) -> str:
    """Another text to each request, or later steps would ask once where they ask twice."""
    own = f"{ask.key[:8]} "
    if fits is None:
        return own + "some " * max(1, (tokens * CHARACTERS - len(own)) // 5 - 1) + "\nmore"
    found = _SOURCE.search(prompt)
    source = found[2].split() if found else []
    starts = range(elements)
    words = [" ".join(source[at % len(source) :][:QUOTED]) if source else f"{own}{at}" for at in starts]
    value = instance(schema, schema, words)
    return compact_json(value) if fits(value) else ""


def _fitting(schema: Mapping[str, Any]) -> Callable[[Any], bool]:
    from jsonschema.validators import Draft202012Validator, validator_for

    return validator_for(schema, default=Draft202012Validator)(dict(schema)).is_valid


def instance(schema: Any, root: Any, words: Sequence[str], depth: int = 0) -> Any:
    """About the least that keeps to a JSON schema; patterns, and whatever else is rare, are not kept to.

    words: a text for each element of a list, which has so many if it may.
    """
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return {}
    whole = _plain(schema, root)
    for name in ("const", "default"):
        if name in whole:
            return whole[name]
    if whole.get("enum"):
        return whole["enum"][0]
    kind = whole.get("type") or ("object" if "properties" in whole else "array" if "items" in whole else "string")
    kind = next((each for each in kind if each != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object":
        there = whole.get("properties", {})
        return {name: instance(there.get(name, {}), root, words, depth + 1) for name in _needed(whole)}
    if kind == "array":
        first = whole.get("prefixItems", [])
        many = max(whole.get("minItems", 0), min(len(words), whole.get("maxItems", len(words))))
        each = [*first, *[whole.get("items", {})] * (many - len(first))]
        return [instance(part, root, [words[at % len(words)]], depth + 1) for at, part in enumerate(each)]
    if kind == "string":
        text = FORMATS.get(whole.get("format", ""), words[0])
        return text.ljust(whole.get("minLength", 0), "e")[: whole.get("maxLength")]
    return _number(whole, kind) if kind in ("integer", "number") else False if kind == "boolean" else None


def _plain(schema: Mapping[str, Any], root: Any) -> dict[str, Any]:
    """The schema with what it refers to, all of it and the first of what it may be, in one."""
    whole = dict(schema)
    for _ in range(DEEPEST):
        parts = [*whole.pop("allOf", []), *whole.pop("anyOf", [])[:1], *whole.pop("oneOf", [])[:1]]
        parts += [_found(root, whole.pop("$ref"))] if "$ref" in whole else []
        if not parts:
            break
        for part in parts:
            if isinstance(part, Mapping):
                both = {name: {**whole.get(name, {}), **part[name]} for name in ("properties",) if name in part}
                needed = {"required": [*whole.get("required", []), *part.get("required", [])]}
                whole = {**whole, **part, **both, **needed}
    return whole


def _found(root: Any, reference: str) -> Any:
    """What a reference within the schema points to; anything, where it points elsewhere."""
    try:
        for name in reference.removeprefix("#").split("/")[1:]:
            root = root[name.replace("~1", "/").replace("~0", "~")]
    except (KeyError, TypeError):
        return {}
    return root


def _needed(whole: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(whole.get("required", [])))


def _number(whole: Mapping[str, Any], kind: str) -> float:
    step = whole.get("multipleOf", 1)
    least = max(whole.get("minimum", -math.inf), whole.get("exclusiveMinimum", -math.inf))
    most = min(whole.get("maximum", math.inf), whole.get("exclusiveMaximum", math.inf))
    value = 0.0 if least <= 0 <= most else least if math.isfinite(least) else most
    value = math.ceil(value / step) * step if math.isfinite(least) else math.floor(value / step) * step
    value += step * (value == whole.get("exclusiveMinimum")) - step * (value == whole.get("exclusiveMaximum"))
    return int(value) if kind == "integer" or value == int(value) else value
