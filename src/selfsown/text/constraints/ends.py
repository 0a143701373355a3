"""Constraints on how an answer begins and ends, and on what stands around it."""

from __future__ import annotations

import re

from selfsown.text.constraints.kind import Kind, Parameters, nothing, one_of
from selfsown.text.constraints.parts import spaced_words, starts_with
from selfsown.text.constraints.vocabulary_lists import END_PHRASES, START_WORDS
from selfsown.text.normalize import normal, unified

_TITLE = re.compile(r"<<([^<>\n]*\w[^<>\n]*)>>")
_POSTSCRIPT = re.compile(r"^[ \t]*P\.[ \t]?S\.[ \t:]*(.*)", re.MULTILINE | re.IGNORECASE | re.DOTALL)
_SAMPLE_TITLES = {"title", "your title", "the title", "my title"}


def _start_word(answer: str, parameters: Parameters) -> str:
    return "" if starts_with(answer.strip(), parameters["word"]) else f"it does not start with {parameters['word']!r}"


def _after_start(answer: str, parameters: Parameters) -> str:
    text = answer.strip()
    return text[len(parameters["word"]) :] if starts_with(text, parameters["word"]) else text


def _end_phrase(answer: str, parameters: Parameters) -> str:
    right = normal(answer).endswith(normal(parameters["phrase"]))
    return "" if right else f"it does not end with {parameters['phrase']!r}"


def _before_end(answer: str, parameters: Parameters) -> str:
    text, phrase = normal(answer), normal(parameters["phrase"])
    return unified(answer).rstrip()[: -len(phrase)] if text.endswith(phrase) else answer


def _quotation(answer: str, parameters: Parameters) -> str:
    text = unified(answer).strip()
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return "it does not begin and end with double quotation marks"
    inner = text[1:-1].replace('\\"', "")
    return "it has more double quotation marks inside" if '"' in inner else ""


def _title(answer: str, parameters: Parameters) -> str:
    titles = [normal(title) for title in _TITLE.findall(unified(answer))]
    if not titles:
        return "it has no title in double angle brackets"
    if set(titles) <= _SAMPLE_TITLES:
        return f"its title is only {titles[0]!r}"
    return "" if spaced_words(_TITLE.sub(" ", unified(answer))) else "it has a title alone"


def _postscript(answer: str, parameters: Parameters) -> str:
    match = _POSTSCRIPT.search(unified(answer))
    if not match:
        return "no line begins with P.S."
    if not spaced_words(match[1]):
        return "nothing follows its P.S."
    return "" if spaced_words(unified(answer)[: match.start()]) else "nothing precedes its P.S."


KINDS = (
    Kind(
        "start_word",
        "ends",
        ("Start your answer with the word {word}.", "The first word of your answer must be {word}."),
        {"word": str},
        one_of("word", *START_WORDS),
        _start_word,
        _after_start,
    ),
    Kind(
        "end_phrase",
        "ends",
        (
            "End your answer with exactly these words: {phrase}",
            "The last words of your answer must be: {phrase}",
            "Finish with this sentence and nothing after it: {phrase}",
        ),
        {"phrase": str},
        one_of("phrase", *END_PHRASES),
        _end_phrase,
        _before_end,
    ),
    Kind(
        "quotation",
        "ends",
        (
            "Put your whole answer in double quotation marks.",
            "Wrap the entire answer in double quotes.",
        ),
        {},
        nothing,
        _quotation,
    ),
    Kind(
        "title",
        "title",
        (
            "Give your answer a title in double angle brackets, such as <<Title>>.",
            "Your answer must have a title, written like this: <<Title>>.",
        ),
        {},
        nothing,
        _title,
        lambda answer, parameters: _TITLE.sub(" ", unified(answer)),
    ),
    Kind(
        "postscript",
        "ends",
        (
            "At the end add a postscript that starts with P.S.",
            "Close with a postscript on a new line, beginning with P.S.",
        ),
        {},
        nothing,
        _postscript,
    ),
)
