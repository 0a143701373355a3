"""Talks of several turns: the teacher answers, and asks on in the user's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from provenance import recorded

from selfsown.export.formats import FormatOptions, get_format
from selfsown.generate import multi_turn
from selfsown.models import Reply
from selfsown.models.hf.encoding import load_encoder
from selfsown.models.hf.settings import Settings
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.text.chat import prompt_messages
from testing.echo_model import Parrot
from testing.mock_server import Body, Server
from testing.tiny_checkpoint import write_checkpoint

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


def test_by_turn_each_answer_is_a_row_after_the_conversation_before_it() -> None:
    (whole,) = made(rows=REAL[:1], turns=3)
    rows = made(rows=REAL[:1], turns=3, by_turn=True)
    messages = [*prompt_messages(whole.prompt, whole.metadata), {"role": "assistant", "content": whole.answer}]
    assert [row.metadata["turn"] for row in rows] == ["1 of 3", "2 of 3", "3 of 3"]
    assert len({row.metadata["episode"] for row in rows}) == 1
    for place, row in zip((1, 3, 5), rows, strict=True):
        assert prompt_messages(row.prompt, row.metadata) == messages[:place]
        assert row.answer == messages[place]["content"]
        assert (row.key, row.parents, row.status) == (whole.key, whole.parents, "")
    assert [row.target for row in rows] == ["real", "", ""]
    assert (rows[-1].prompt, rows[-1].answer) == (whole.prompt, whole.answer)
    assert "episode" not in whole.metadata


def test_by_turn_a_conversation_that_breaks_off_keeps_the_turns_before() -> None:
    def faulty(prompt: str, at: int) -> str | Reply:
        return Reply("", "", failure="refused: no") if prompt.count("assistant: ") == 1 else say(prompt, at)

    def cut(prompt: str, at: int) -> str | Reply:
        is_second = not prompt.startswith("Below") and prompt.count("assistant: ") == 1
        return Reply("", "an", failure="cut") if is_second else say(prompt, at)

    user_failed = made(faulty, REAL[:1], turns=3, by_turn=True)
    assert [(row.answer, row.status, row.reason) for row in user_failed] == [
        ("answer 0 to 0?", "", ""),
        ("", "failed", "refused: no"),
    ]
    answer_failed = made(cut, REAL[:1], turns=3, by_turn=True)
    assert [(row.answer, row.status, row.reason) for row in answer_failed] == [
        ("answer 0 to 0?", "", ""),
        ("an", "failed", "cut"),
    ]


def test_by_turn_a_judge_and_a_program_grade_every_turn_of_a_served_teacher(tmp_path: Path) -> None:
    """The judge is a server on the loopback that marks down every second answer; the program refuses long ones."""

    def served(prompt: str, body: Body) -> str:
        if "score" in str(body.get("response_format", "")):
            return json.dumps(
                {"reason": "as it should", "score": 1 if "second" in prompt.rpartition("The answer")[2] else 5}
            )
        asked = body["messages"]
        if "Write only the user's message" in asked[-1]["content"]:
            return "And then?"
        return ("first", "second", "third, and far too long an answer")[sum(m["role"] == "assistant" for m in asked)]

    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Where?"}\n{"prompt": "When?"}\n', encoding="utf-8")
    (tmp_path / "short.py").write_text(
        "from selfsown import Grade\n\n\ndef grade(rows):\n"
        '    """Short answers."""\n    for row in rows:\n        yield Grade(float(len(row.answer) < 20), "length")\n',
        encoding="utf-8",
    )
    with Server(say=served) as server:
        recipe = Recipe.of(
            {
                "real": str(tmp_path / "prompts.jsonl"),
                "teacher": {"endpoint": {"url": server.url, "model": "m"}},
                "generate": [{"multi_turn": {"turns": 3, "by_turn": True}}],
                "grade": ["judge", str(tmp_path / "short.py")],
                "curate": ["min_score", "whole_episodes"],
                "held_out": 0,
            }
        )
        make(recipe, tmp_path / "out")
    rows = sorted(RunFolder(tmp_path / "out").rows("rows") or [], key=lambda row: row.sample_index)
    assert [row.metadata["turn"] for row in rows] == ["1 of 3", "2 of 3", "3 of 3"] * 2
    assert all(len(row.grades) == 2 for row in rows)
    assert [row.score for row in rows] == [1.0, 0.0, 0.0] * 2
    assert [row.status for row in rows] == ["kept", "rejected", "rejected"] * 2
    assert [[grade.score for grade in row.grades] for row in rows[:3]] == [[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]


def test_by_turn_training_learns_each_answer_and_no_question(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    encoder = load_encoder(tmp_path, Settings(model=str(tmp_path)), "tiny")
    for row in made(rows=REAL[:1], turns=3, by_turn=True):
        tokens, start = encoder.row(row)
        before, after = encoder.decode(tokens[:start]), encoder.decode(tokens[start:])
        assert row.answer in after
        assert row.answer not in before
        assert "0?" in before
        assert "user" not in after
        assert tokens[-1] == encoder.end
