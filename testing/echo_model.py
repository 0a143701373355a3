"""A model that says what it is told to say: a real one, only as simple as can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import Row
from selfsown.text.chat import Prompt

Say = Callable[[str, int], str | Reply]


class Parrot:
    """`say(prompt, at)` is an answer or a whole reply; `at` counts the replies before it in the same call."""

    def __init__(self, say: Say, name: str = "parrot") -> None:
        self.say, self.name = say, name
        self.temperatures: list[float] = []

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        self.temperatures.append(params.temperature)
        return [
            [self._reply(prompt, at * params.n + draw) for draw in range(params.n)] for at, prompt in enumerate(prompts)
        ]

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """Two bits for each character."""
        lengths = [len(row.prompt) + len(row.answer) + 1 for row in rows]
        return [(2.0 * length, length) for length in lengths]

    def _reply(self, prompt: Prompt, at: int) -> Reply:
        reply = self.say(str(prompt), at)
        return reply if isinstance(reply, Reply) else Reply(str(prompt), reply)


def replaying(rows: Sequence[Row]) -> Parrot:
    """It says these rows, whole, one after the other, whatever the prompt."""
    return Parrot(lambda prompt, at: Reply(rows[at % len(rows)].prompt, rows[at % len(rows)].answer))


def knowing(rows: Sequence[Row]) -> Parrot:
    """It answers the prompts of these rows right, and any other with nothing."""
    answers = {row.prompt: row.answer for row in rows}
    return Parrot(lambda prompt, at: answers.get(prompt, ""))
