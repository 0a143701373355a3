"""Where a reply says what came out: the last box, what follows ####, what the answer is said to be, the last line.

A reply may claim several things. Each of them is an answer, unless words between take the earlier one back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from selfsown.text.reasoning import without_reasoning

NEAR = 80  # characters before a claim in which it may be denied

_STATED = re.compile(r"\b(?:answer|result|total)\b[^\S\n]*(?:is|are|:|=)[^\S\n]*:?[^\S\n]*(?=\S)", re.IGNORECASE)
_ANSWER = re.compile(r"\banswer\b[^\S\n]*(?:is|are|:|=)[^\S\n]*:?[^\S\n]*(?=[^\n]*[\d\\])", re.IGNORECASE)
_MARKED = re.compile(r"####[ \t]*([^\n]*)")
_TAKEN_BACK = re.compile(
    r"\b(?:wait|wrong|incorrect|not (?:right|correct|true)|isn't (?:right|correct)|mistake[ns]?|mistaken|correction"
    r"|corrected|scratch that|oops|hold on|on second thought|falsch|faux|falso)\b",
    re.IGNORECASE,
)
_RETRACTED = re.compile(rf"{_TAKEN_BACK.pattern}|\b(?:no|actually|instead|rather|sorry|false)\b", re.IGNORECASE)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|neither|nor|cannot|than|between|either|unlike|except)|n't)"
    r"(?: (?:be|equal|equal to|exactly|necessarily|really|simply|the answer|as))*[\s$:(*]*\Z",
    re.IGNORECASE,
)
_COMPUTED = re.compile(  # it goes on from before the box
    r"(?:\d|[-+/^]|[<>≥≤±√¬~≈≠]\s*|\\(?:neq?|not|lnot|neg|pm|approx|sim|sqrt|log|ln|sin|cos|tan|geq?|leq?|gt|lt)\s*)[${]*\Z"
)
_DENIED_AFTER = re.compile(r"[\s$),;:*\\]*(?:not|no|never|false|untrue)\b", re.IGNORECASE)
_FRAME = re.compile(
    r"\\(?:boxed|fbox)\s*\{\s*\}|\\(?:checkmark|q?quad|blacksquare|square|Box)\b|\\end\{\w+\*?\}|\\\\\s*$", re.MULTILINE
)
_CLAUSE = re.compile(r"[.;:,!?\n](?:\s|$)|\b(?:so|thus|hence|therefore)\b", re.IGNORECASE)
_DENIED_CLAUSE = re.compile(
    r"\b(?:wrong|false|untrue|incorrect|not|never|doubts?|unless|whether|nobody|deny|denies)\b|n't\b", re.IGNORECASE
)
_BRACE = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """A passage that claims an answer; start and end include its box or mark."""

    text: str
    start: int
    end: int


def stated(text: str) -> str:
    """The passage that says what came out: the last claim, as it stands; "" in an empty text."""
    claims = _boxes(text) or _marked(text) or _last_line(text)
    return claims[-1].text if claims else ""


def final_answers(text: str) -> tuple[list[str], str]:
    """All that a reply claims as its final answer, each of which must hold, and the words behind the last claim that
    belong to it.

    Reasoning in tags is left out. Nothing is claimed where it was denied, asked, or taken back.
    """
    text = without_reasoning(text)[1]
    claims = _boxes(text) or _marked(text)
    if not claims:
        claims = [] if _is_denied(text) else _last_line(text)
        return _unless_denied(text, claims), ""
    tail = text[claims[-1].end :]
    while later := _ANSWER.search(tail) or _MARKED.search(tail):
        end = (tail + "\n").index("\n", later.end())
        said = tail[later.end() : end] if later.re is _ANSWER else later[1]
        offset = len(text) - len(tail)
        claims.append(Claim(said.strip(), offset + later.start(), offset + end))
        tail = tail[end:]
    claims = _standing(text, claims)
    if _TAKEN_BACK.search(tail) or _DENIED_AFTER.match(tail):
        return [], ""
    return _unless_denied(text, claims), _CLAUSE.split(_FRAME.sub(" ", tail))[0]


def _standing(text: str, claims: list[Claim]) -> list[Claim]:
    """The claims since one was last taken back."""
    for at in range(len(claims) - 1, 0, -1):
        if _RETRACTED.search(text[claims[at - 1].end : claims[at].start]):
            return claims[at:]
    return claims


def _unless_denied(text: str, claims: list[Claim]) -> list[str]:
    """What is claimed; nothing where the words before a claim deny it, or a question mark follows."""
    for claim in claims:
        before = text[max(0, claim.start - NEAR) : claim.start].rpartition("\n")[2]
        if _DENIED_BEFORE.search(before) or _COMPUTED.search(before) or re.match(r"[\s$)*.\\]*\?", text[claim.end :]):
            return []
    return list(dict.fromkeys(claim.text for claim in claims))


def _boxes(text: str) -> list[Claim]:
    """What stands in each outermost box, but for empty ones."""
    open_at: list[re.Match[str]] = []
    found: list[Claim] = []
    for brace in _BRACE.finditer(text):
        if brace[0].endswith("{") and brace[0] != r"\{":
            open_at.append(brace)
        elif brace[0] == "}" and open_at:
            begun = open_at.pop()
            inside = text[begun.end() : brace.start()].strip()
            if begun[0] != "{" and inside:
                while found and found[-1].start > begun.start():
                    found.pop()  # a box within this one
                found.append(Claim(inside, begun.start(), brace.end()))
    return found


def _marked(text: str) -> list[Claim]:
    """What follows #### on its line. Headings are none: earlier ones that begin with a word, or a last one without
    anything in it to be compared that has lines below it."""
    found = [_said(each) for each in _MARKED.finditer(text)]
    if not found:
        return []
    *earlier, last = found
    if text[last.end :].strip() and not re.search(r"[\d\\]", last.text):
        return []
    return [each for each in earlier if re.match(r"[^A-Za-z]", each.text)] + [last]


def _said(marked: re.Match[str]) -> Claim:
    """What a marked line says; behind "answer:" where it has such words."""
    text = marked[1]
    named = list(_STATED.finditer(text))
    return Claim((text[named[-1].end() :] if named else text).strip(), marked.start(), marked.end())


def _is_denied(text: str) -> bool:
    """Whether the last line says of its answer that it is none."""
    line = text.strip().rpartition("\n")[2]
    named = list(_STATED.finditer(line))
    return bool(named and _DENIED_CLAUSE.search(_CLAUSE.split(line[: named[-1].start()])[-1]))


def _last_line(text: str) -> list[Claim]:
    """The last line, or what it says that the answer is."""
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
    for each, after in reversed(list(pairwise(named))):
        said = _CLAUSE.split(line[each.end() : after.start()])[0]
        if not _ANSWER.match(line, each.start()) or _RETRACTED.search(line[each.end() : after.start()]):
            break
        claims.insert(0, Claim(said.strip(), start + each.end(), start + each.end()))
    return claims
