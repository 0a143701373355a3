"""A turn stays where all turns before it, or all of its episode, have stayed."""

from __future__ import annotations

import pytest

from selfsown.curate import whole_episodes
from selfsown.records import Row


def turns(episode: str, numbers: list[int], count: int = 4) -> list[Row]:
    return [
        Row(f"{episode} {number}", "a", metadata={"episode": episode, "turn": f"{number} of {count}"})
        for number in numbers
    ]


@pytest.mark.parametrize(
    ("present", "lost", "kept"),
    [
        ([1, 2, 3, 4], "before", [1, 2, 3, 4]),
        ([1, 2, 4], "before", [1, 2]),
        ([2, 3, 4], "before", []),
        ([1, 2, 3], "before", [1, 2, 3]),
        ([1, 2, 3], "any", []),
        ([4, 3, 2, 1], "any", [4, 3, 2, 1]),
    ],
)
def test_a_turn_needs_those_before_it_or_all(present: list[int], lost: str, kept: list[int]) -> None:
    rows = [*turns("a", present), *turns("b", [1, 2, 3, 4])]
    out = list(whole_episodes.curate(rows, lost=lost))  # type: ignore[arg-type]
    assert [row.prompt for row in out] == [row.prompt for row in rows]
    stayed = [row.prompt for row in out if not row.status]
    assert stayed == [*(f"a {number}" for number in kept), *(f"b {number}" for number in range(1, 5))]


def test_the_reason_names_the_turn_and_other_rows_are_left_alone() -> None:
    single = [Row("q", "a"), Row("q", "b", metadata={"episode": "x"}), Row("q", "c", metadata={"turn": "left"})]
    *out, last = whole_episodes.curate([*single, *turns("e", [3])])
    assert out == single
    assert (last.status, last.reason) == ("rejected", "whole_episodes: turn 1 of 4 was not kept")
