"""What a reply claims is found as it stands, and numbers in words are read as digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.text.final_answer import final_answers, stated_answer
from selfsown.text.number_words import in_digits


@given(st.text("18 \\boxed{}#?=.\n$answer is not", max_size=60))
def test_of_any_text_only_its_own_passages_are_claimed(text: str) -> None:
    claims, tail = final_answers(text)
    assert all(claim in text and claim == claim.strip() for claim in claims)
    assert stated_answer(text) in text
    assert len(tail) <= len(text) + 1


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("eighteen", "18"), ("negative twelve", "-12"), ("minus twenty-five", "-25"), ("one half", "1/2"),
        ("a half", "1/2"), ("two thirds", "2/3"), ("three and a half", "7/2"), ("one hundred and five", "105"),
        ("Twelve (12)", "12"), ("12 (twelve)", "12"), ("eighteen hundred", "1800"), ("Twelve (13)", "12 (13)"),
        ("three million two hundred thousand", "3200000"), ("a third of the cake", "1/3 of the cake"),
    ],
)  # fmt: skip
def test_numbers_in_words(words: str, digits: str) -> None:
    assert in_digits(words) == digits


@pytest.mark.parametrize(
    "text",
    ["No one knows", "the one", "two three", "18 on one day", "the half", "one two", "hundred", "five and six",
     "she came third", "someone", "one hundred hundred"],
)  # fmt: skip
def test_words_that_are_no_number_stay(text: str) -> None:
    assert in_digits(text) == text


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (r"\boxed{17} or \boxed{18}", ["17", "18"]),
        (r"\boxed{17}? No, wait: \boxed{18}", ["18"]),
        (r"\boxed{18}. Wait, that is wrong.", []),
        (r"It is not \boxed{18}", []),
        (r"\boxed{18} as asked in \boxed{}", ["18"]),
        (r"\boxed{x = \boxed{18}}", [r"x = \boxed{18}"]),
        (r"\boxed{18", [r"\boxed{18"]),
        ("#### 17\n#### 18", ["17", "18"]),
        ("#### Step 1\n2 + 2 = 4\n#### Answer: 4", ["4"]),
        ("#### Answer\n4", ["4"]),
        ("The answer is 17. The answer is 18.", ["17", "18."]),
        ("I doubt that the answer is 18.", []),
        ("<think>\\boxed{17}</think>\\boxed{18}", ["18"]),
        ("<think>\\boxed{17}", []),
        ("17\n\n18\n", ["18"]),
        ("", []),
    ],
)
def test_each_claim_that_stands_is_found(text: str, claims: list[str]) -> None:
    assert final_answers(text)[0] == claims
