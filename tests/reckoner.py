"""A model that reckons sums units first and forgets one carry half of the time, at a place that is planted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from selfsown.models import ANSWER_START, DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import Grade, Row

DIGITS = 5  # of each number
FILLER = "xyz"  # written before digits by chance; it changes nothing


@dataclass
class Reckoner:
    """forgets: how often the planted carry is left out; slips: how often the last digit is wrong, which is no turn.
    tries: how often it was made to write, written: the tokens of all that; first: what it said when first asked."""

    forgets: float = 0.5
    slips: float = 0.1
    style: str = ""
    name: str = "reckoner"
    tries: int = 0
    written: int = 0
    first: list[list[Reply]] | None = None

    def complete(self, prompts: Sequence[str], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        said = [
            [self._reply(prompt, f"{params.seed} {at} {draw}") for draw in range(params.n)]
            for at, prompt in enumerate(prompts)
        ]
        self.first = self.first or said
        return said

    def chance(self, prompt: str, begun: str) -> float:
        """Of a right answer after this beginning; nothing is estimated."""
        done, right = plain(begun), digits(prompt)
        if not right.startswith(done):
            return 0.0
        left = (self.forgets if planted(prompt) >= len(done) else 0, self.slips if len(done) < len(right) else 0)
        return (1 - left[0]) * (1 - left[1])

    def turns(self, prompt: str, answer: str, gap: float) -> list[int]:
        """The tokens of this answer at which the chance changes by so much."""
        chances = [self.chance(prompt, answer[:at]) for at in range(len(answer) + 1)]
        return [at for at in range(len(answer)) if abs(chances[at + 1] - chances[at]) >= gap]

    def _reply(self, prompt: str, luck: str) -> Reply:
        asked, _, begun = prompt.partition(ANSWER_START)
        chance, said = random.Random(luck), ""
        right = digits(asked)
        done = plain(begun)
        for at in range(len(done), len(right)):
            if not (at == len(done) and begun and begun[-1] in FILLER):
                said += chance.choice(["", "", chance.choice(FILLER)])
            wrong = str((int(right[at]) - 1) % 10)
            share = {planted(asked): self.forgets, len(right) - 1: self.slips}.get(at, 0.0)
            said += wrong if chance.random() < share else right[at]
        self.tries += 1
        self.written += len(said)
        return Reply(prompt, said, len(said))


class Reckoning:
    """The world of these sums: fillers are overlooked."""

    name, top_level, verifiable, forms = "reckoning", 0, True, ()

    def check(self, row: Row, answer: str) -> Grade:
        return Grade(float(plain(answer) == digits(row.prompt)), "reckoned", evidence="execution")


def digits(prompt: str) -> str:
    return f"{sum(map(int, prompt.split('+'))):0{DIGITS + 1}}"[::-1]


def plain(text: str) -> str:
    return "".join(letter for letter in text if letter not in FILLER)


def carries(prompt: str) -> list[int]:
    """The places, units first, into which one is carried, but for the last."""
    one, other = (int(number) for number in prompt.split("+"))
    return [at for at in range(1, DIGITS) if one % 10**at + other % 10**at >= 10**at]


def planted(prompt: str) -> int:
    return random.Random(prompt).choice(carries(prompt) or [-1])


def sums(count: int, seed: int) -> list[Row]:
    """Sums with a carry."""
    chance = random.Random(seed)
    rows: list[Row] = []
    while len(rows) < count:
        prompt = "+".join(str(chance.randrange(10**DIGITS)) for _ in range(2))
        if carries(prompt) and prompt not in {row.prompt for row in rows}:
            rows.append(Row(prompt, digits(prompt), target=digits(prompt)))
    return rows
