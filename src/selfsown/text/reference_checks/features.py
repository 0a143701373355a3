"""Features of an answer to a prompt: properties that it has or not, numbers, and forms."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise
from typing import Any, Generic, TypeVar

from selfsown.text.constraints.own_words import FUNCTION_WORDS
from selfsown.text.normalize import normal

Value = TypeVar("Value", bool, float, str)
RUN = 5  # words in a row that make a copied passage
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_TERM = r"[$€£]?\d[\d,]*(?:\.\d+)?"
_SUM = re.compile(rf"(?<![\w.*/+-])({_TERM}(?:\s*[-+*/]\s*{_TERM})+)\s*=\s*[$€£]?(\d[\d,]*(?:\.\d+)?)(?!\s*[\w/*+-])")
_OPTION = re.compile(r"(?:^|\n)\s*(?:[-*•]|\(?[A-Za-z0-9]{1,2}[.)])\s+([^\n]+)")
_REFUSAL = re.compile(r"\b(?:i (?:cannot|can't|can’t|am unable|won't)|i'm (?:sorry|unable)|as an ai|language model)\b")
_CHATTER = re.compile(r"^(?:sure|certainly|of course|here (?:is|are)|okay|great question)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Feature(Generic[Value]):
    """name: in reasons. says: what it means of an answer that has it, or what is counted. of: (prompt, answer)."""

    name: str
    says: str
    of: Callable[[str, str], Value]


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, in lower case."""
    return tuple(_WORD.findall(text.lower()))


def content_words(text: str) -> frozenset[str]:
    """The words that carry a meaning."""
    return frozenset(word for word in words(text) if word not in FUNCTION_WORDS and len(word) > 2)


def _numbers(text: str) -> set[str]:
    plain = (number.replace(",", "") for number in _NUMBER.findall(text))
    return {number.rstrip("0").rstrip(".") if "." in number else number for number in plain}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*[-+]?[$€£]?\d[\d,]*(?:\.\d+)?\s*%?\s*", text))


