"""Each row's value of an attribute: carried, told by its words, or of several attributes together."""

from __future__ import annotations

import pytest

from selfsown.records import Row, SelfsownError
from selfsown.signals.attributes import valued

PRONOUN = {"female": r"\b(she|her)\b", "male": r"\b(he|his)\b"}
ROWS = [
    Row("", "She repairs it.", metadata={"field": "cars"}),
    Row("", "He repairs it.", metadata={"field": "cars"}),
    Row("", "It is repaired by her.", metadata={}),
    Row("", "It is repaired.", metadata={"field": "cars"}),
]


def test_words_tell_it_or_the_row_carries_it() -> None:
    assert valued(ROWS, "pronoun", {"pronoun": PRONOUN}) == ["female", "male", "female", "none"]
    assert valued(ROWS, "field", {"field": {}}) == ["cars", "cars", "none", "cars"]


def test_two_together_where_a_row_shows_both() -> None:
    declared = {"pronoun": PRONOUN, "field+pronoun": {}}
    assert valued(ROWS, "field+pronoun", declared) == ["cars+female", "cars+male", "none", "none"]


def test_a_column_may_have_a_plus_in_its_name() -> None:
    assert valued([Row("", "a", metadata={"field+pronoun": "x"})], "field+pronoun", {}) == ["x"]


def test_what_is_no_regular_expression() -> None:
    with pytest.raises(SelfsownError, match="attribute pronoun"):
        valued(ROWS, "pronoun", {"pronoun": {"female": "("}})
