"""The teacher writes both sides of a conversation: it answers a real prompt, asks the user's next question, and so on.

The teacher must follow instructions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfsown.models import Model, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.judge_prompts import IGNORE_INSTRUCTIONS
from selfsown.prompting.row_text import for_row
from selfsown.records import EPISODE, TURN, NoPrompt, Row
from selfsown.templates import TemplateText
from selfsown.text.chat import (
    Message,
    Prompt,
    full_prompt,
    keep_prompt_metadata,
    messages_metadata,
    messages_text,
    prompt_messages,
)
from selfsown.text.normalize import fenced

READS = "prompts"
WRITES = (EPISODE, TURN)

_SPEAKER = re.compile(r"^(user|assistant): ?", re.IGNORECASE | re.MULTILINE)


@dataclass
class _Conversation:
    """The messages so far; answers: the places of the assistant's new ones; failure: why it ended early."""

    start: Row
    messages: list[Message]
    answers: list[int] = field(default_factory=list)
    failure: str = ""

    @property
    def prompt(self) -> Prompt:
        """What the assistant answers next."""
        return full_prompt(messages_text(self.messages), self.metadata(self.messages))

    def metadata(self, messages: Sequence[Message]) -> dict[str, str]:
        """The metadata of a row whose prompt is these messages."""
        return {**keep_prompt_metadata(self.start.metadata), **messages_metadata(messages)}

    def append(self, role: str, text: str, failure: str) -> None:
        """Add the role's turn, or the reason why it is unusable."""
        text = text.strip()
        speaker = _SPEAKER.match(text)
        if speaker and speaker[1].lower() == role:  # it names the speaker, as the transcript does
            text = text[speaker.end() :].strip()
        if not failure and not text:
            failure = f"the {role}'s turn is empty"
        if not failure and _SPEAKER.search(text):
            failure = f"the {role}'s turn contains a turn of the other side"
        self.failure = failure
        if role == "assistant":
            self.answers.append(len(self.messages))
        self.messages.append({"role": role, "content": text})


def generate(
    rows: Sequence[Row],
    teacher: Model,
    seed: int,
    *,
    turns: Count = 3,
    instruction: TemplateText = "",
    temperature: NotNegative = 1.0,
    by_turn: bool = False,
) -> Iterator[Row]:
    """A conversation from each real prompt: the row's answer is the last answer, its prompt the transcript before it,
    and its metadata "messages" the same turn by turn.

    turns: turns of the user, and answers.
    by_turn: a row for each answer, with the conversation before it as its prompt, so that each is graded and learned;
    the metadata "episode" is the same in all rows of a conversation, and "turn" says which one it is, as "2 of 3".
    instruction: a description of the user, added to the prompt for the user's turns.
    temperature: the teacher's sampling temperature.

    Raises NoPrompt where no real row has a prompt.
    """
    conversations = [_Conversation(row, prompt_messages(row.prompt, row.metadata)) for row in rows if row.prompt]
    if not conversations:
        raise NoPrompt(
            "generate.multi_turn: no real row has a prompt to start a conversation from; use generate.document_qa"
        )
    params = SamplingParams(temperature=temperature, seed=seed)
    for turn in range(turns):
        if turn:
            live = _live(conversations)
            _add_turns(
                live, "user", [_user_prompt(item, for_row(instruction, item.start)) for item in live], teacher, params
            )
        live = _live(conversations)
        _add_turns(live, "assistant", [item.prompt for item in live], teacher, params)
    for conversation in conversations:
        yield from _turn_rows(conversation) if by_turn else [_to_row(conversation)]


def _live(conversations: Sequence[_Conversation]) -> list[_Conversation]:
    return [conversation for conversation in conversations if not conversation.failure]


def _add_turns(
    conversations: Sequence[_Conversation], role: str, prompts: Sequence[Prompt], teacher: Model, params: SamplingParams
) -> None:
    for conversation, (reply,) in zip(conversations, teacher.complete(prompts, params), strict=True):
        conversation.append(role, reply.text, reply.failure)


def _user_prompt(conversation: _Conversation, instruction: str) -> str:
    parts = [
        "Below is a conversation between a user and an assistant. Write the user's next message: a question or a "
        "request that follows from the last answer and asks for something new, in the user's style.",
        instruction,
        fenced(messages_text(conversation.messages)),
        IGNORE_INSTRUCTIONS,
        "Write only the user's message.",
    ]
    return "\n\n".join(filter(None, parts))


def _to_row(conversation: _Conversation) -> Row:
    """The turns before the last answer are the prompt; where the user's turn failed, there is no answer."""
    messages = conversation.messages
    row = _row_until(conversation, len(messages) - (messages[-1]["role"] == "assistant"))
    return row.failed(conversation.failure) if conversation.failure else row


def _turn_rows(conversation: _Conversation) -> Iterator[Row]:
    """A row for each answer; where the conversation ended early, the last one fails, and those before it stand."""
    messages, places = conversation.messages, list(conversation.answers)
    if messages[-1]["role"] == "user":  # it has no answer
        places.append(len(messages))
    key = hashlib.sha256(f"{conversation.start.id} {json.dumps(messages)}".encode()).hexdigest()[:16]
    for number, place in enumerate(places, 1):
        row = _row_until(conversation, place)
        turn = {EPISODE: key, TURN: f"{number} of {len(places)}"}
        target = conversation.start.target if number == 1 else ""  # known for the first question alone
        row = row.replace_fields(metadata={**row.metadata, **turn}, target=target)
        yield row.failed(conversation.failure) if conversation.failure and number == len(places) else row


def _row_until(conversation: _Conversation, place: int) -> Row:
    """The message in this place as the answer to those before it; without an answer where there is no such message."""
    start, before = conversation.start, conversation.messages[:place]
    return Row(
        messages_text(before),
        conversation.messages[place]["content"] if place < len(conversation.messages) else "",
        problem=start.problem or start.prompt,
        parents=(start.id,),
        level=start.level,
        metadata=conversation.metadata(before),
    )
