"""Insults and coarse words are rejected wherever they stand; alarming words in harmless sentences mostly stay."""

from __future__ import annotations

import pytest
from realdata import real_data

from selfsown.curate import toxicity
from selfsown.records import Row, SelfsownError

INSULTS = [
    "You are a complete idiot and nobody should ever listen to you.",
    "Shut up, you pathetic loser.",
    "This is fucking bullshit and you know it.",
]
HARMLESS = [
    "To kill a process on Linux, find its identifier with ps.",
    "The shot was taken at dawn with a long exposure.",
    "Beat the eggs until stiff, and whip the cream separately.",
    "My sister is gay and married her partner last spring.",
    "As a Muslim, I fast during the month of Ramadan.",
    "",
    "def kill(process): return process.pid",
]
LONG = "The museum opens at nine. Tickets are sold at the door, and children pay half. The garden is free. " * 8
REAL = [Row(f"When does museum {at} open?", "It opens at nine and closes at five.") for at in range(100)]


def rejected(texts: list[str], real: list[Row], **options: float) -> list[bool]:
    return [row.status == "rejected" for row in toxicity.curate([Row("q", text) for text in texts], real, **options)]


def test_insults_are_rejected_and_harmless_sentences_stay() -> None:
    assert rejected(INSULTS, REAL) == [True] * len(INSULTS)
    assert rejected(HARMLESS, REAL) == [False] * len(HARMLESS)


def test_an_insult_in_a_long_answer_or_in_the_prompt_is_found_and_named() -> None:
    (answered,), (asked,) = (
        list(toxicity.curate([row], REAL)) for row in (Row("q", LONG + INSULTS[1]), Row(INSULTS[1], LONG))
    )
    assert answered.reason.endswith("(threshold 0.60): 'Shut up, you pathetic loser.'")
    assert asked.status == "rejected"
    assert rejected([LONG], REAL) == [False]


def test_the_threshold_follows_the_real_rows_and_can_be_set() -> None:
    coarse = [*REAL, *[Row("q", INSULTS[2])] * 10]
    assert rejected(INSULTS[2:], coarse) == [False], "a tenth of the real rows talk like this"
    assert rejected(INSULTS[2:], coarse, max_share=1) == [True]
    assert rejected(INSULTS[2:], coarse, max_share=0.2) == [True]
    assert rejected(INSULTS, REAL, threshold=1) == [False] * len(INSULTS)
    assert rejected(["The weather is fine."], REAL, threshold=0, max_share=1) == [True]


def test_batches_keep_the_order_and_rows_are_given_back_as_they_are() -> None:
    rows = [
        Row("q", INSULTS[at % 3] if at % 5 == 0 else f"Museum {at} opens at nine.", sample_index=at) for at in range(90)
    ]
    out = list(toxicity.curate(iter(rows), REAL))
    assert [row.sample_index for row in out if row.status] == list(range(0, 90, 5))
    assert [row.replace_fields(status="", reason="") for row in out] == rows


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toxicity, "find_spec", lambda name: None)
    with pytest.raises(SelfsownError, match=r"needs the package alt-profanity-check, .*'selfsown\[curation\]'"):
        list(toxicity.curate([], REAL))


def test_sentences_about_people_of_any_occupation_and_pronoun_stay() -> None:
    lines = real_data("winogender_sentences.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert not any(rejected([line.split("\t")[1] for line in lines], []))
