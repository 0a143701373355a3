"""The judge's own answers, several to each prompt, vote on a row."""

from __future__ import annotations

import pytest

from selfsown.grade import self_consistency
from selfsown.models import Reply
from selfsown.records import Grade, Row
from testing.echo_model import Parrot


def judge(*answers: str) -> Parrot:
    """To each prompt it gives these answers in turn; "" is a failure."""

    def say(prompt: str, at: int) -> Reply:
        answer = answers[at % len(answers)]
        return Reply(prompt, answer, failure="" if answer else "cut off")

    return Parrot(say)


def graded(answer: str, *votes: str, share: float = 0.5, repair: bool = False) -> Grade:
    (grade,) = self_consistency.grade(
        [Row("q", answer)], judge(*votes), 0, samples=len(votes), min_agreement=share, correct=repair
    )
    return grade


@pytest.mark.parametrize(("votes", "score"), [("aaaa", 1.0), ("aaab", 0.75), ("aabc", 0.5)])
def test_who_says_what_most_say_scores_their_share(votes: str, score: float) -> None:
    grade = graded("a", *votes)
    assert (grade.score, grade.grader, grade.evidence, grade.correction) == (score, "self_consistency", "vote", None)


def test_who_says_otherwise_scores_nothing_and_the_reason_says_what_most_say() -> None:
    grade = graded("b", "a", "a", "a", "b")
    assert (grade.score, grade.correction) == (0.0, None)
    assert "3 of 4 answer 'a'" in grade.reason


def test_a_row_that_lost_is_repaired_where_that_is_asked_for() -> None:
    assert graded("b", "a", "a", "a", "b", repair=True).correction == ("q", "a")
    assert graded("a", "a", "a", "a", "b", repair=True).correction is None


@pytest.mark.parametrize("answer", ["a", "b"])
def test_without_agreement_nothing_scores_and_nothing_is_repaired(answer: str) -> None:
    grade = graded(answer, "a", "b", "c", "d", repair=True)
    assert (grade.score, grade.correction) == (0.0, None)
    assert "no agreement" in grade.reason


def test_share_is_how_many_must_agree() -> None:
    assert graded("a", "a", "a", "a", "b", share=0.75).score == 0.75
    assert graded("a", "a", "a", "a", "b", share=0.8).score == 0.0


def test_answers_that_failed_are_votes_for_nothing() -> None:
    assert graded("a", "a", "a", "", "").score == 0.5
    assert graded("a", "a", "", "", "").score == 0.0
    assert (graded("a", "", "", "", "").score, graded("a", "", "", "", "").failed) == (0.0, True)


def test_a_row_without_a_prompt_among_others_is_not_asked_about_and_has_failed() -> None:
    grades = list(self_consistency.grade([Row("", "a"), Row("q", "a")], judge("a"), 0, samples=2))
    assert [(grade.score, grade.failed) for grade in grades] == [(0.0, True), (1.0, False)]


def test_what_is_compared_is_the_last_match_of_the_pattern_and_the_repair_is_the_whole_answer() -> None:
    votes = ("so #### 4", "2 + 2 is\n#### 4", "2 * 2:\n#### 4 ", "#### 5")
    rows = [Row("q", "that makes\n####  4"), Row("q", "#### 4, no:\n#### 5"), Row("q", "4")]
    grades = list(self_consistency.grade(rows, judge(*votes), 0, samples=4, pattern="#### (.*)", correct=True))
    assert [grade.score for grade in grades] == [0.75, 0.0, 0.75]
    assert grades[1].correction == ("q", "so #### 4")
    assert graded("that makes\n####  4", *votes).score == 0.0


def test_each_prompt_is_asked_once_and_judged_by_its_own_votes() -> None:
    asked: list[str] = []

    def say(prompt: str, at: int) -> str:
        asked.append(prompt)
        return prompt.upper()

    rows = [Row("p", "P"), Row("q", "P"), Row("p", "Q"), Row("q", "Q")]
    grades = list(self_consistency.grade(rows, Parrot(say), 0, samples=2))
    assert [grade.score for grade in grades] == [1.0, 0.0, 0.0, 1.0]
    assert asked == ["p", "p", "q", "q"]
