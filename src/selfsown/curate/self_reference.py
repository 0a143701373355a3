"""Reject rows in which a model names itself as an AI or another model, refuses, or leaks its prompt or template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selfsown.prompting.reply_checks import refusal_text
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import unified

STREAMS = True

_MODELS = (
    r"chat ?gpt|gpt-?\d\S*|claude(?!\s+(?-i:[A-Z]))|gemini|gemma|bard|copilot|llama|grok|mistral|mixtral|qwen|deepseek"
    r"|palmyra|phi-?\d"
)
_MAKERS = r"open ?ai|anthropic|google|deepmind|meta(?: ai)?|microsoft|x\.?ai|mistral(?: ai)?|alibaba|deepseek|writer"
_AI = (
    r"(?:(?:ai|artificial intelligence)(?: (?:(?:language )?model|assistant|chat ?bot|system)\b"
    r"|(?=\s*(?:[,.;!\n]|\Z)|\s+(?:and|so|that|i|which)\b))|(?:large )?language model\b)"
)

# What the model says about itself, in the first person; a text about models does not match.
_SELF = (
    rf"\b(?:i am|i'm|my name is|you can call me)(?: called| named)? (?P<name>{_MODELS})\b",
    rf"\b(?:i am|i'm|as)(?: just| only)? an? {_AI}",
    rf"\bi(?:'m| am| was|'ve been| have been) (?:an? (?:\w+ ){{0,4}})?"
    rf"(?:trained|developed|created|made|built|designed) by (?P<maker>{_MAKERS})\b",
    r"\bmy knowledge cut-?off\b",
)
# Marks of chat templates, of data formats, and of the instructions that the generator was given.
_TEMPLATE = (
    r"<\|(?:im_start|im_end|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|user|assistant|system)\|>",
    r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?text-[0-9a-f]{12}>|</?think>",
    r"^\#{2,3} ?(?:Instruction|Response|Input|System|Human|Assistant):",
    r"\byou are a helpful(?:, \w+)* (?:ai )?assistant\b",
    r"\b(?:my|the) system prompt (?:says|is|tells)\b|\banswer with json alone\b",
)
_SELF_DESCRIPTION = "self-description"


def curate(rows: Iterable[Row], *, name: str = "", patterns: tuple[str, ...] = ()) -> Iterator[Row]:
    """Letter case is ignored.

    name: what the model may call itself, or who made it; it may then also say that it is an AI.
    patterns: additional regular expressions, searched in the answer. SelfsownError if one is invalid.
    """
    templates = [("template text", _compiled(pattern)) for pattern in _TEMPLATE]
    tests = [(_SELF_DESCRIPTION, _compiled(pattern)) for pattern in _SELF]
    tests += [("custom pattern", _compiled(pattern)) for pattern in patterns] + templates
    for row in rows:
        refused = refusal_text(row.answer)
        match = f"refusal: {refused[:60]!r}" if refused else ""
        for answer in dict.fromkeys((row.answer, unified(row.answer))):  # patterns may use either Unicode form
            match = match or _first_match(answer, tests, name)
        match = match or _first_match(unified(row.prompt), templates, "")
        yield row.rejected(f"self_reference: {match}") if match else row


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        message = f"curate.self_reference: {pattern!r} in patterns is not a valid regular expression: {error}"
        raise SelfsownError(message) from error


def _first_match(text: str, tests: list[tuple[str, re.Pattern[str]]], name: str) -> str:
    """The first match in the text that `name` does not allow, with its kind; "" if there is none."""
    for kind, pattern in tests:
        for match in pattern.finditer(text):
            names = [value.casefold() for value in match.groupdict().values() if value]
            if not (name and kind == _SELF_DESCRIPTION and (not names or name.casefold() in names)):
                return f"{kind}: {match[0][:60]!r}"
    return ""
