"""Wrong answers made of right ones, to see what checks notice."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

Pair = tuple[str, str]  # a prompt and its answer
Corrupt = Callable[[str, str, Sequence[Pair], random.Random], str]  # (prompt, answer, all pairs, …)

REFUSAL = "I'm sorry, but I cannot help with that."


def _other(prompt: str, answer: str, pairs: Sequence[Pair], rng: random.Random) -> str:
    return rng.choice(pairs)[1]


def _cut(prompt: str, answer: str, pairs: Sequence[Pair], rng: random.Random) -> str:
    return answer[: len(answer) // 2]


def _changed_number(prompt: str, answer: str, pairs: Sequence[Pair], rng: random.Random) -> str:
    numbers = list(re.finditer(r"\d+", answer))
    if not numbers:
        return answer
    place = rng.choice(numbers)
    return f"{answer[: place.start()]}{int(place[0]) + rng.randint(1, 9)}{answer[place.end() :]}"


def _shuffled(prompt: str, answer: str, pairs: Sequence[Pair], rng: random.Random) -> str:
    words = answer.split(" ")
    return " ".join(rng.sample(words, len(words)))


CORRUPTIONS: dict[str, Corrupt] = {
    "another row's answer": _other,
    "cut in half": _cut,
    "a number changed": _changed_number,
    "words shuffled": _shuffled,
    "empty": lambda prompt, answer, pairs, rng: "",
    "a refusal": lambda prompt, answer, pairs, rng: REFUSAL,
    "the prompt instead": lambda prompt, answer, pairs, rng: prompt,
    "repeated": lambda prompt, answer, pairs, rng: f"{answer} {answer}",
    "talk around it": lambda prompt, answer, pairs, rng: (
        f"Sure! Here is the answer:\n\n**{answer}**\n\nI hope it helps!"
    ),
    "denied": lambda prompt, answer, pairs, rng: f"{answer} This is wrong.",
}


def corrupted(pairs: Sequence[Pair], seed: int) -> Iterator[tuple[str, str, str]]:
    """(kind, prompt, wrong answer): one of each kind of each pair; none where it changes nothing."""
    for place, (prompt, answer) in enumerate(pairs):
        for kind, corrupt in CORRUPTIONS.items():
            wrong = corrupt(prompt, answer, pairs, random.Random(f"{seed} {place} {kind}"))
            if wrong.strip() != answer.strip():
                yield kind, prompt, wrong
