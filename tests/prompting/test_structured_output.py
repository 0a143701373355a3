"""Answers as data: JSON is found however it is dressed, and what is does not match the schema is asked for again."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from selfsown.models import Reply
from selfsown.prompting.json_in_text import json_values
from selfsown.prompting.structured_output import Answer, compact_json, complete_json
from selfsown.records import SelfsownError
from testing.echo_model import Parrot

SCHEMA = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}},
    "required": ["age"],
    "additionalProperties": False,
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def trees(text: st.SearchStrategy[str], *, among: bool) -> st.SearchStrategy[Any]:
    """JSON values; among: only those with brackets around them, which can be told from the words about them."""
    alone = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
    found = st.recursive(
        alone, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
    )
    return found.filter(lambda value: isinstance(value, list | dict)) if among else found


FLAT = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=12)
PROSE = st.sampled_from(("", "Here it is:\n", "Sure! It's `this`, as you wished: ", "<b>JSON</b> "))
AFTER = st.sampled_from(("", "\n\nI hope that helps.", ' That\'s "all".', "\n```"))


def first(text: str) -> Any:
    return next((found.value for found in json_values(text)), "nothing")


@given(trees(TEXT, among=False), st.sampled_from((None, 2)))
def test_json_alone_comes_back(value: Any, indent: int | None) -> None:
    assert first(f"\n {json.dumps(value, indent=indent)} ") == value


@given(trees(TEXT, among=False), PROSE, AFTER, st.sampled_from(("```\n", "```json\n", "```JSON\n")))
def test_json_between_fences_comes_back(value: Any, before: str, after: str, fence: str) -> None:
    assert first(f"{before}{fence}{json.dumps(value)}\n```{after.removesuffix('```')}") == value


@given(trees(TEXT, among=True), PROSE, AFTER)
def test_json_among_words_comes_back(value: Any, before: str, after: str) -> None:
    assert first(f"{before}{json.dumps(value, indent=1)}{after}") == value


def with_commas(value: Any) -> str:
    """As JSON, but with a comma after each last element."""
    if isinstance(value, dict):
        return "{" + "".join(f"{json.dumps(key)}: {with_commas(each)},\n" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + "".join(f"{with_commas(each)}, " for each in value) + "]"
    return json.dumps(value)


@given(trees(TEXT, among=True), PROSE, AFTER)
def test_commas_too_many_do_no_harm(value: Any, before: str, after: str) -> None:
    assert value in [found.value for found in json_values(f"{before}{with_commas(value)}{after}")]


@given(trees(FLAT, among=True), PROSE)
def test_single_quotes_and_python_s_constants_do_no_harm(value: Any, before: str) -> None:
    assume(r"\\\x" not in repr(value))  # a backslash before a control character: json_repair takes one of the two
    assert value in [found.value for found in json_values(f"{before}{value!r}")]


@given(TEXT | st.text("{}[]'\",:\\`ab1 \n", max_size=60))
def test_of_any_text_only_what_can_be_written_down_is_taken(text: str) -> None:
    for found in json_values(text):
        assert json.loads(compact_json(found.value).encode()) == found.value


@pytest.mark.parametrize("text", ["[" * 50000, '{"a":' * 20000, "{'" * 20000, "{it is so, " * 10000, "```" * 20000])
def test_a_text_that_repeats_itself_is_soon_given_up(text: str) -> None:
    began = time.process_time()
    list(json_values(text))
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("said", "data"),
    [
        ('{"age": 7}', 7),
        ('Not {"age": "x"}, but {"age": 7}', 7),
        ("```json\n{'age': 7,}\n```", 7),
        ('{"age": 7', 7),
        ('The form is [{"age": -1}]. So: {"age": 7}', 7),
    ],
)
def test_the_first_value_that_keeps_to_the_schema_is_taken(said: str, data: int) -> None:
    assert complete_json(Parrot(lambda prompt, at: said), ["how old?"], SCHEMA) == [Answer({"age": data}, said)]


def test_only_the_unfit_are_asked_again_in_a_new_prompt_that_says_what_was_wrong() -> None:
    rounds: list[list[str]] = []
    said = {"ann": ["7"], "bob": ['{"age": -1}', '{"age": 9}'], "cid": ['{"age": 3}'], "dan": ["old"] * 9}
    said["ann"].append('{"age": 7}')

    def say(prompt: str, at: int) -> str:
        if at == 0:
            rounds.append([])
        rounds[-1].append(prompt)
        return said[prompt[:3]][len(rounds) - 1]

    answers = complete_json(Parrot(say), list(said), SCHEMA)
    assert [answer.data for answer in answers] == [{"age": 7}, {"age": 9}, {"age": 3}, None]
    assert [answer.failure for answer in answers] == ["", "", "", "no JSON in the answer"]
    assert [[prompt[:3] for prompt in asked] for asked in rounds] == [list(said), ["ann", "bob", "dan"], ["dan"]]
    assert compact_json(SCHEMA) in rounds[0][0]
    assert "does not match the schema: $: 7 is not of type 'object'" in rounds[1][0]
    assert '{"age": -1}' in rounds[1][1]
    assert "$.age: -1 is less than the minimum of 0" in rounds[1][1]


@pytest.mark.parametrize("again", [0, 1, 3])
def test_again_is_how_often_the_unfit_are_asked_anew(again: int) -> None:
    model = Parrot(lambda prompt, at: "no")
    (answer,) = complete_json(model, ["how old?"], SCHEMA, retries=again)
    assert len(model.temperatures) == again + 1
    assert (answer.data, answer.text, answer.failure) == (None, "no", "no JSON in the answer")


def test_who_said_nothing_is_not_asked_again_and_what_was_cut_off_is_not_repaired() -> None:
    model = Parrot(lambda prompt, at: Reply(prompt, "", failure="the server returned 500, 6 times"))
    (answer,) = complete_json(model, ["how old?"], SCHEMA)
    assert (answer.failure, len(model.temperatures)) == ("the server returned 500, 6 times", 1)
    model = Parrot(lambda prompt, at: Reply(prompt, '{"age": 1', failure="truncated at max_tokens"))
    (answer,) = complete_json(model, ["how old?"], SCHEMA)
    assert (answer.data, answer.failure, len(model.temperatures)) == (None, "truncated at max_tokens", 3)


def test_no_prompts_are_no_answers_and_what_was_thought_is_kept() -> None:
    assert complete_json(Parrot(lambda prompt, at: "no"), [], SCHEMA) == []
    model = Parrot(lambda prompt, at: Reply(prompt, '{"age": 1}', reasoning="young"))
    assert complete_json(model, ["how old?"], SCHEMA)[0].reasoning == "young"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "objekt"}, r"schema is not a JSON schema: \$.type: 'objekt'"),
        ({"properties": {"a": {"pattern": "("}}}, r"\$.properties.a.pattern"),
        ({"items": {"$ref": "#/$defs/missing"}}, "which it does not contain"),
        ({"items": {"$ref": "http://127.0.0.1:9/schema.json"}}, "which it does not contain"),
        ({"enum": {1, 2}}, "not JSON serializable"),
    ],
)
def test_a_schema_that_is_none_is_told_before_anything_is_asked(schema: dict[str, Any], words: str) -> None:
    model = Parrot(lambda prompt, at: "7")
    with pytest.raises(SelfsownError, match=words):
        complete_json(model, ["how old?"], schema)
    assert not model.temperatures


def test_reasons_are_short_however_long_the_answer() -> None:
    said = json.dumps({"age": "x" * 5000})
    (answer,) = complete_json(Parrot(lambda prompt, at: said), ["how old?"], SCHEMA)
    assert len(answer.failure) < 250
