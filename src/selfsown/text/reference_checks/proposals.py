"""Checks that a model proposes, in a small closed language: no proposal can run code or take long.

A proposal is an object {"kind": …, "texts": […], "min": …, "max": …}; what a kind does not use is ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from selfsown.text.normalize import normal
from selfsown.text.reference_checks.corruptions import Pair, corrupted
from selfsown.text.reference_checks.features import Feature, content_words, words
from selfsown.text.reference_checks.learning import MIN_NOTICED, Check, Learned, halves, mostly_kept, noticed

MAX_TEXTS, MAX_TEXT_CHARS = 20, 200
MAX_BOUND = 1e9
USED, INVALID, BROKEN, UNHELPFUL = (
    "used",
    "not in the language",
    "broken by known answers",
    "noticing nothing that others do not notice",
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

Texts = Sequence[str]
Measure = Callable[[str, str, Texts], float]  # (prompt, answer, texts)


@dataclass(frozen=True)
class Kind:
    """says: what an answer has that keeps the check, with {texts} and {bounds}. of: what must lie within the bounds.
    least: the lower bound where a proposal has none."""

    says: str
    of: Measure
    least: float = 1

    @property
    def needs_texts(self) -> bool:
        return "{texts}" in self.says


def _last_line(answer: str) -> str:
    return (answer.strip().splitlines() or [""])[-1].strip()


def _in_order(answer: str, texts: Texts) -> bool:
    place = 0
    for text in texts:
        place = answer.find(text, place)
        if place < 0:
            return False
        place += len(text)
    return True


def _last_number(answer: str) -> float:
    numbers = _NUMBER.findall(answer.replace(",", ""))
    return float(numbers[-1]) if numbers else float("nan")


KINDS: Mapping[str, Kind] = {
    "contains": Kind("has {bounds} times one of {texts}", lambda p, a, t: sum(map(a.count, t))),
    "excludes": Kind("has none of {texts}", lambda p, a, t: not any(text in a for text in t)),
    "starts_with": Kind("starts with one of {texts}", lambda p, a, t: a.lstrip().startswith(tuple(t))),
    "ends_with": Kind("ends with one of {texts}", lambda p, a, t: a.rstrip().endswith(tuple(t))),
    "one_of": Kind("is one of {texts}", lambda p, a, t: normal(a) in map(normal, t)),
    "last_line_starts_with": Kind(
        "has a last line that starts with one of {texts}", lambda p, a, t: _last_line(a).startswith(tuple(t))
    ),
    "in_order": Kind("has all of {texts} in this order", lambda p, a, t: _in_order(a, t)),
    "words": Kind("has {bounds} words", lambda p, a, t: len(words(a))),
    "lines": Kind("has {bounds} lines", lambda p, a, t: len(a.strip().splitlines())),
    "numbers": Kind("has {bounds} numbers", lambda p, a, t: len(_NUMBER.findall(a))),
    "last_number": Kind("has {bounds} as its last number", lambda p, a, t: _last_number(a), -MAX_BOUND),
    "shared_words": Kind(
        "has {bounds} words of content that the prompt has", lambda p, a, t: len(content_words(p) & content_words(a))
    ),
}


def parsed(proposal: Mapping[str, Any]) -> Check:
    """The check that a proposal means. Raises ValueError if it is not in the language."""
    name = proposal.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    texts = proposal.get("texts") or []
    if kind is None or not isinstance(texts, list):
        raise ValueError(f"no such kind: {name!r:.40}")
    if not all(isinstance(text, str) and 0 < len(text) <= MAX_TEXT_CHARS for text in texts) or len(texts) > MAX_TEXTS:
        raise ValueError("texts that are empty, long, or many")
    if kind.needs_texts and not texts:
        raise ValueError(f"{name} without texts")
    least, most = _bound(proposal.get("min"), kind.least), _bound(proposal.get("max"), MAX_BOUND)
    used = tuple(texts) if kind.needs_texts else ()
    says = kind.says.format(texts=", ".join(map(repr, used)), bounds=_shown(least, most))
    feature = Feature[float](f"proposed: {name}", says, lambda prompt, answer: float(kind.of(prompt, answer, used)))
    return Check(feature.name, says, feature, low=least, high=most)


def _shown(least: float, most: float) -> str:
    if most == MAX_BOUND:
        return f"at least {least:,.10g}"
    return f"at most {most:,.10g}" if least == -MAX_BOUND else f"{least:,.10g} to {most:,.10g}"


def _bound(value: object, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_BOUND:
        raise ValueError("a bound that is no number")
    return float(value)


def with_proposals(
    learned: Learned, proposals: Iterable[object], pairs: Sequence[Pair], seed: int = 0
) -> tuple[Learned, Counter[str]]:
    """The learned checks with the proposed ones that hold and help, and how the proposals ended.

    A proposal stays if the half of the known answers that was not shown to the model keeps it (one in 200 may not), and
    it notices wrong answers that no other check notices: of some kind, one in fifty.
    """
    _, second = halves(pairs, seed)
    wrong = list(corrupted(second, seed))
    checks, ended = list(learned.checks), Counter[str]()
    for proposal in proposals:
        try:
            check = parsed(proposal) if isinstance(proposal, Mapping) else None
        except ValueError:
            check = None
        if check is None:
            ended[INVALID] += 1
        elif not mostly_kept(check, second) or not mostly_kept(check, pairs):
            ended[BROKEN] += 1
        else:
            before, after = noticed(checks, wrong), noticed([*checks, check], wrong)
            helps = any(after[kind] - before[kind] >= MIN_NOTICED for kind in after)
            ended[USED if helps else UNHELPFUL] += 1
            checks += [check] if helps else []
    refused = tuple(pair for pair in pairs if not all(check.keeps(*pair) for check in checks))
    return replace(learned, checks=tuple(checks), refused=refused, noticed=noticed(checks, wrong)), ended
