"""Only prompts that are neither too easy nor too hard stay."""

from __future__ import annotations

from selfsown.curate import pass_rate_band
from selfsown.records import Grade, Row


def answers(prompt: str, right: int, of: int) -> list[Row]:
    return [Row(prompt, str(at), sample_index=at).graded(Grade(float(at < right))) for at in range(of)]


EASY, HARD, MIDDLE = answers("easy", 4, 4), answers("hard", 0, 4), answers("middle", 2, 4)


def test_prompts_inside_the_band_stay_with_their_right_and_wrong_answers() -> None:
    assert list(pass_rate_band.curate(MIDDLE)) == MIDDLE


def test_prompts_outside_the_band_are_rejected_with_their_pass_rate() -> None:
    out = list(pass_rate_band.curate([*EASY, *HARD]))
    assert {row.status for row in out} == {"rejected"}
    assert {row.reason for row in out} == {
        "pass_rate_band: 4 of 4 answers pass, outside 0.2 to 0.8",
        "pass_rate_band: 0 of 4 answers pass, outside 0.2 to 0.8",
    }


def test_each_prompt_is_measured_for_itself_and_the_order_stays() -> None:
    mixed = [row for rows in zip(EASY, MIDDLE, HARD, strict=True) for row in rows]
    out = list(pass_rate_band.curate(mixed))
    assert [row.id for row in out] == [row.id for row in mixed]
    assert [row.prompt for row in out if not row.status] == ["middle"] * 4


def test_the_band_s_edges_belong_to_it_and_can_be_moved() -> None:
    assert not any(row.status for row in pass_rate_band.curate(MIDDLE, min_pass_rate=0.5, max_pass_rate=0.5))
    assert not any(row.status for row in pass_rate_band.curate([*EASY, *HARD], min_pass_rate=0.0, max_pass_rate=1.0))
    assert all(row.status for row in pass_rate_band.curate(MIDDLE, min_pass_rate=0.6))


def test_least_is_the_score_that_passes() -> None:
    half = [Row("q", str(at)).graded(Grade(0.6)) for at in range(4)]
    assert all(row.status for row in pass_rate_band.curate(half))
    assert "0 of 4" in next(pass_rate_band.curate(half, min_score=0.7)).reason


def test_of_one_answer_there_is_no_pass_rate_and_the_reason_says_what_to_do() -> None:
    (row,) = pass_rate_band.curate(answers("single", 1, 1))
    assert row.reason == (
        "pass_rate_band: a pass rate takes several answers to a prompt, not 1; raise n of the generator"
    )
