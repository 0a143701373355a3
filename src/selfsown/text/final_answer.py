"""The final answer of a reply: the last box or answer tag, what follows #### or "the answer is", or the last line.

A reply may claim several answers. All of them count, unless words between them retract the earlier one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from selfsown.text.reasoning import has_turn_tokens, without_reasoning

MAX_DENIAL_CHARS = 80  # before a claim, searched for a denial

_STATED = re.compile(r"\b(?:answer|result|total)\b[^\S\n]*(?:is|are|:|=)[^\S\n]*:?[^\S\n]*(?=\S)", re.IGNORECASE)
_ANSWER = re.compile(r"\banswer\b[^\S\n]*(?:is|are|:|=)[^\S\n]*:?[^\S\n]*(?=[^\n]*[\d\\])", re.IGNORECASE)
_MARKED = re.compile(r"####[ \t]*([^\n]*)")
_RETRACTION = re.compile(
    r"\b(?:wait|wrong|incorrect|not (?:right|correct|true)|isn't (?:right|correct)|mistake[ns]?|mistaken|correction"
    r"|corrected|scratch that|oops|hold on|on second thought|falsch|faux|falso)\b",
    re.IGNORECASE,
)
_WEAK_RETRACTION = re.compile(rf"{_RETRACTION.pattern}|\b(?:no|actually|instead|rather|sorry|false)\b", re.IGNORECASE)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|than|between|either|unlike|except)|n't)"
    r"(?: (?:be|equal|equal to|exactly|necessarily|really|simply|the answer|as))*[\s$:(*]*\Z",
    re.IGNORECASE,
)
_COMPUTED = re.compile(  # a computation that continues into the box
    r"(?:\d|[-+/^]|[<>≥≤±√¬~≈≠]\s*|\\(?:neq?|not|lnot|neg|pm|approx|sim|sqrt|log|ln|sin|cos|tan|geq?|leq?|gt|lt)\s*)[${]*\Z"
)
_DENIED_AFTER = re.compile(r"[\s$),;:*\\]*(?:not|no|never|false|untrue)\b", re.IGNORECASE)
_FRAME = re.compile(
    r"</answer>|\\(?:boxed|fbox)\s*\{\s*\}|\\(?:checkmark|q?quad|blacksquare|square|Box)\b|\\end\{\w+\*?\}|\\\\\s*$",
    re.MULTILINE,
)
_CLAUSE = re.compile(r"[.;:,!?\n](?:\s|$)|\b(?:so|thus|hence|therefore)\b", re.IGNORECASE)
_DENIED_CLAUSE = re.compile(
    r"\b(?:wrong|false|untrue|incorrect|not|never|doubts?|unless|whether|nobody|deny|denies)\b|n't\b", re.IGNORECASE
)
_FACTORIAL = re.compile(r"!(?!\w)")  # directly after a box
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_BRACE = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """A passage that claims an answer; start and end include its box or marker."""

    text: str
    start: int
    end: int


def stated_answer(text: str) -> str:
    """The text of the last claim, unchanged; "" in an empty text."""
    claims = _framed(text) or _marked(text) or _last_line(text)
    return claims[-1].text if claims else ""


def final_answers(text: str) -> tuple[list[str], str]:
    """All final answers that a reply claims, each of which must be right, and the words after the last one that belong
    to it, such as a unit.

    Reasoning in tags is left out. A claim that is denied, asked or retracted is none, and so is all of a reply in which
    another turn begins.
    """
    text = without_reasoning(text)[1]
    if has_turn_tokens(text):
        return [], ""
    claims = _framed(text) or _marked(text)
    if not claims:
        claims = [] if _is_denied(text) else _last_line(text)
        return _unless_denied(text, claims), ""
    tail = text[claims[-1].end :]
    while later := _ANSWER.search(tail) or _MARKED.search(tail):
        end = (tail + "\n").index("\n", later.end())
        answer = tail[later.end() : end] if later.re is _ANSWER else later[1]
        offset = len(text) - len(tail)
        claims.append(Claim(answer.strip(), offset + later.start(), offset + end))
        tail = tail[end:]
    claims = _after_last_retraction(text, claims)
    if _RETRACTION.search(tail) or _DENIED_AFTER.match(tail) or _FACTORIAL.match(tail):
        return [], ""
    return _unless_denied(text, claims), _CLAUSE.split(_FRAME.sub(" ", tail))[0]


def _after_last_retraction(text: str, claims: list[Claim]) -> list[Claim]:
    """The claims after the last retraction."""
    for index in range(len(claims) - 1, 0, -1):
        if _WEAK_RETRACTION.search(text[claims[index - 1].end : claims[index].start]):
            return claims[index:]
    return claims


def _unless_denied(text: str, claims: list[Claim]) -> list[str]:
    """The claimed answers; none if the words before a claim deny it, or a question mark follows it."""
    for claim in claims:
        before = text[max(0, claim.start - MAX_DENIAL_CHARS) : claim.start].rpartition("\n")[2]
        before = before.replace("<answer>", " ")
        if _DENIED_BEFORE.search(before) or _COMPUTED.search(before) or re.match(r"[\s$)*.\\]*\?", text[claim.end :]):
            return []
    return list(dict.fromkeys(claim.text for claim in claims))


def _boxes(text: str) -> list[Claim]:
    """The content of each outermost box that is not empty."""
    open_braces: list[re.Match[str]] = []
    boxes: list[Claim] = []
    for brace in _BRACE.finditer(text):
        if brace[0].endswith("{") and brace[0] != r"\{":
            open_braces.append(brace)
        elif brace[0] == "}" and open_braces:
            opening = open_braces.pop()
            content = text[opening.end() : brace.start()].strip()
            if opening[0] != "{" and content:
                while boxes and boxes[-1].start > opening.start():
                    boxes.pop()  # a box within this one
                boxes.append(Claim(content, opening.start(), brace.end()))
    return boxes


def _framed(text: str) -> list[Claim]:
    """The boxes, and the contents of answer tags without a box, in their order."""
    boxes = _boxes(text)
    tags = [
        Claim(_after_words(tag[1]), tag.start(), tag.end())
        for tag in _TAGGED.finditer(text)
        if tag[1].strip() and not any(tag.start() < box.start < tag.end() for box in boxes)
    ]
    return sorted([*boxes, *tags], key=lambda claim: claim.start)


def _marked(text: str) -> list[Claim]:
    """The text after #### on its line. Headings are no claims: earlier ones that begin with a word, or a last one
    without a number or formula that has lines below it."""
    claims = [_marked_claim(match) for match in _MARKED.finditer(text)]
    if not claims:
        return []
    *earlier, last = claims
    if text[last.end :].strip() and not re.search(r"[\d\\]", last.text):
        return []
    return [claim for claim in earlier if re.match(r"[^A-Za-z]", claim.text)] + [last]


def _marked_claim(marked: re.Match[str]) -> Claim:
    """The claim of a marked line; the text after "answer:" if it has such words."""
    return Claim(_after_words(marked[1]), marked.start(), marked.end())


def _after_words(text: str) -> str:
    """The text after the last "answer is" or the like; all of it without such words."""
    named = list(_STATED.finditer(text))
    return (text[named[-1].end() :] if named else text).strip()


def _is_denied(text: str) -> bool:
    """Whether the last line denies the answer that it states."""
    line = text.strip().rpartition("\n")[2]
    named = list(_STATED.finditer(line))
    return bool(named and _DENIED_CLAUSE.search(_CLAUSE.split(line[: named[-1].start()])[-1]))


def _last_line(text: str) -> list[Claim]:
    """The last line, or the answers that it states."""
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    while start < end and text[start].isspace():
        start += 1
    line = text[start:end]
    named = list(_STATED.finditer(line))
    if not named:
        return [Claim(line, start, end)] if line else []
    last = Claim(line[named[-1].end() :], start + named[-1].end(), end)
    claims = [last]
    for match, following in reversed(list(pairwise(named))):
        between = line[match.end() : following.start()]
        if not _ANSWER.match(line, match.start()) or _WEAK_RETRACTION.search(between):
            break
        answer = _CLAUSE.split(between)[0].strip()
        claims.insert(0, Claim(answer, start + match.end(), start + match.end()))
    return claims
