"""A conversation is a text and a few traits, and comes back from them message by message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.records import Row
from selfsown.text.chat import (
    Conversation,
    Message,
    answer_message,
    answer_metadata,
    append_text,
    drop_chat_metadata,
    full_prompt,
    keep_prompt_metadata,
    message_text,
    messages_metadata,
    messages_text,
    prepend_text,
    prompt_messages,
    text_prompt_metadata,
)

USER: Message = {"role": "user", "content": "2 + 2?"}
FOUR: Message = {"role": "assistant", "content": "4"}
SURE: Message = {"role": "user", "content": "Sure?"}
SYSTEM: Message = {"role": "system", "content": "Be brief."}
CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
CALLING: Message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: Message = {"role": "tool", "content": "4", "tool_call_id": "c1"}
TALK = [USER, FOUR, SURE]
TOOLS = json.dumps([{"type": "function", "function": {"name": "add"}}])

WORDS = st.text(max_size=8)
NAMED = st.fixed_dictionaries({"content": WORDS}, optional={"name": st.text(min_size=1, max_size=4)})
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.just("function"),
            "function": st.fixed_dictionaries({"name": st.text(min_size=1, max_size=4), "arguments": WORDS}),
        },
        optional={"id": st.text(min_size=1, max_size=4)},
    ),
    min_size=1,
    max_size=2,
)
MESSAGES = st.one_of(
    st.builds(lambda role, rest: {"role": role, **rest}, st.sampled_from(("system", "developer", "user")), NAMED),
    st.builds(lambda rest: {"role": "assistant", **rest}, NAMED),
    st.builds(lambda words, calls: {"role": "assistant", "content": words, "tool_calls": calls}, WORDS, CALLS),
    st.builds(lambda calls: {"role": "assistant", "content": None, "tool_calls": calls}, CALLS),
    st.builds(lambda rest, of: {"role": "tool", **rest, "tool_call_id": of}, NAMED, st.text(min_size=1, max_size=4)),
)


def test_a_single_question_stands_as_it_is_and_a_longer_talk_says_who_speaks() -> None:
    assert messages_text([USER]) == "2 + 2?"
    assert messages_text(TALK) == "user: 2 + 2?\nassistant: 4\nuser: Sure?"
    assert messages_text([]) == ""


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([SYSTEM, USER], "2 + 2?"),
        ([{"role": "developer", "content": "Add."}, USER], "2 + 2?"),
        ([SYSTEM, SYSTEM, *TALK], messages_text(TALK)),
        ([USER, FOUR, SYSTEM, SURE], "user: 2 + 2?\nassistant: 4\nsystem: Be brief.\nuser: Sure?"),
        ([USER, CALLING, RESULT], 'user: 2 + 2?\nassistant: add({"a": 2})\ntool: 4'),
        ([{**USER, "name": "Ann"}, FOUR, SURE], "user (Ann): 2 + 2?\nassistant: 4\nuser: Sure?"),
    ],
)
def test_instructions_at_the_beginning_are_no_part_of_the_text_and_all_others_stand_in_their_place(
    messages: list[Message], text: str
) -> None:
    assert messages_text(messages) == text


@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_whatever_was_said_comes_back_message_by_message(messages: list[Message]) -> None:
    assert prompt_messages(messages_text(messages), messages_metadata(messages)) == messages


@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_an_answer_comes_back_as_the_message_that_it_was(messages: list[Message]) -> None:
    for message in messages:
        answer = {**message, "role": "assistant"}
        assert answer_message(message_text(answer), answer_metadata(answer)) == answer


@pytest.mark.parametrize(
    "traits",
    [
        {},
        messages_metadata(TALK),
        *({"messages": said} for said in ("hi", "5", "[5]", '["user"]', '[{"role": "user"}]', '[{"role": 5}]')),
        {"messages": json.dumps([{**CALLING, "tool_calls": [5]}])},
        {"messages": json.dumps([{**CALLING, "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}])},
    ],
)
def test_a_prompt_that_is_no_longer_those_messages_is_a_single_turn(traits: dict[str, str]) -> None:
    assert prompt_messages("3 + 3?", traits) == [{"role": "user", "content": "3 + 3?"}]
    text = "user: a\nassistant: b\nuser: c"
    assert prompt_messages(text, traits) == [{"role": "user", "content": text}]


@pytest.mark.parametrize("traits", [{}, {"by": "ann"}, {"messages": "no JSON"}, {"tools": "hammer"}, {"tools": "[]"}])
def test_a_plain_prompt_stays_a_text(traits: dict[str, str]) -> None:
    assert Row("2 + 2?", "4", metadata=traits).full_prompt == "2 + 2?"


@pytest.mark.parametrize(
    ("traits", "messages"),
    [
        ({"system": "Be brief."}, [SYSTEM, USER]),
        ({"tools": TOOLS}, [USER]),
        ({"system": "Be brief.", "tools": TOOLS}, [SYSTEM, USER]),
    ],
)
def test_the_full_prompt_has_all_that_the_traits_tell_of(traits: dict[str, str], messages: list[Message]) -> None:
    prompt = Row("2 + 2?", "4", metadata=traits).full_prompt
    assert isinstance(prompt, Conversation)
    assert (prompt.messages, prompt.tools, str(prompt)) == (messages, traits.get("tools", ""), "2 + 2?")


def test_the_same_text_under_another_system_message_is_another_prompt() -> None:
    one, same, other = (full_prompt("2 + 2?", {"system": words}) for words in ("Be brief.", "Be brief.", "Be kind."))
    assert one == same
    assert len({one, same, other, "2 + 2?"}) == 3


@pytest.mark.parametrize(
    ("messages", "first", "last"),
    [
        ([SYSTEM, USER], [SYSTEM, {"role": "user", "content": "Do.\n\n2 + 2?"}], "2 + 2?\n\nDo."),
        (TALK, [USER, FOUR, {"role": "user", "content": "Do.\n\nSure?"}], "Sure?\n\nDo."),
        ([USER, CALLING, RESULT], [{"role": "user", "content": "Do.\n\n2 + 2?"}, CALLING, RESULT], "Do."),
        ([SYSTEM, FOUR], [SYSTEM, FOUR, {"role": "user", "content": "Do."}], "Do."),
    ],
)
def test_words_before_and_after_stand_with_the_user_s(messages: list[Message], first: Any, last: str) -> None:
    prompt = full_prompt(messages_text(messages), messages_metadata(messages))
    before, after = prepend_text(prompt, "Do."), append_text(prompt, "Do.")
    assert isinstance(before, Conversation)
    assert isinstance(after, Conversation)
    assert before.messages == first
    assert after.messages[-1] == {"role": "user", "content": last}
    assert prepend_text(prompt, "") == prompt


def test_words_around_a_text() -> None:
    assert prepend_text("2 + 2?", "Do.") == "Do.\n\n2 + 2?"
    assert (prepend_text("2 + 2?", ""), append_text("2 + 2?", "Do.")) == ("2 + 2?", "2 + 2?\n\nDo.")


def test_which_traits_another_answer_another_prompt_and_a_writer_of_texts_leave() -> None:
    own = {"by": "ann"}
    asked = {"system": "Be brief.", "tools": TOOLS, **messages_metadata(TALK)}
    answered = {"reasoning": "two and two", "completion": "[]", "rejected": "5"}
    whole = {**own, **asked, **answered}
    assert keep_prompt_metadata(whole) == {**own, **asked}
    assert drop_chat_metadata(whole) == own
    assert text_prompt_metadata(messages_text(TALK), {**own, **asked}) == {**own, **messages_metadata(TALK)}
    assert text_prompt_metadata("2 + 2?", {**own, "system": "Be brief."}) == own
    assert text_prompt_metadata("a tool?", {"tools": "hammer"}) == {"tools": "hammer"}


def test_a_transcript_has_everything() -> None:
    prompt = full_prompt("2 + 2?", {"system": "Be brief.", "tools": TOOLS})
    assert isinstance(prompt, Conversation)
    assert prompt.transcript() == f"tools: {TOOLS}\nsystem: Be brief.\nuser: 2 + 2?"
