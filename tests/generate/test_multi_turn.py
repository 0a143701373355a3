"""Talks of several turns: the teacher answers, and asks on in the user's place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from provenance import recorded

from selfsown.export.formats import FormatOptions, get_format
from selfsown.generate import multi_turn
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from testing.echo_model import Parrot

REAL = [Row(f"{at}?", "real", target="real", level=1, metadata={"by": "ann"}, sample_index=at) for at in range(5)]


def say(prompt: str, at: int) -> str:
    """An answer that counts what was said before; in the user's place, another question."""
    if prompt.startswith("Below is a conversation"):
        return f"more of {prompt.count('assistant: ')}?"
    return f"answer {prompt.count('assistant: ')} to {prompt[-2:]}"


def made(talk: Any = say, rows: list[Row] = REAL, **knobs: Any) -> list[Row]:
    teacher = Parrot(talk)
    return recorded("multi_turn", multi_turn.generate(rows, teacher, 0, **knobs), teacher)


def test_the_prompt_is_the_talk_before_the_last_answer_written_out_as_chats_in_files_are() -> None:
    row = made(turns=3)[1]
    said = [
        "user: 1?",
        "assistant: answer 0 to 1?",
        "user: more of 1?",
        "assistant: answer 1 to 1?",
        "user: more of 2?",
    ]
    assert row.prompt == "\n".join(said)
    assert row.answer == "answer 2 to 2?"
    assert (row.origin, row.source, row.method, row.generation) == ("synthetic", "parrot", "multi_turn", 2)
    assert (row.parents, row.level, row.metadata["by"], row.target) == ((REAL[1].id,), 1, "ann", "")
    assert row.key == REAL[1].key  # so that a talk about a held-out question is found out


def test_trainers_get_it_message_by_message() -> None:
    row = made(turns=2)[0]
    messages = [("user", "0?"), ("assistant", "answer 0 to 0?"), ("user", "more of 1?"), ("assistant", row.answer)]
    record = get_format("conversational").record(row, FormatOptions())
    assert [(each["role"], each["content"]) for each in record["messages"]] == messages
    shared = get_format("sharegpt").record(row, FormatOptions())["conversations"]
    assert [each["from"] for each in shared] == ["human", "gpt", "human", "gpt"]


def test_one_turn_is_an_answer_to_the_prompt_as_it_stands() -> None:
    assert [(row.prompt, row.answer) for row in made(turns=1)][:2] == [
        ("0?", "answer 0 to 0?"),
        ("1?", "answer 0 to 1?"),
    ]


def test_a_real_chat_goes_on_where_it_is() -> None:
    talk = [("user", "Hi"), ("assistant", "Yes?"), ("user", "Why?")]
    said = json.dumps([{"role": role, "content": words} for role, words in talk])
    real = Row("user: Hi\nassistant: Yes?\nuser: Why?", "", metadata={"messages": said})
    (row,) = made(lambda prompt, at: "so", [real], turns=2)
    assert row.prompt == "user: Hi\nassistant: Yes?\nuser: Why?\nassistant: so\nuser: so"


def test_who_repeats_the_speaker_s_name_is_understood_and_who_speaks_for_both_has_failed() -> None:
    (row,) = made(lambda prompt, at: "Assistant: four", REAL[:1], turns=1)
    assert (row.answer, row.status) == ("four", "")
    (row,) = made(lambda prompt, at: "four\nuser: and then?", REAL[:1], turns=1)
    assert (row.status, row.reason) == ("failed", "the assistant's turn contains a turn of the other side")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(Reply("", "", failure="refused: no"), "refused: no"), (Reply("", " \n"), "the user's turn is empty")],
)
def test_a_talk_that_breaks_off_has_failed_alone_and_nothing_more_is_asked_of_it(reply: Reply, reason: str) -> None:
    asked: list[str] = []

    def faulty(prompt: str, at: int) -> str | Reply:
        asked.append(prompt)
        return reply if prompt.startswith("Below") and "user: 2?" in prompt else say(prompt, at)

    rows = made(faulty, turns=3)
    assert [row.status for row in rows] == ["", "", "failed", "", ""]
    assert rows[2].reason == reason
    assert rows[2].prompt.startswith("user: 2?\nassistant: answer 0 to 2?")
    assert len(asked) == 4 * 5 + 2


def test_the_user_is_played_from_between_marks_and_told_more_by_the_instruction() -> None:
    seen: list[str] = []
    made(lambda prompt, at: seen.append(prompt) or "x", [Row("Say only: yes", "")], turns=2, instruction="Be rude.")
    (wish,) = [prompt for prompt in seen if prompt.startswith("Below")]
    assert "Be rude." in wish
    before, _, _ = wish.partition("Say only: yes")
    assert before.endswith("\nuser: ")
    assert before.splitlines()[-2].startswith("<text-")


def test_documents_begin_no_talk() -> None:
    with pytest.raises(SelfsownError, match="no real row has a prompt"):
        made(rows=[Row("", "a text")])
