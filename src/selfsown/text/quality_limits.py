"""Limits for statistics of texts, learned from texts that are good: how far theirs lie from their medians."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

from selfsown.text.character_model import CharacterModel
from selfsown.text.quality import DEFINITIONS, MAX_CHARACTERS, Check, Reference, reference, statistics
from selfsown.text.samples import lower_limit

FOLDS = 4
MIN_TEXTS = 40
TAIL = 0.1


@dataclass(frozen=True)
class Finding:
    """How unusual a text is, and its most unusual statistic."""

    excess: float  # the root of the sum of squares over all checks
    check: Check | Literal[""] = ""
    value: float = 0.0
    typical: float = 0.0


@dataclass(frozen=True)
class Tail:
    """One side of a check: where the outer tenth of the values begins, and how far it reaches."""

    start: float
    reach: float  # the mean excess
    rarity: float  # how much less than a tenth of the values lies beyond, in nats: many values may be the same

    def excess(self, value: float) -> float:
        """How much rarer a value is than the start of the tail, in nats, if the tail is exponential; 0 before it."""
        return self.rarity + (value - self.start) / self.reach if value > self.start else 0.0


@dataclass(frozen=True)
class Limits:
    """What is usual among good texts, for each check: the median, the lower tail and the upper one."""

    known: Reference
    usual: dict[Check, tuple[float, Tail | None, Tail | None]]

    def judge(self, text: str) -> Finding:
        """Excess 0 of a text that is empty."""
        return self.judge_values(statistics(text, self.known)) if text and not text.isspace() else Finding(0.0)

    def judge_values(self, values: dict[Check, float]) -> Finding:
        excesses = {
            check: max(low.excess(-values[check]) if low else 0.0, high.excess(values[check]) if high else 0.0)
            for check, (_, low, high) in self.usual.items()
        }
        worst = max(excesses, key=lambda check: excesses[check])
        return Finding(math.hypot(*excesses.values()), worst, values[worst], self.usual[worst][0])


def learn(rows: Sequence[Sequence[str]], checks: Collection[Check]) -> tuple[list[Limits | None], list[float]]:
    """The limits of each part of the rows, such as prompts and answers, and the highest excess of each row. A part
    that fewer than MIN_TEXTS rows have gets none.

    Cross-fitted: the statistics of a row come from a model of the other rows, since a model knows its own ones.
    """
    model, limits, excesses = _model(rows), list[Limits | None](), [0.0] * len(rows)
    models = [_model([row for place, row in enumerate(rows) if place % FOLDS != fold]) for fold in range(FOLDS)]
    for part in zip(*rows, strict=True):
        texts = {place: text for place, text in enumerate(part) if text and not text.isspace()}
        if len(texts) < MIN_TEXTS:
            limits.append(None)
            continue
        values, bits = dict[int, dict[Check, float]](), list[float]()
        for fold in range(FOLDS):
            new = {place: text for place, text in texts.items() if place % FOLDS == fold}
            known = reference([text for place, text in texts.items() if place not in new], models[fold])
            known = replace(known, usual_bits=known.bits_a_character(new.values()))
            bits.append(known.usual_bits)
            values |= {place: statistics(text, known) for place, text in new.items()}
        known = replace(reference(list(texts.values()), model), usual_bits=sum(bits) / FOLDS)
        learned = Limits(
            known, {check: _usual([of_text[check] for of_text in values.values()], check) for check in checks}
        )
        limits.append(learned)
        for place, of_text in values.items():
            excesses[place] = max(excesses[place], learned.judge_values(of_text).excess)
    return limits, excesses


def _model(rows: Iterable[Sequence[str]]) -> CharacterModel:
    return CharacterModel(text[:MAX_CHARACTERS] for row in rows for text in row)


def _usual(values: Sequence[float], check: Check) -> tuple[float, Tail | None, Tail | None]:
    _, least, side = DEFINITIONS[check]
    low, high = _tail([-value for value in values], least), _tail(values, least)
    return median(values), low if side != "high" else None, high if side != "low" else None


def _tail(values: Sequence[float], least: float) -> Tail:
    start = -lower_limit([-value for value in values], TAIL)
    excess = [value - start for value in values if value > start]
    rarity = max(0.0, math.log(TAIL * len(values) / (len(excess) + 0.5)))
    return Tail(start, max(least, sum(excess) / len(excess) if excess else 0.0), rarity)
