"""Requests of many kinds of people, in the shares that were asked for."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import persona
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from selfsown.text.normalize import fenced
from testing.echo_model import Parrot

REAL = [Row(f"How deep is lake number {at}?", "Deep.", sample_index=at) for at in range(7)]


def teaching(request: Any = None, answer: Any = "Done.") -> Parrot:
    def say(prompt: str, at: int) -> str | Reply:
        if "JSON schema" not in prompt:
            return answer if isinstance(answer, str | Reply) else f"{prompt}: {answer}"
        found = f"request number {at}" if request is None else request
        return json.dumps({"request": found}) if isinstance(found, str) else found

    return Parrot(say)


def made(teacher: Parrot, real: list[Row] = REAL, seed: int = 0, **knobs: Any) -> list[Row]:
    return recorded("persona", persona.generate(real, teacher, seed, **{"count": 40, **knobs}), teacher)


def test_each_request_is_answered_and_its_row_carries_who_asked_and_how() -> None:
    rows = made(teaching(), attributes={"topic": ["law", "music"]})
    for at, row in enumerate(rows):
        assert (row.prompt, row.answer, row.status) == (f"request number {at}", "Done.", "")
        assert (row.origin, row.source, row.method, row.generation, row.sample_index) == (
            "synthetic",
            "parrot",
            "persona",
            2,
            at,
        )
        assert set(row.metadata) == {"persona", "format", "topic"}
        assert row.parents == (REAL[at % len(REAL)].id,)


@pytest.mark.parametrize("count", [1, 7, 40, 64])
def test_every_value_gets_its_share_as_nearly_as_can_be(count: int) -> None:
    shares = {"easy": 1.0, "middling": 2.5, "hard": 0.5}
    for seed in range(5):
        rows = made(teaching(), seed=seed, count=count, personas=("a", "b", "c"), attributes={"difficulty": shares})
        assert len(rows) == count
        found = Counter(row.metadata["difficulty"] for row in rows)
        assert all(abs(found[name] - count * share / 4) < 1 for name, share in shares.items())
        assert all(abs(Counter(row.metadata["persona"] for row in rows)[name] - count / 3) < 1 for name in "abc")


def test_over_many_calls_rounding_favours_no_value() -> None:
    rows = [row for seed in range(400) for row in made(teaching(), seed=seed, count=2, formats=("a", "b", "c"))]
    found = Counter(row.metadata["format"] for row in rows)
    assert all(220 < found[name] < 313 for name in "abc"), found


def test_personas_formats_and_attributes_are_crossed_by_chance() -> None:
    rows = made(teaching(), count=400, personas=("a", "b"), formats=("c", "d"))
    pairs = Counter((row.metadata["persona"], row.metadata["format"]) for row in rows)
    assert all(75 < pairs[pair] < 125 for pair in ((p, f) for p in "ab" for f in "cd"))


def test_what_is_wanted_is_told_and_nothing_of_the_row_s_traits_stands_in_its_prompt() -> None:
    seen: list[str] = []

    def say(prompt: str, at: int) -> str:
        seen.append(prompt)
        return json.dumps({"request": f"r{at}"}) if "JSON schema" in prompt else "a"

    rows = made(Parrot(say), personas=("a diver",), instruction="In Dutch.", count=10)
    assert len(seen) == 20
    for row, prompt in zip(rows, seen[:10], strict=True):
        assert all(f"{name}: {value}" in prompt for name, value in row.metadata.items())
        assert "In Dutch." in prompt
        assert [real.id for real in REAL if fenced(real.prompt) in prompt] == list(row.parents)
    assert seen[10:] == [row.prompt for row in rows]


@pytest.mark.parametrize(
    ("request_", "answer", "reason"),
    [
        (Reply("", "hm"), "a", "no JSON in the answer"),
        ("", "a", "an empty text"),
        ("I'm sorry, I can't write that.", "a", "it refuses"),
        ("w" * 9000, "a", "9,000 characters; the limit is 8,000"),
        ("That the person described here might send to an assistant.", "a", "it repeats its instructions"),
        (REAL[0].prompt.replace("lake", "Lake"), "a", "it copies its example"),
        (None, Reply("", "", failure="an empty answer"), "an empty answer"),
        (None, "As an AI, I cannot know.", "it refuses"),
    ],
)
def test_what_is_no_good_has_failed_with_its_reason(request_: Any, answer: Any, reason: str) -> None:
    rows = made(teaching(request_, answer), REAL[:1], count=3)
    assert [row.status for row in rows] == ["failed"] * 3
    assert all(row.reason.startswith(reason) for row in rows), rows[0].reason
    assert len({row.id for row in rows}) == 3


def test_without_real_prompts_there_are_no_examples_and_no_parents() -> None:
    rows = made(teaching(), [Row("", "a document")])
    assert {(row.status, row.parents) for row in rows} == {("", ())}


def test_the_seed_decides_who_asks_what() -> None:
    first, again, other = (made(teaching(), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert [row.metadata for row in first] != [row.metadata for row in other]


def test_an_attribute_without_values_is_a_mistake() -> None:
    with pytest.raises(SelfsownError, match=r"generate\.persona: topic has no values"):
        made(teaching(), attributes={"topic": []})
