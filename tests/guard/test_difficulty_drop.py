"""Where hard problems are thrown away, and easy ones are not, a generation is refused."""

from __future__ import annotations

from selfsown.guard import difficulty_drop
from selfsown.records import Row


def made(level: int, prompts: int, tries: int = 3) -> list[Row]:
    return [
        Row(f"{level}:{at}", str(draw), level=level, sample_index=draw)
        for at in range(prompts)
        for draw in range(tries)
    ]


EASY, HARD = made(1, 100), made(2, 100)


def few(rows: list[Row], prompts: int) -> list[Row]:
    """One try at each of so many prompts."""
    return rows[: 3 * prompts : 3]


def test_a_judge_that_drops_the_hard_ones_is_refused() -> None:
    verdict = difficulty_drop.guard([*EASY, *HARD], [*few(EASY, 90), *few(HARD, 20)])
    assert not verdict.passed
    assert verdict.metrics == {"before": 0.5, "after": 20 / 110, "passed[1]": 0.9, "passed[2]": 0.2}
    assert "90 of 100 at 1, 20 of 100 at 2" in verdict.reason


def test_one_right_try_of_several_is_enough_and_what_is_lost_evenly_is_no_matter() -> None:
    assert difficulty_drop.guard([*EASY, *HARD], [*few(EASY, 90), *few(HARD, 85)]).passed
    assert difficulty_drop.guard([*EASY, *HARD], [*few(EASY, 30), *few(HARD, 28)]).passed
    assert difficulty_drop.guard([*EASY, *HARD], [*EASY, *few(HARD, 90)]).passed, (
        "more tries at easy prompts are no more prompts"
    )


def test_few_rows_show_nothing_and_tolerance_can_be_lent() -> None:
    assert difficulty_drop.guard([*few(EASY, 8), *few(HARD, 8)], [*few(EASY, 4), *few(HARD, 2)]).passed
    kept = [*few(EASY, 90), *few(HARD, 20)]
    assert difficulty_drop.guard([*EASY, *HARD], kept, tolerance=0.7).passed
    assert difficulty_drop.guard([*EASY, *HARD], [*few(EASY, 90), *few(HARD, 60)]).passed
    assert not difficulty_drop.guard([*EASY, *HARD], [*few(EASY, 90), *few(HARD, 60)], tolerance=0.0).passed


def test_how_hard_a_row_is_may_stand_in_a_trait() -> None:
    def marked(rows: list[Row], mark: str) -> list[Row]:
        return [row.replace_fields(metadata={"steps": mark}) for row in rows]

    every = [*marked(EASY, "2"), *marked(HARD, "10"), Row("odd", "", metadata={"steps": "many"})]
    kept = [*marked(few(EASY, 90), "2"), *marked(few(HARD, 20), "10")]
    assert not difficulty_drop.guard(every, kept, metadata_key="steps").passed
    assert "passed[10]" in difficulty_drop.guard(every, kept, metadata_key="steps").metrics


def test_where_nothing_differs_in_hardness_nothing_is_measured() -> None:
    for every, kept in ((EASY, few(EASY, 2)), ([*EASY, *HARD], []), ([row.failed("cut") for row in EASY], [])):
        verdict = difficulty_drop.guard(every, kept)
        assert verdict.passed
        assert "not measured" in verdict.reason
