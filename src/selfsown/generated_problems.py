"""Problems of a package that generates them without end, and what the package's scores of answers come to.

A problem belongs to one side for good, by a hash of its text: what is held out in one run is held out in all, and is
never posed to learn from, whatever the seed.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from selfsown.errors import RecipeError
from selfsown.records import EVALUATION_ONLY, TRAINING_ONLY, Grade, JsonObject, Row

MAX_TRIES = 200  # problems that are drawn for one that is new, or on the right side
HINT = "(The answer is {}. Work out how to reach it, without mentioning that you were given it.)"
_ALMOST = 0.99  # parts of an answer whose credit, by rounding, adds up to more than 1
_TAGGED = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_DENIAL = re.compile(r"\b(?:not|no|never|neither|nor|wrong|false|incorrect|untrue)\b|n't\b", re.IGNORECASE)
_ALTERNATIVES = re.compile(r"\b(?:or|either|maybe|perhaps|possibly|alternatively)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:/\d+)?")  # not the 1 of x1
_KNOWN_NUMBER = re.compile(r"[-+$]*\d[\d,]*(?:\.\d+)?")
_FRACTION = re.compile(r"\\d?frac\{(\d+)\}\{(\d+)\}")


@dataclass(frozen=True)
class ProblemStreams:
    """The problems of a package, in a stream for each of its tasks and levels.

    source: the package, as recipes name it. drawn: (purpose, task, level) to problems without end, which may repeat.
    held_out: the share of all problems that is held out.
    """

    source: str
    drawn: Callable[[str, str, int], Iterator[Row]]
    held_out: float

    def real_rows(self, kinds: Sequence[tuple[str, int]], rows: int, seed: int) -> Iterator[Row]:
        """Distinct problems by their text, tasks and levels by turns. RecipeError: the package cannot pose so many."""
        keys = set[str]()
        streams = cycle([(name, level, self.drawn(f"real {seed}", name, level)) for name, level in kinds])
        for index in range(rows):
            name, level, drawn = next(streams)
            row = next((row for row, _ in zip(drawn, range(MAX_TRIES), strict=False) if row.key not in keys), None)
            if row is None:
                at_level = f" of level {level}" * bool(level)
                raise self._error(f"{name} has fewer than {rows // len(kinds) + 1} problems{at_level}; lower rows")
            keys.add(row.key)
            side = EVALUATION_ONLY if self.is_held_out(row) else TRAINING_ONLY
            yield replace(row, sample_index=index, source=self.source, metadata={**row.metadata, **side})

    def new_problems(self, hardest: Sequence[tuple[str, int]], level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` problems that are not held out, their tasks by turns, without answers: half of the level itself,
        half of any level up to it. hardest: tasks, with their hardest levels. RecipeError: there are too few."""
        rng, streams = random.Random(seed), dict[tuple[str, int], Iterator[Row]]()
        for _, (name, top) in zip(range(count), cycle(hardest), strict=False):
            drawn_level = level if rng.random() < 0.5 else rng.randint(min(1, level), level)
            kind = name, min(drawn_level, top)
            drawn = streams.setdefault(kind, self.drawn(f"problems {seed}", *kind))
            tries = (row for row, _ in zip(drawn, range(MAX_TRIES), strict=False))
            row = next((row for row in tries if not self.is_held_out(row)), None)
            if row is None:
                few = f"{name} has too few problems of level {kind[1]} to learn from"
                raise self._error(f"{few}; lower held_out_problems")
            yield replace(row, answer="")

    def is_held_out(self, row: Row) -> bool:
        digest = hashlib.blake2b(row.key.encode(), digest_size=8).digest()
        return int.from_bytes(digest) < self.held_out * 2**64

    def _error(self, message: str) -> RecipeError:
        return RecipeError(f"real.{self.source}: {message}")


def tagged(known: str, has_tags: bool) -> str:
    """A known answer as a model should give it, in <answer> tags or without."""
    return f"<answer>{known}</answer>" if has_tags and known else known


def stated(reply: str, has_tags: bool) -> str | None:
    """The answer that a reply states: all of it, or what is in its tags; None unless they state exactly one."""
    if not has_tags:
        return reply.strip()
    answers = {text.strip() for text in _TAGGED.findall(reply)}
    is_clear = len(answers) == 1 and reply.count("<answer>") == reply.count("</answer>")
    return answers.pop() if is_clear else None


def graded(row: Row, scored: JsonObject, text: str | None, has_tags: bool) -> Grade:
    """The grade of an answer. scored: the package's score, the reason where it gives none, and the answer known.
    text: the answer that was scored; None where the reply did not state exactly one."""
    score, reason, known = scored["score"], scored["reason"], scored["known"]
    if text is None:
        score, reason = 0.0, "not exactly one answer is in <answer> tags"
    elif _words(_DENIAL, text) - _words(_DENIAL, f"{row.prompt} {known}"):
        score, reason = 0.0, "the answer denies itself"
    elif _words(_ALTERNATIVES, text) - _words(_ALTERNATIVES, f"{row.prompt} {known}"):
        score, reason = 0.0, "the answer names alternatives"
    elif _KNOWN_NUMBER.fullmatch(known.strip()) and len(_words(_NUMBER, _FRACTION.sub(r"\1/\2", text))) > 1:
        score, reason = 0.0, "the answer names more than one number"
    score = max(0.0, score) if score <= 1 else _ALMOST
    reason = reason or ("right" if score == 1 else f"the package scores it {score:.3g}")
    correction = (row.prompt, tagged(known, has_tags)) if score < 1 and known else None
    return Grade(score, reason, evidence="rule", correction=correction)


def _words(pattern: re.Pattern[str], text: str) -> set[str]:
    """What matches in the text: some scorers read the beginning of an answer and nothing after it."""
    return {word.lower() for word in pattern.findall(text)}
