"""Of rows that are nearly the same the best and hardest stays, and rows that differ are left alone."""

from __future__ import annotations

import random

from selfsown.curate import semantic
from selfsown.records import Grade, Row

DRAW = random.Random(0)
WORDS = ["".join(DRAW.choices("abcdefghijklmnoprstuvw", k=DRAW.randrange(3, 9))) for _ in range(400)]


def text(draw: random.Random) -> list[str]:
    return draw.choices(WORDS, k=30)


def row(said: list[str], at: int, score: float = 1.0, level: int = 0) -> Row:
    return Row("Say something.", " ".join(said), draw=at, level=level).graded(Grade(score, by="judge"))


def planted(many: int, copies: int) -> tuple[list[Row], list[Row]]:
    """Rows that differ, and copies of some of them with two words changed."""
    draw = random.Random(1)
    texts = [text(draw) for _ in range(many)]
    near = [[WORDS[0] if at in (3, 17) else word for at, word in enumerate(said)] for said in texts[:copies]]
    return [row(said, at) for at, said in enumerate(texts)], [row(said, many + at, 0.5) for at, said in enumerate(near)]


def test_planted_near_copies_go_and_nothing_else_does() -> None:
    own, near = planted(300, 60)
    out = {row.id: row for row in semantic.curate([*near, *own], 0, threshold=0.8)}
    assert [row.id for row in own if out[row.id].end] == []
    assert sum(out[row.id].end == "rejected" for row in near) >= 59
    assert out[near[0].id].reason.endswith(f"with row {own[0].id}, no worse and no easier")


def test_clusters_lose_few_near_copies() -> None:
    own, near = planted(600, 100)
    out = list(semantic.curate([*near, *own], 0, threshold=0.8, cluster=100))
    assert sum(row.end == "rejected" for row in out) >= 90
    assert {row.id for row in out if row.end} <= {row.id for row in near}


def test_of_two_that_are_alike_the_one_of_more_worth_stays() -> None:
    said = text(random.Random(2))
    easy, hard, poor = row(said, 0, 0.9, 1), row(said, 1, 0.8, 2), row(said, 2, 0.1, 3)

    def left(rows: list[Row], **knobs: str) -> list[int]:
        others = [row(text(random.Random(10 + at)), 10 + at) for at in range(20)]  # what is common to all says nothing
        return [each.draw for each in semantic.curate([*rows, *others], 0, **knobs) if not each.end][:-20]

    assert left([easy, hard, poor]) == [1]
    rated = [each.but(traits={"hard": mark}) for each, mark in zip((easy, hard, poor), ("3", "1", "no"), strict=True)]
    assert left(rated, difficulty="hard") == [0]


def test_the_threshold_is_what_a_cosine_must_reach() -> None:
    own, near = planted(40, 10)
    assert not [row for row in semantic.curate([*own, *near], 0, threshold=1.0) if row.end]
    assert len([row for row in semantic.curate([*own, *near], 0, threshold=0.5) if row.end]) == 10
