"""The best and the worst answer to a prompt become a pair; the worse row stays what it is."""

from __future__ import annotations

from dataclasses import replace

from trainer_fixtures import WORLD

from selfsown.curate import dedup, min_score, preference_pairs
from selfsown.records import Grade, Row


def answered(prompt: str, *graded: tuple[str, float], by: str = "judge") -> list[Row]:
    return [
        Row(
            prompt,
            said,
            origin="synthetic",
            method="sample",
            generation=2,
            sample_index=at,
            metadata={"form": "deduction"},
        ).graded(Grade(score, "said so", grader=by))
        for at, (said, score) in enumerate(graded)
    ]


SIBLINGS = answered("1+1", ("3", 0.2), ("2", 1.0), ("7", 0.1), ("2", 1.0))


def made(rows: list[Row], **knobs: float) -> list[Row]:
    return [row for row in preference_pairs.curate(rows, [], **knobs) if row.method == "preference_pairs"]


def test_a_pair_says_the_best_carries_the_worst_and_names_both() -> None:
    (pair,) = made(SIBLINGS)
    assert (pair.prompt, pair.answer, pair.metadata["rejected"]) == ("1+1", "2", "7")
    assert pair.parents == (SIBLINGS[1].id, SIBLINGS[2].id)
    assert (pair.origin, pair.generation, pair.grades) == ("synthetic", 2, SIBLINGS[1].grades)
    assert pair.metadata["form"] == "deduction"
    ends = {row.id: row for row in preference_pairs.curate(SIBLINGS, [])}
    assert ends[SIBLINGS[1].id].reason == f"preference_pairs: the chosen answer of pair {pair.id}"
    assert [ends[row.id] for row in (SIBLINGS[0], *SIBLINGS[2:])] == [SIBLINGS[0], *SIBLINGS[2:]]


def test_the_worse_row_is_rejected_by_passed_and_its_words_live_on_in_the_pair() -> None:
    rows = [row for row in preference_pairs.curate(SIBLINGS, []) if not row.status]
    rows = list(dedup.curate(min_score.curate(rows, WORLD), [], []))
    left = [row for row in rows if not row.status]
    assert [(row.answer, row.metadata["rejected"]) for row in left] == [("2", "7")]
    assert next(row.reason for row in rows if row.answer == "7") == "judge: said so"


def test_no_pair_without_a_right_one_a_wrong_one_a_prompt_or_a_gap() -> None:
    assert made(answered("a", ("b", 1.0))) == []
    assert made(answered("a", ("b", 1.0), ("c", 1.0))) == []
    assert made(answered("a", ("b", 0.4), ("c", 0.1))) == []
    assert made(answered("", ("b", 1.0), ("c", 0.1))) == []
    close = answered("a", ("b", 0.9), ("c", 0.6))
    assert len(made(close)) == len(made(close, min_gap=0.2)) == 1
    assert made(close, min_gap=0.35) == []
    assert made(close, min_score=0.95) == []


def test_an_answer_that_was_graded_both_ways_is_no_worse_than_itself() -> None:
    assert made(answered("a", ("b", 1.0), ("b", 0.0))) == []
    (pair,) = made(answered("a", ("b", 1.0), ("b", 0.0), ("c", 0.4)))
    assert pair.metadata["rejected"] == "c"


def test_prompts_are_not_mixed_up() -> None:
    other = [replace(row, prompt="2+2", sample_index=row.sample_index + 10) for row in SIBLINGS]
    both = [row for pair in zip(SIBLINGS, other, strict=True) for row in pair]
    assert {(pair.prompt, pair.metadata["rejected"]) for pair in made(both)} == {("1+1", "7"), ("2+2", "7")}


def test_a_real_answer_is_chosen_over_each_other_one_whatever_the_grades_say() -> None:
    real = [Row("1+1", "2", source="file", metadata={"form": "sum"}), Row("", "a document")]
    rows = [*answered("1+1", ("3", 1.0), ("2", 0.0), ("7", 0.0)), *answered("2+2", ("4", 1.0))]
    out = list(preference_pairs.curate(rows, real, chosen="real"))
    found = [row for row in out if row.method == "preference_pairs"]
    assert [(row.prompt, row.answer, row.metadata["rejected"]) for row in found] == [
        ("1+1", "2", "3"),
        ("1+1", "2", "7"),
    ]
    assert [(row.parents, row.origin, row.generation, row.sample_index) for row in found] == [
        ((real[0].id, rows[at].id), "synthetic", 2, at) for at in (0, 2)
    ]
    assert [row.reason for row in out if row not in found] == [
        f"preference_pairs: the rejected answer of pair {found[0].id}",
        f"preference_pairs: same answer as real row {real[0].id}",
        f"preference_pairs: the rejected answer of pair {found[1].id}",
        "preference_pairs: no real row answers its prompt",
    ]