def _parses(prompt: str, answer: str) -> bool:
    try:
        return bool(ast.parse(answer).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_code(prompt: str, answer: str) -> bool:
    return _parses(prompt, answer) and bool(
        re.search(r"^(?:def|class|import|from|return|for|if|while) |=|\(", answer, re.M)
    )


def _computes_rightly(prompt: str, answer: str) -> bool:
    """Whether each sum such as 3 * 4 = 12 is right to the digits that it shows."""
    plain = answer.replace("×", "*").replace("÷", "/").replace("−", "-")
    return all(_is_right(match[1], match[2]) for match in _SUM.finditer(plain))


def _is_right(computation: str, result: str) -> bool:
    shown = result.replace(",", "").rstrip(".")
    places = len(shown.partition(".")[2])
    terms = re.split(r"\s*([-+*/])\s*", re.sub(r"[$€£,\s]", "", computation))
    try:
        value = _evaluated([terms[0], *terms[1:]])
    except (ValueError, ZeroDivisionError, InvalidOperation):
        return True  # not a sum after all
    return bool(abs(value - Decimal(shown)) < Decimal(1) / 10**places)


def _evaluated(terms: Sequence[str]) -> Decimal:
    """A sum without brackets, products before sums."""
    total, product, sign = Decimal(0), Decimal(terms[0]), 1
    for operator, term in zip(terms[1::2], map(Decimal, terms[2::2]), strict=True):
        if operator in "*/":
            product = product * term if operator == "*" else product / term
        else:
            total, product, sign = total + sign * product, term, 1 if operator == "+" else -1
    return total + sign * product


def _ends_as_computed(prompt: str, answer: str) -> bool:
    """Whether the number of the last of several lines stands in the lines before it."""
    *before, last = answer.strip().splitlines() or [""]
    return bool(before and _numbers(last)) and _numbers(last) <= _numbers("\n".join(before))


def _balanced(prompt: str, answer: str) -> bool:
    closing, opened = {")": "(", "]": "[", "}": "{"}, list[str]()
    for character in answer:
        if character in "([{":
            opened.append(character)
        elif character in closing and (not opened or opened.pop() != closing[character]):
            return False
    return not opened


def _copies(prompt: str, answer: str) -> bool:
    shown, answered = words(prompt), words(answer)
    runs = {shown[place : place + RUN] for place in range(len(shown) - RUN + 1)}
    return any(answered[place : place + RUN] in runs for place in range(len(answered) - RUN + 1))


def _is_not_repeated(prompt: str, answer: str) -> bool:
    answered = answer.split()
    half = len(answered) // 2
    return half == 0 or len(answered) % 2 == 1 or answered[:half] != answered[half:]


def _is_option(prompt: str, answer: str) -> bool:
    answered = normal(answer).strip(" .")
    return bool(answered) and any(normal(option).strip(" .") == answered for option in _OPTION.findall(prompt))


def _script(prompt: str, answer: str) -> str:
    letters = [character for character in answer if character.isalpha()]
    latin = sum(character < "ɐ" for character in letters)
    return "no letters" if not letters else "Latin letters" if 2 * latin >= len(letters) else "other letters"


def _same_script(prompt: str, answer: str) -> bool:
    own = _script("", answer)
    return own in ("no letters", _script("", prompt))


PROPERTIES: tuple[Feature[bool], ...] = (
    Feature("ends", "ends with a full stop, an exclamation or a question mark", lambda p, a: a.rstrip()[-1:] in ".!?"),
    Feature("capital", "begins with a capital letter", lambda p, a: a.lstrip()[:1].isupper()),
    Feature("one line", "is one line", lambda p, a: "\n" not in a.strip()),
    Feature("number", "is a number", lambda p, a: _is_number(a)),
    Feature("JSON", "is JSON", lambda p, a: isinstance(_json(a), dict | list)),
    Feature("code", "is Python that parses", _is_code),
    Feature("brackets", "closes its brackets", _balanced),
    Feature("from the prompt", "is a passage of the prompt", lambda p, a: bool(a.strip()) and normal(a) in normal(p)),
    Feature("option", "is one of the options that the prompt lists", _is_option),
    Feature("numbers", "has only numbers that the prompt has", lambda p, a: _numbers(a) <= _numbers(p)),
    Feature("sums", "has no wrong sum", _computes_rightly),
    Feature("result", "has the number of its last line in the lines before", _ends_as_computed),
    Feature("no copy", f"copies no {RUN} words in a row from the prompt", lambda p, a: not _copies(p, a)),
    Feature(
        "on topic", "has a word of content that the prompt has", lambda p, a: bool(content_words(p) & content_words(a))
    ),
    Feature("not the prompt", "is not the prompt itself", lambda p, a: normal(a) != normal(p)),
    Feature("once", "is not the same text twice", _is_not_repeated),
    Feature("script", "is written in the letters of the prompt", _same_script),
    Feature("answers", "is no refusal", lambda p, a: not _REFUSAL.search(a.lower())),
    Feature("no chatter", "does not begin by addressing the asker", lambda p, a: not _CHATTER.match(a.strip())),
    Feature("no markup", "has no marks of Markdown", lambda p, a: not re.search(r"\*\*|^#+ |```", a, re.M)),
)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _repeated(prompt: str, answer: str) -> float:
    answered = words(answer)
    pairs = list(pairwise(answered))
    return 1 - _share(len(set(pairs)), len(pairs)) if pairs else 0.0


def _of_prompt(prompt: str, answer: str) -> float:
    answered = content_words(answer)
    return _share(len(answered & content_words(prompt)), len(answered))


MEASURES: tuple[Feature[float], ...] = (
    Feature("characters", "characters", lambda p, a: float(len(a))),
    Feature("words", "words", lambda p, a: float(len(words(a)))),
    Feature("lines", "lines", lambda p, a: float(a.strip().count("\n") + 1)),
    Feature("numbers", "numbers", lambda p, a: float(len(_NUMBER.findall(a)))),
    Feature("digits", "of its characters are digits", lambda p, a: _share(sum(map(str.isdigit, a)), len(a))),
    Feature(
        "capitals",
        "of its letters are capitals",
        lambda p, a: _share(sum(map(str.isupper, a)), sum(map(str.isalpha, a))),
    ),
    Feature("repetition", "of its pairs of words are repeated", _repeated),
    Feature("shared words", "of its words of content are in the prompt", _of_prompt),
)
COUNTS = ("characters", "words", "lines", "numbers")  # the others are shares


def _shape(prompt: str, answer: str) -> str:
    """Letters as a, digits as 9, runs as one; "" for an answer that is too long to have a shape."""
    if len(answer) > 40:
        return ""
    text = re.sub(r"[^\W\d_]+", "a", answer.strip())
    return re.sub(r"\d+", "9", text)


def _keys(prompt: str, answer: str) -> str:
    value = _json(answer)
    first = value[0] if isinstance(value, list) and value else value
    return ", ".join(sorted(first)) if isinstance(first, dict) else ""


def _last_line(prompt: str, answer: str) -> str:
    """The last line of several, its words and numbers left out unless they mark it."""
    lines = answer.strip().splitlines()
    return re.sub(r"\d[\d,.]*", "9", lines[-1]) if len(lines) > 1 and len(lines[-1]) <= 40 else ""


def _kind(character: str) -> str:
    return "a letter" if character.isalpha() else "a digit" if character.isdigit() else character


FORMS: tuple[Feature[str], ...] = (
    Feature("answer", "the answer", lambda p, a: normal(a) if len(a) <= 40 else ""),
    Feature("shape", "the shape, letters as a and digits as 9,", _shape),
    Feature("first character", "the first character", lambda p, a: _kind(a[:1])),
    Feature("last character", "the last character", lambda p, a: _kind(a[-1:])),
    Feature("keys", "the keys of JSON", _keys),
    Feature("last line", "the last line, numbers as 9,", _last_line),
    Feature("letters", "the script", _script),
)
