"""Reject rows in which a model speaks of itself as somebody else, refuses, or lets its prompt or template show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selfsown.prompting.reply_checks import refusal_text
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import unified

_MODELS = (
    r"chat ?gpt|gpt-?\d\S*|claude(?!\s+(?-i:[A-Z]))|gemini|gemma|bard|copilot|llama|grok|mistral|mixtral|qwen|deepseek"
    r"|palmyra|phi-?\d"
)
_MAKERS = r"open ?ai|anthropic|google|deepmind|meta(?: ai)?|microsoft|x\.?ai|mistral(?: ai)?|alibaba|deepseek|writer"
_AI = (
    r"(?:(?:ai|artificial intelligence)(?: (?:(?:language )?model|assistant|chat ?bot|system)\b"
    r"|(?=\s*(?:[,.;!\n]|\Z)|\s+(?:and|so|that|i|which)\b))|(?:large )?language model\b)"
)

# What the model says of itself, in the first person: a text about models is none of it.
_SELF = (
    rf"\b(?:i am|i'm|my name is|you can call me)(?: called| named)? (?P<name>{_MODELS})\b",
    rf"\b(?:i am|i'm|as)(?: just| only)? an? {_AI}",
    rf"\bi(?:'m| am| was|'ve been| have been) (?:an? (?:\w+ ){{0,4}})?"
    rf"(?:trained|developed|created|made|built|designed) by (?P<maker>{_MAKERS})\b",
    r"\bmy knowledge cut-?off\b",
)
# Marks of chat templates, of data formats, and of the instructions that were given to the writer.
_TEMPLATE = (
    r"<\|(?:im_start|im_end|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|user|assistant|system)\|>",
    r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?text-[0-9a-f]{12}>|</?think>",
    r"^\#{2,3} ?(?:Instruction|Response|Input|System|Human|Assistant):",
    r"\byou are a helpful(?:, \w+)* (?:ai )?assistant\b",
    r"\b(?:my|the) system prompt (?:says|is|tells)\b|\banswer with json alone\b",
)


def curate(rows: Iterable[Row], *, name: str = "", patterns: tuple[str, ...] = ()) -> Iterator[Row]:
    """Letter case aside. With `name`, what the model may call itself, or who made it, it may also say that it is an AI.
    `patterns` are regular expressions of your own, looked for in the answer."""
    templates = [("its template shows", _compiled(each)) for each in _TEMPLATE]
    tests = [("it says what it is", _compiled(each)) for each in _SELF]
    tests += [("a pattern of yours", _compiled(each)) for each in patterns] + templates
    for row in rows:
        refused = refusal_text(row.answer)
        found = f"it refuses: {refused[:60]!r}" if refused else ""
        for answer in dict.fromkeys((row.answer, unified(row.answer))):  # patterns may be written in either spelling
            found = found or _first(answer, tests, name)
        found = found or _first(unified(row.prompt), templates, "")
        yield row.rejected(f"identity: {found}") if found else row


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        said = f"curate.self_reference: {pattern!r} in patterns is no regular expression: {error}; mend it"
        raise SelfsownError(said) from error


def _first(text: str, tests: list[tuple[str, re.Pattern[str]]], name: str) -> str:
    """The first thing that is wrong with the text, with its words; "" where nothing is."""
    for kind, pattern in tests:
        for found in pattern.finditer(text):
            said = [each.casefold() for each in found.groupdict().values() if each]
            if not (name and kind == "it says what it is" and (not said or name.casefold() in said)):
                return f"{kind}: {found[0][:60]!r}"
    return ""
