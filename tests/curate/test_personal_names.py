"""Full names of persons are found; first names alone, places, products and titles stay."""

from __future__ import annotations

import json

import pytest
from realdata import real_data

from selfsown.curate import personal_names
from selfsown.records import Row, SelfsownError

NAMED = [
    "Please forward the invoice to Margaret Holloway before Friday.",
    "Kind regards, Tobias Lindqvist",
    "The patient, Rosa Delgado, was admitted with chest pain.",
    "Customer Kevin O'Sullivan complained twice about the delivery.",
    "The contract was signed by Wei Zhang and the landlord.",
    "I grew up with James T. Kirkwood in the village.",
    "It is Jennifer Kowalski's car.",
    '{"customer": "Samuel Ortega"}',
    "We met Charlotte van der Berg in June.",
]
UNNAMED = [
    "Natalia sold 48 clips in April, and half as many in May.",
    "Tom and Jerry share twelve apples with Anna.",
    "San Francisco and Los Angeles are cities in California.",
    "The Monte Carlo method draws random samples.",
    "Merry Christmas and a Happy New Year!",
    "Mr. Johnson has 15 students, and Mrs. Lee has 12.",
    "Stainless Steel Water Bottle, 500 ml, Forest Green",
    "Uncle Bob gave Aunt Sally a new bicycle.",
    "The University of Oxford was founded before 1200.",
    "class UserAccount(BaseModel): first_name: str",
    "MARGARET HOLLOWAY",
    "",
]
REAL = [Row(f"What did the clerk of desk {at} say?", "The motors hum, and a beach is near.") for at in range(50)]


@pytest.mark.parametrize("text", NAMED)
def test_full_names_are_found_and_not_repeated(text: str) -> None:
    (row,) = personal_names.curate([Row("q", text)], REAL)
    assert row.reason == "personal_names: its answer has the full name of a person"


@pytest.mark.parametrize("text", UNNAMED)
def test_first_names_places_and_things_stay(text: str) -> None:
    assert [row.status for row in personal_names.curate([Row("q", text)], REAL)] == [""]


def test_a_name_that_several_real_rows_have_stays_and_one_that_few_have_does_not() -> None:
    often, once = [Row("q", f"{at}: ask Margaret Holloway.") for at in range(3)], [Row("q", "Ask Rosa Delgado.")]
    rows = [Row("q", "We asked Margaret Holloway."), Row("q", "We asked Rosa Delgado.")]
    assert [row.status for row in personal_names.curate(rows, [*often, *once])] == ["", "rejected"]
    assert [row.status for row in personal_names.curate(rows, [*often, *once], common=1)] == ["", ""]
    assert [row.status for row in personal_names.curate(rows, [*often, *once], common=0)] == ["rejected", "rejected"]


def test_names_may_be_allowed_with_or_without_the_middle_one() -> None:
    rows = [Row("q", "Ask Rosa Delgado."), Row("q", "Ask Rosa Maria Delgado."), Row("q", "Ask Kevin Kowalski.")]
    out = personal_names.curate(rows, REAL, allowed=("Rosa Delgado", "Maria Delgado"))
    assert [row.status for row in out] == ["", "", "rejected"]


def test_words_that_the_real_rows_use_otherwise_are_no_names() -> None:
    row = Row("q", "Rosa Motors")
    assert [each.status for each in personal_names.curate([row], [])] == ["rejected"]
    assert [each.status for each in personal_names.curate([row], REAL)] == [""]


def test_prompt_and_metadata_are_searched() -> None:
    rows = [Row(NAMED[0], "a"), Row("q", "a", metadata={"system": NAMED[0]})]
    assert [row.reason.split(" has")[0] for row in personal_names.curate(rows, REAL)] == [
        "personal_names: its prompt",
        "personal_names: its system",
    ]


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal_names, "find_spec", lambda name: None)
    with pytest.raises(SelfsownError, match=r"needs the package faker, .*'selfsown\[curation\]'"):
        list(personal_names.curate([], REAL))


def test_word_problems_about_people_of_one_name_stay() -> None:
    lines = real_data("gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [Row(record["question"], record["answer"]) for record in map(json.loads, lines)]
    rejected = [row for row in personal_names.curate(rows[500:], rows[:500]) if row.status]
    assert len(rejected) <= 10, "two in a hundred"
