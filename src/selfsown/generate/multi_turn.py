"""The teacher speaks for both: it answers a real prompt, asks on in the user's place, and answers again.

It needs a teacher who follows instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from selfsown.models import Model, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.judge_prompts import IGNORE_INSTRUCTIONS
from selfsown.records import NoPrompt, Row
from selfsown.text.chat import Message, Prompt, full_prompt, messages_of, prompt_traits, remembered, written_out
from selfsown.text.normalize import fenced

_SPEAKS = re.compile(r"^(user|assistant): ?", re.IGNORECASE | re.MULTILINE)


@dataclass
class _Talk:
    """The messages so far; failure: why it ends early."""

    real: Row
    messages: list[Message]
    failure: str = ""

    @property
    def prompt(self) -> Prompt:
        """What the assistant is asked next."""
        return full_prompt(written_out(self.messages), self.traits(self.messages))

    def traits(self, messages: Sequence[Message]) -> dict[str, str]:
        """The real row's, for a prompt of these messages."""
        return {**prompt_traits(self.real.metadata), **remembered(messages)}


def generate(
    rows: Sequence[Row],
    teacher: Model,
    generation: int,
    seed: int,
    *,
    turns: Count = 3,
    instruction: str = "",
    temperature: NotNegative = 1.0,
) -> Iterator[Row]:
    """A talk for each real prompt, with so many turns of the user's and as many answers; `instruction` says more of
    the user. The last answer is the row's; its prompt is the talk before it, written out as chats in files are, and
    the trait "messages" has it turn by turn."""
    talks = [_Talk(row, messages_of(row.prompt, row.metadata)) for row in rows if row.prompt]
    if not talks:
        raise NoPrompt("generate.multi_turn: no real row has a prompt to begin a talk with; take question")
    for turn in range(turns):
        if turn:
            _say(talks, "user", [_wish(talk, instruction) for talk in _live(talks)], teacher, temperature, seed)
        _say(talks, "assistant", [talk.prompt for talk in _live(talks)], teacher, temperature, seed)
    for talk in talks:
        yield _made(talk, teacher.name, generation)


def _live(talks: Sequence[_Talk]) -> list[_Talk]:
    return [talk for talk in talks if not talk.failure]


def _say(
    talks: Sequence[_Talk], role: str, prompts: Sequence[Prompt], teacher: Model, temperature: float, seed: int
) -> None:
    """Every talk that goes on has another turn, or has failed."""
    for talk, (reply,) in zip(
        _live(talks), teacher.complete(prompts, SamplingParams(temperature=temperature, seed=seed)), strict=True
    ):
        words = reply.text.strip()
        begun = _SPEAKS.match(words)
        if begun and begun[1].lower() == role:  # it says who speaks, as the talk before does
            words = words[begun.end() :].strip()
        talk.failure = reply.failure or ("" if words else f"the {role} says nothing")
        if not talk.failure and _SPEAKS.search(words):
            talk.failure = f"the {role} speaks for the other, too"
        talk.messages.append({"role": role, "content": words})


def _wish(talk: _Talk, instruction: str) -> str:
    parts = ["Below is a talk between a user and an assistant. Write what the user says next: a question or a wish"]
    parts[0] += " that follows from the last answer and asks for something new, in the user's manner."
    parts += [instruction] * bool(instruction)
    parts += [fenced(written_out(talk.messages)), IGNORE_INSTRUCTIONS, "Write the user's words alone."]
    return "\n\n".join(parts)


def _made(talk: _Talk, maker: str, generation: int) -> Row:
    """What stands before the last turn is the prompt; where it is the user's that failed, there is no answer."""
    *before, last = talk.messages
    answered = last["role"] == "assistant"
    before = before if answered else talk.messages
    made = Row(
        written_out(before),
        last["content"] if answered else "",
        problem=talk.real.problem or talk.real.prompt,
        origin="synthetic",
        source=maker,
        method="multi_turn",
        parents=(talk.real.id,),
        generation=generation,
        level=talk.real.level,
        metadata=talk.traits(before),
    )
    return made.failed(talk.failure) if talk.failure else made
