"""No prompt and no parent has more rows than the cap allows, and its best ones stay."""

from __future__ import annotations

from selfsown.curate import cap
from selfsown.records import Grade, Row


def answers(prompt: str, scores: list[float], parents: tuple[str, ...] = ()) -> list[Row]:
    rows = [Row(prompt, f"{prompt} {at}", parents=parents, sample_index=at) for at in range(len(scores))]
    return [row.graded(Grade(score)) for row, score in zip(rows, scores, strict=True)]


def stay(rows: list[Row]) -> list[str]:
    return [row.answer for row in rows if not row.status]


def test_the_best_answers_to_a_prompt_stay_in_their_order() -> None:
    rows = answers("q", [0.6, 0.9, 0.7, 1.0, 0.8])
    out = list(cap.curate(rows, 0, max_per_prompt=2))
    assert [row.id for row in out] == [row.id for row in rows]
    assert stay(out) == ["q 1", "q 3"]
    assert {row.reason for row in out if row.status} == {"cap: 2 rows of its prompt score as high or higher"}


def test_each_prompt_has_room_of_its_own_and_who_has_enough_loses_nothing() -> None:
    rows = [*answers("q", [1.0, 1.0]), *answers("r", [0.5, 0.6, 0.7])]
    assert stay(list(cap.curate(rows, 0, max_per_prompt=2))) == ["q 0", "q 1", "r 1", "r 2"]
    assert stay(list(cap.curate(rows, 0))) == [row.answer for row in rows]


def test_chance_decides_between_equals_and_the_seed_decides_chance() -> None:
    rows = answers("q", [1.0] * 20)
    drawn = [stay(list(cap.curate(rows, seed, max_per_prompt=5))) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 5
    assert sorted(stay(list(cap.curate(rows[::-1], 0, max_per_prompt=5)))) == sorted(drawn[0])


def test_a_parent_s_rows_are_capped_whatever_their_prompts() -> None:
    rows = [row for at in range(6) for row in answers(f"q{at}", [at / 10], ("a",) if at < 4 else ("b", "a"))]
    out = list(cap.curate(rows, 0, max_per_parent=2))
    assert stay(out) == ["q4 0", "q5 0"]
    assert {row.reason for row in out if row.status} == {"cap: 2 rows of its parent score as high or higher"}


def test_a_row_that_one_cap_rejects_takes_no_room_under_the_other() -> None:
    rows = [*answers("q", [1.0, 0.9], ("a",)), *answers("r", [0.8], ("a",))]
    assert stay(list(cap.curate(rows, 0, max_per_prompt=1, max_per_parent=2))) == ["q 0", "r 0"]


def test_documents_have_no_prompt_to_cap_and_nought_is_no_cap() -> None:
    documents = answers("", [1.0] * 9)
    assert stay(list(cap.curate(documents, 0))) == [row.answer for row in documents]
    assert len(stay(list(cap.curate(answers("q", [1.0] * 9), 0, max_per_prompt=0)))) == 9
