"""What a reply says: anything may come from a server, and none of it ends in a traceback."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.models.endpoint import create
from selfsown.models.endpoint.styles import PATHS, Said, heard

STYLES = sorted(PATHS)
TEXT = st.text(st.characters(), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "choices",
                    "message",
                    "content",
                    "text",
                    "usage",
                    "finish_reason",
                    "refusal",
                    "error",
                    "completion_tokens",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
MODEL = create([], 0, url="http://localhost/v1", model="m")


@given(st.sampled_from(STYLES), JSON.map(json.dumps) | TEXT)
def test_any_reply_is_read_or_refused(style: str, reply: str) -> None:
    try:
        said = heard(style, reply)
    except ValueError:
        return
    assert said.text.strip() or said.failure
    said.text.encode()


@given(TEXT.filter(str.strip))
def test_a_text_comes_back_as_it_was_said(text: str) -> None:
    whole = text.encode("utf-8", "replace").decode()
    parts = [{"type": "text", "text": text[:3]}, {"type": "thinking", "thinking": "…"}, {"text": text[3:]}]
    bodies = {
        "chat": {"choices": [{"message": {"content": text}}]},
        "completions": {"choices": [{"text": text}]},
        "messages": {"content": parts},
    }
    for style, body in bodies.items():
        assert heard(style, json.dumps(body)) == Said(whole)
    assert heard("chat", json.dumps({"choices": [{"message": {"content": parts}}]})) == Said(whole)


@pytest.mark.parametrize("style", STYLES)
def test_an_error_in_a_reply_s_place_is_told(style: str) -> None:
    with pytest.raises(ValueError, match="overloaded"):
        heard(style, '{"error": {"message": "overloaded"}}')
    with pytest.raises(ValueError, match="deep"):
        heard(style, "[" * 100000)


ASKED = st.tuples(TEXT, st.sampled_from((0.0, 0.5, 1.0)), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


@given(ASKED, ASKED)
def test_the_same_request_has_the_same_key_and_another_request_another(
    one: tuple[str, float, int, int, int], two: tuple[str, float, int, int, int]
) -> None:
    one, two = ((f"say {each[0]}", *each[1:]) for each in (one, two))
    assert MODEL._ask(*one) == MODEL._ask(*one)
    assert (MODEL._ask(*one).key == MODEL._ask(*two).key) == (one == two)
