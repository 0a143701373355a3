"""Learn checks from known answers, and measure what they notice and what they do not.

As invariants are found in programs (Ernst et al. 2007, Daikon): what half of the answers have in common is proposed as
a check; a check stays if the answers of the other half keep it, and if it notices some wrong answers; then its bounds
are those of all answers. One known answer in 200 may break a check: some known answers are wrong.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from selfsown.text.reference_checks.corruptions import CORRUPTIONS, Pair, corrupted
from selfsown.text.reference_checks.features import COUNTS, FORMS, MEASURES, PROPERTIES, Feature

MAX_VALUES = 12  # of a form that is a closed set
MIN_SEEN = 3  # how often each value of a closed set was seen
MARGIN_FACTOR, MARGIN = 1.5, 0.1  # beyond the counts, and the shares, of known answers
MAX_BROKEN = 1 / 200  # of the known answers, by each check
MIN_NOTICED = 0.02  # of the wrong answers of some kind


@dataclass(frozen=True)
class Check:
    """What an answer must keep. says: in words, such as "has 3 to 40 words"."""

    name: str
    says: str
    feature: Feature[bool] | Feature[float] | Feature[str]
    values: frozenset[str] = frozenset()
    low: float = 0.0
    high: float = 0.0

    def keeps(self, prompt: str, answer: str) -> bool:
        value = self.feature.of(prompt, answer)
        if isinstance(value, bool):
            return value
        return value in self.values if isinstance(value, str) else self.low <= value <= self.high


@dataclass(frozen=True)
class Learned:
    """The checks that were kept.

    answers: how many they were learned from. refused: the known answers that break a check. noticed: of each kind of
    wrong answer, the share.
    """

    checks: tuple[Check, ...]
    answers: int
    refused: tuple[Pair, ...]
    noticed: Mapping[str, float]

    def violation(self, prompt: str, answer: str) -> str:
        """Why the answer is not one like the known ones; "" where all checks are kept."""
        broken = self.broken(prompt, answer)
        return f"{broken[0].name}: a right answer {broken[0].says}" if broken else ""

    def broken(self, prompt: str, answer: str) -> list[Check]:
        """The checks that the answer does not keep."""
        return [check for check in self.checks if not check.keeps(prompt, answer)]


def learn(pairs: Sequence[Pair], seed: int = 0) -> Learned:
    """The checks that the known answers suggest."""
    drawn = _drawn(pairs, seed)
    first, second = halves(pairs, seed)
    wrong = list(corrupted(second, seed))
    kept = []
    for proposed, final in zip(_proposed(first), _proposed(drawn), strict=True):
        if proposed and final and mostly_kept(proposed, second):
            shares = noticed([proposed], wrong)
            if max(shares.values(), default=0.0) >= MIN_NOTICED:
                kept.append(final)
    refused = [pair for pair in pairs if not all(check.keeps(*pair) for check in kept)]
    return Learned(tuple(kept), len(pairs), tuple(refused), noticed(kept, wrong))


def halves(pairs: Sequence[Pair], seed: int = 0) -> tuple[list[Pair], list[Pair]]:
    """The half of the known answers that proposes checks, and the half that they are tried on."""
    drawn = _drawn(pairs, seed)
    return drawn[::2], drawn[1::2]


def _drawn(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    return random.Random(f"reference checks {seed}").sample(list(pairs), len(pairs))


def mostly_kept(check: Check, pairs: Sequence[Pair]) -> bool:
    """Whether all answers but one in 200 keep a check."""
    return sum(not check.keeps(*pair) for pair in pairs) <= round(MAX_BROKEN * len(pairs))


def noticed(checks: Sequence[Check], wrong: Sequence[tuple[str, str, str]]) -> dict[str, float]:
    """Of each kind of wrong answer, the share that breaks a check."""
    made = Counter(kind for kind, _, _ in wrong)
    hits = Counter(kind for kind, prompt, answer in wrong if not all(check.keeps(prompt, answer) for check in checks))
    return {kind: hits[kind] / made[kind] for kind in CORRUPTIONS if made[kind]}


def _proposed(pairs: Sequence[Pair]) -> Iterator[Check | None]:
    """A check of each feature that these pairs have in common; None where they have nothing in common."""
    for has in PROPERTIES:
        check = Check(has.name, has.says, has)
        yield check if mostly_kept(check, pairs) else None
    for measure in MEASURES:
        yield _band(measure, [measure.of(*pair) for pair in pairs])
    for form in FORMS:
        yield _closed_set(form, Counter(form.of(*pair) for pair in pairs))


def _band(measure: Feature[float], values: Sequence[float]) -> Check:
    least, most = min(values), max(values)
    if measure.name in COUNTS:
        low, high = least // MARGIN_FACTOR, most * MARGIN_FACTOR // 1
        return Check(measure.name, f"has {low:,.0f} to {high:,.0f} {measure.says}", measure, low=low, high=high)
    low, high = max(0.0, least - MARGIN), min(1.0, most + MARGIN)
    return Check(measure.name, f"has {low:.0%} to {high:.0%} {measure.says}", measure, low=low, high=high)


def _closed_set(form: Feature[str], seen: Counter[str]) -> Check | None:
    if "" in seen or len(seen) > MAX_VALUES or min(seen.values()) < MIN_SEEN:
        return None
    shown = ", ".join(repr(value) for value, _ in seen.most_common())
    return Check(form.name, f"has as {form.says} one of {shown}", form, values=frozenset(seen))
