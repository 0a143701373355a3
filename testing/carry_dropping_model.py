"""A model that adds numbers units first, and drops one carry half of the time, at a position that is known.

Its exact chance of a right answer after any prefix is known, so pivotal tokens can be checked against the truth.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.models import BEGUN, DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import Grade, Row
from selfsown.text.chat import Prompt

DIGITS = 5  # of each number
FILLERS = "xyz"  # written before digits at random; they change nothing


@dataclass
class CarryDroppingModel:
    """drop_rate: how often the chosen carry is dropped; slip_rate: how often the last digit is wrong, which is not
    pivotal. replies_written and tokens_written: over all calls; first_replies: of the first call."""

    drop_rate: float = 0.5
    slip_rate: float = 0.1
    style: str = ""
    name: str = "carry_dropping"
    replies_written: int = 0
    tokens_written: int = 0
    first_replies: list[list[Reply]] | None = None

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        replies = [
            [self._reply(str(prompt), f"{params.seed} {index} {sample}") for sample in range(params.n)]
            for index, prompt in enumerate(prompts)
        ]
        self.first_replies = self.first_replies or replies
        return replies

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        raise NotImplementedError

    def chance(self, prompt: str, prefix: str) -> float:
        """The exact chance of a right answer after this prefix."""
        written, right = without_fillers(prefix), sum_digits(prompt)
        if not right.startswith(written):
            return 0.0
        drop = self.drop_rate if dropped_carry(prompt) >= len(written) else 0
        slip = self.slip_rate if len(written) < len(right) else 0
        return (1 - drop) * (1 - slip)

    def pivotal_tokens(self, prompt: str, answer: str, gap: float) -> list[int]:
        """The positions in this answer whose token changes the chance by at least the gap."""
        chances = [self.chance(prompt, answer[:end]) for end in range(len(answer) + 1)]
        return [index for index in range(len(answer)) if abs(chances[index + 1] - chances[index]) >= gap]

    def _reply(self, prompt: str, seed: str) -> Reply:
        question, _, prefix = prompt.partition(BEGUN)
        chance, text = random.Random(seed), ""
        right = sum_digits(question)
        written = without_fillers(prefix)
        for index in range(len(written), len(right)):
            if not (index == len(written) and prefix and prefix[-1] in FILLERS):
                text += chance.choice(["", "", chance.choice(FILLERS)])
            wrong = str((int(right[index]) - 1) % 10)
            rate = {dropped_carry(question): self.drop_rate, len(right) - 1: self.slip_rate}.get(index, 0.0)
            text += wrong if chance.random() < rate else right[index]
        self.replies_written += 1
        self.tokens_written += len(text)
        return Reply(prompt, text, len(text))


class SumTask:
    """Checks these sums; fillers are ignored."""

    name, top_level, verifiable, forms = "sums", 0, True, ()

    def check(self, row: Row, answer: str) -> Grade:
        return Grade(float(without_fillers(answer) == sum_digits(row.prompt)), "computed", evidence="execution")


def sum_digits(prompt: str) -> str:
    """The digits of the sum, units first."""
    return f"{sum(map(int, prompt.split('+'))):0{DIGITS + 1}}"[::-1]


def without_fillers(text: str) -> str:
    return "".join(letter for letter in text if letter not in FILLERS)


def carries(prompt: str) -> list[int]:
    """The positions, units first, that receive a carry, but for the last."""
    first, second = (int(number) for number in prompt.split("+"))
    return [place for place in range(1, DIGITS) if first % 10**place + second % 10**place >= 10**place]


def dropped_carry(prompt: str) -> int:
    """The position whose carry the model may drop, or -1."""
    return random.Random(prompt).choice(carries(prompt) or [-1])


def sum_rows(count: int, seed: int) -> list[Row]:
    """Sums with at least one carry."""
    chance = random.Random(seed)
    rows: list[Row] = []
    while len(rows) < count:
        prompt = "+".join(str(chance.randrange(10**DIGITS)) for _ in range(2))
        if carries(prompt) and prompt not in {row.prompt for row in rows}:
            rows.append(Row(prompt, sum_digits(prompt), target=sum_digits(prompt)))
    return rows
