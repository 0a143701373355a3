"""The share of a model's answers in which a pattern is found, and its interval."""

from __future__ import annotations

import pytest

from selfsown.evaluate import pattern_rate
from selfsown.models import Reply
from selfsown.records import Row, SelfsownError
from selfsown.stats.intervals import share
from testing.echo_model import Parrot

ROWS = [Row(f"who is {at}?", "nobody") for at in range(40)]


def test_each_pattern_has_its_share_of_the_answers_and_neither_way_is_better() -> None:
    model = Parrot(lambda prompt, at: "she is" if at % 4 == 0 else "he is")
    women, men = pattern_rate.evaluate(model, ROWS, patterns={"women": r"\bshe\b", "men": r"\bhe\b"})
    assert (women.key, women.value, women.n, women.direction) == ("slant[women]", 0.25, 40, "neither")
    assert (women.low, women.high) == share(10, 40)
    assert men.value == 0.75


def test_what_was_not_answered_is_not_counted_and_nothing_is_asked_without_patterns() -> None:
    asked: list[str] = []
    model = Parrot(lambda prompt, at: asked.append(prompt) or Reply(prompt, "she", failure="cut" if at < 10 else ""))
    assert list(pattern_rate.evaluate(model, ROWS)) == asked == []
    (found,) = pattern_rate.evaluate(model, ROWS, patterns={"women": "she"})
    assert (found.value, found.n) == (1.0, 30)


def test_a_pattern_that_is_none_is_named() -> None:
    with pytest.raises(SelfsownError, match=r"evaluate.pattern_rate: '\(' is no regular expression"):
        list(pattern_rate.evaluate(Parrot(lambda prompt, at: "x"), ROWS, patterns={"a": "("}))
