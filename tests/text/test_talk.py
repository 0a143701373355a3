"""A talk is written out as one prompt and comes back as the messages that it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.talk import remembered, turns_of, written_out

TALK = [("user", "2 + 2?"), ("assistant", "4"), ("user", "Sure?")]


def test_a_single_question_stands_as_it_is_and_a_longer_talk_says_who_speaks() -> None:
    assert written_out(TALK[:1]) == "2 + 2?"
    assert written_out(TALK) == "user: 2 + 2?\nassistant: 4\nuser: Sure?"
    assert written_out([]) == ""


@given(st.lists(st.tuples(st.sampled_from(("user", "assistant", "tool")), st.text()), min_size=2))
def test_what_was_remembered_comes_back_whatever_was_said(turns: list[tuple[str, str]]) -> None:
    assert turns_of(written_out(turns), remembered(turns)) == turns


@pytest.mark.parametrize(
    "traits",
    [{}, remembered(TALK), *({"messages": said} for said in ("hi", "5", "[5]", '["user"]', '[{"role": "user"}]'))],
)
def test_a_prompt_that_is_no_longer_those_messages_is_a_single_turn(traits: dict[str, str]) -> None:
    assert turns_of("3 + 3?", traits) == [("user", "3 + 3?")]
    assert turns_of("user: a\nassistant: b\nuser: c", traits) == [("user", "user: a\nassistant: b\nuser: c")]
