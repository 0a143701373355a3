"""A planted turn is found token by token, and its two sides make a pair; where there is none, none is made."""

from __future__ import annotations

import pytest
from reckoner import Reckoner, Reckoning, digits, plain, planted, sums
from server import Server

from selfsown.generate import pivotal_tokens
from selfsown.models import ANSWER_START
from selfsown.models.endpoint.endpoint import create
from selfsown.records import Grade, Row, SelfsownError

ROWS = sums(40, 0)


def pairs(model: Reckoner, **knobs: float) -> list[Row]:
    return list(pivotal_tokens.generate(ROWS, model, Reckoning(), 1, 0, rollouts=48, **knobs))


def test_the_planted_token_is_found_and_the_pair_parts_there() -> None:
    made = pairs(Reckoner(slips=0.0))
    assert {row.prompt for row in made} == {row.prompt for row in ROWS}
    right = 0
    for row in made:
        begun, worse = row.metadata["begun"], row.metadata["rejected"]
        assert row.answer.startswith(begun)
        assert worse.startswith(begun)
        assert row.answer[len(begun)] != worse[len(begun)]
        assert Reckoning().check(row, row.answer).score == 1.0
        assert Reckoning().check(row, worse).score == 0.0
        at = planted(row.prompt)
        here = plain(begun) == digits(row.prompt)[:at]
        right += here and row.answer[len(begun)] == digits(row.prompt)[at]
    assert right / len(made) > 0.95


def test_prompts_that_are_too_easy_or_too_hard_make_no_pair() -> None:
    assert pairs(Reckoner(forgets=0.02, slips=0.0)) == []
    assert pairs(Reckoner(forgets=0.98, slips=0.0)) == []
    assert pairs(Reckoner(forgets=0.02, slips=0.0), high=1.0)


def test_it_takes_fewer_tries_than_to_look_at_every_token() -> None:
    model = Reckoner()
    made = pairs(model)
    assert model.first
    scanned = sum(len(said[0].text) for said in model.first) * 2 * 48
    assert len(made) > 40
    assert model.tries < 0.7 * scanned


def test_a_server_goes_on_from_words_behind_the_template_that_it_is_given() -> None:
    asked: list[str] = []

    def say(prompt: str, body: dict[str, int]) -> str:
        asked.append(prompt)
        whole = " It is two" if body["seed"] % 2 else " It was two"
        begun = prompt.partition("Q: 1+1\nA:")[2]
        return whole.removeprefix(begun) if whole.startswith(begun) else " two"

    row = Row("1+1", "It is two", target="It is two")
    with Server(say=say) as server:
        teacher = create([], 0, url=server.url, model="m", style="completions")
        made = list(
            pivotal_tokens.generate(
                [row], teacher, Words(), 1, 0, rollouts=16, user_prefix="Q: ", assistant_prefix="\nA:"
            )
        )
        with pytest.raises(SelfsownError, match="style: completions"):
            list(pivotal_tokens.generate([row], create([], 0, url=server.url, model="m"), Words(), 1, 0))
    assert {(row.metadata["begun"], row.answer, row.metadata["rejected"]) for row in made} == {
        (" It", " It is two", " It was two")
    }
    assert not any(ANSWER_START in prompt for prompt in asked)


class Words(Reckoning):
    """What a real row says is right, spaces aside."""

    def check(self, row: Row, answer: str) -> Grade:
        return Grade(float(answer.split() == row.target.split()), "compared", evidence="oracle")
