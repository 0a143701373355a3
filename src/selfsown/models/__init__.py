"""Who writes: a model takes prompts and gives replies, in order; one bad prompt never fails its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from selfsown.records import Row
from selfsown.text.chat import Prompt

ANSWER_START = "\x1f"  # between a prompt and the beginning of its answer, from which the embedded model then goes on


@dataclass(frozen=True)
class Reply:
    """What a model said. prompt is the whole prompt, also where the model was left to finish it.

    reasoning: what it thought before, where that is told. logprobs: each token of the text with the natural
    logarithm of its probability, where that was asked for.
    """

    prompt: str
    text: str
    tokens: int = 0
    failure: str = ""
    reasoning: str = ""
    logprobs: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class SamplingParams:
    """How replies are sampled.

    n: replies to each prompt. temperature: 0 takes the likeliest token. max_tokens: the longest reply (0: the model's
    own limit). continue_prompt: the prompt is unfinished; the model writes the rest of it before its answer.
    schema: a JSON schema that a reply is to follow, where the model supports one.
    """

    n: int = 1
    temperature: float = 1.0
    seed: int = 0
    max_tokens: int = 0
    continue_prompt: bool = False
    schema: Mapping[str, Any] | None = None


DEFAULT_PARAMS = SamplingParams()


class Model(Protocol):
    """What the verbs ask of a model.

    One that reads conversations message by message has the attribute `reads_conversations`, which is true. Rows of any
    other have no system message and no tools, for `str(prompt)` shows it neither.
    """

    name: str

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """`params.n` replies to each prompt, in the order of the prompts."""
        ...

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """For each row, how surprising its whole text is, in bits, and how many characters it has."""
        ...
