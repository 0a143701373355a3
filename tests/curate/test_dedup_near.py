"""Of rows that are nearly the same the best and hardest stays, and rows that differ are left alone."""

from __future__ import annotations

import json
import random

import pytest

from selfsown.curate import dedup_near, dedup_prompts
from selfsown.records import Grade, Row
from selfsown.text.rouge import rouge_l

DRAW = random.Random(0)
WORDS = ["".join(DRAW.choices("abcdefghijklmnoprstuvw", k=DRAW.randrange(3, 9))) for _ in range(400)]


def text(draw: random.Random) -> list[str]:
    return draw.choices(WORDS, k=30)


def row(said: list[str], at: int, score: float = 1.0, level: int = 0) -> Row:
    return Row("Say something.", " ".join(said), sample_index=at, level=level).graded(Grade(score, grader="judge"))


def planted(many: int, copies: int) -> tuple[list[Row], list[Row]]:
    """Rows that differ, and copies of some of them with two words changed."""
    draw = random.Random(1)
    texts = [text(draw) for _ in range(many)]
    near = [[WORDS[0] if at in (3, 17) else word for at, word in enumerate(said)] for said in texts[:copies]]
    return [row(said, at) for at, said in enumerate(texts)], [row(said, many + at, 0.5) for at, said in enumerate(near)]


def test_planted_near_copies_go_and_nothing_else_does() -> None:
    own, near = planted(300, 60)
    out = {row.id: row for row in dedup_near.curate([*near, *own], [], [], 0, max_similarity=0.8)}
    assert [row.id for row in own if out[row.id].status] == []
    assert sum(out[row.id].status == "rejected" for row in near) >= 59
    assert out[near[0].id].reason.endswith(f"with row {own[0].id}, which is preferred")


def test_near_copies_of_real_rows_and_of_earlier_generations_go() -> None:
    own, near = planted(600, 100)
    out = list(dedup_near.curate(near, own[:50], own[50:], 0, max_similarity=0.8))
    assert sum(row.status == "rejected" for row in out) >= 99
    assert out[0].reason.endswith(f"with row {own[0].id}")
    assert not any(row.status for row in dedup_near.curate(own, [], [], 0, max_similarity=0.8))


def test_of_two_that_are_alike_the_one_of_more_worth_stays() -> None:
    said = text(random.Random(2))
    easy, hard, poor = row(said, 0, 0.9, 1), row(said, 1, 0.8, 2), row(said, 2, 0.1, 3)

    def left(rows: list[Row], **knobs: str) -> list[int]:
        others = [row(text(random.Random(10 + at)), 10 + at) for at in range(20)]  # what is common to all says nothing
        return [
            each.sample_index for each in dedup_near.curate([*rows, *others], [], [], 0, **knobs) if not each.status
        ][:-20]

    assert left([easy, hard, poor]) == [1]
    rated = [
        each.replace_fields(metadata={"hard": mark})
        for each, mark in zip((easy, hard, poor), ("3", "1", "no"), strict=True)
    ]
    assert left(rated, difficulty_key="hard") == [0]


def test_the_threshold_is_what_a_cosine_must_reach() -> None:
    own, near = planted(40, 10)
    assert not [row for row in dedup_near.curate([*own, *near], [], [], 0, max_similarity=1.0) if row.status]
    assert len([row for row in dedup_near.curate([*own, *near], [], [], 0, max_similarity=0.5) if row.status]) == 10


TOOLS = "\n".join(
    f"- {verb}_{thing}(city: string, day: string): {verb}s the {thing} of a city; give both arguments by their names."
    for verb in ("get", "set")
    for thing in ("snow", "noise", "pollen", "traffic", "tide")
)
CITIES = ("Lima", "Cairo", "Delhi", "Quito", "Dakar", "Hanoi", "Perth", "Turin")
DAYS = ("today", "tomorrow", "Sunday")


def calls(header: str) -> list[Row]:
    """A question about each thing in each city on each day, all behind one header, and the call that answers it."""
    return [
        Row(
            f"{header}How much {thing} is there in {city} {day}?",
            json.dumps({"name": f"get_{thing}", "arguments": {"city": city, "day": day}}),
        )
        for thing in ("snow", "noise", "pollen", "traffic", "tide")
        for city in CITIES
        for day in DAYS
    ]


@pytest.mark.parametrize(
    "header",
    ["", f"{TOOLS}\n\nUser: ", f"[{TOOLS}] ".replace("\n", " "), f"<tools>{TOOLS}</tools>"],
    ids=["none", "lines", "one line", "tags"],
)
def test_calls_that_differ_stay_whatever_header_their_questions_share(header: str) -> None:
    assert not [row for row in dedup_near.curate(calls(header), [], [], 0) if row.status]


def test_a_header_that_some_rows_share_hides_no_difference_either() -> None:
    others = [row(text(random.Random(at)), at) for at in range(200)]
    mixed = [*calls(f"{TOOLS}\n")[::9], *others]
    assert not [row for row in dedup_near.curate(mixed, [], [], 0, max_similarity=0.8) if row.status]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("yes", "no"),
        ("A", "B"),
        ("The answer is 42.", "The answer is 43."),
        ("x = y + 1", "x = y - 1"),
        ("SELECT name FROM towns", "SELECT size FROM towns"),
        ('{"day": "Monday"}', '{"day": "Sunday"}'),
        ("negative", "positive"),
        ("Paris, France", "Paris, Texas"),
    ],
)
def test_short_answers_that_differ_are_no_copies_of_one_another(one: str, other: str) -> None:
    said = " ".join(text(random.Random(1)))
    others = [row(text(random.Random(9 + at)), 9 + at) for at in range(20)]
    rows = [Row(said, one), Row(said, other), Row(said, one, sample_index=1)]
    assert [row.status for row in dedup_near.curate([*rows, *others], [], [], 0, max_similarity=0.5)][:3].count(
        "rejected"
    ) == 1


def test_near_copies_behind_a_header_are_still_found() -> None:
    own, near = planted(100, 30)
    rows = [each.replace_fields(prompt=f"{TOOLS}\n{' '.join(each.answer.split()[:20])}") for each in [*own, *near]]
    out = {each.id: each for each in dedup_near.curate(rows, [], [], 0, max_similarity=0.7)}
    assert not [each for each in rows[30:100] if out[each.id].status]
    assert sum(out[each.id].status == "rejected" for each in rows[100:]) >= 28


def test_novel_asks_what_stands_behind_a_header() -> None:
    asked = ["Will it rain?", "Name three lakes of Peru.", "Who sang first on that evening?", "Add 5 to 17."]
    rows = [
        Row(f"{TOOLS}\n\n{question}", "…", sample_index=at)
        for at, question in enumerate([*asked, "Name three lakes of Chad."])
    ]
    assert [row.status for row in dedup_prompts.curate(rows, [], [])] == ["", "", "", "", "rejected"]
    again = rows[0].replace_fields(sample_index=9)
    assert [row.status for row in dedup_prompts.curate([again], [rows[0]], [])] == ["rejected"]


def test_novel_does_not_compare_all_prompts_behind_one_header(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr("selfsown.text.rouge.rouge_l", lambda one, other: compared.append(one) or rouge_l(one, other))
    draw = random.Random(3)
    rows = [Row(f"{TOOLS}\n{' '.join(draw.choices(WORDS, k=8))}", "…", sample_index=at) for at in range(400)]
    assert not [row for row in dedup_prompts.curate(rows, [], []) if row.status]
    assert len(compared) < 0.2 * 400 * 399 / 2
