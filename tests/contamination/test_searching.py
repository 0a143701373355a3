"""Many rows are searched in several processes with the same result as in one, in order, and as they come."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

import pytest

from selfsown.contamination import searching
from selfsown.contamination.planted import planted_copies
from selfsown.contamination.questions import held_out_questions
from selfsown.curate import decontaminate
from selfsown.errors import SelfsownError
from selfsown.processes import BATCHES_AHEAD
from selfsown.records import Row
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY

DRAW = random.Random(3)
WORDS = ["".join(DRAW.choices("abcdefghijklmnoprstuvwé", k=DRAW.randrange(3, 10))) for _ in range(3_000)]
HELD_OUT = [Row(f"{' '.join(DRAW.choices(WORDS, k=25))} {at}?", "an answer") for at in range(80)]
MANY = searching.START_ROWS + 1_200


def rows(count: int) -> list[Row]:
    """Rows of the same words, among them copies of held-out questions, prompts of constraints and documents."""
    draw = random.Random(4)
    copies = [row for _, _, row in planted_copies(held_out_questions(HELD_OUT), 60, 5)]
    made = list[Row]()
    for at in range(count):
        row = copies[at % len(copies)] if at % 7 == 0 else Row(" ".join(draw.choices(WORDS, k=30)), "So be it.")
        if at % 11 == 0:
            row = Row("", row.prompt)
        elif at % 13 == 0:
            metadata = {CONSTRAINTS_KEY: "any"}
            row = Row(f"{row.prompt} Use no commas.", row.answer, problem=row.prompt, metadata=metadata)
        made.append(row.replace_fields(origin="synthetic", sample_index=at))
    return made


@pytest.fixture(autouse=True)
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "usable_processes", lambda: 2 if sys.platform == "linux" else 1)


@pytest.mark.parametrize("options", [{}, {"ngram_size": 9, "min_overlap": 0.5, "near_copies": True}], ids=str)
def test_two_processes_give_the_rows_and_reasons_of_one(
    options: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = rows(MANY)
    two = list(decontaminate.curate(iter(given), [], HELD_OUT, **options))
    assert [row.id for row in two] == [row.id for row in given]
    rejected = [row for row in two[searching.START_ROWS :] if row.status == "rejected"]
    assert 100 < len(rejected) < 600
    monkeypatch.setattr(searching, "usable_processes", lambda: 1)
    assert list(decontaminate.curate(iter(given), [], HELD_OUT, **options)) == two


def test_few_rows_start_no_process_and_are_given_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Iterator[object]:
        raise AssertionError("a process was started")

    monkeypatch.setattr(searching, "map_forked", refuse)
    read = [0]

    def counted() -> Iterator[Row]:
        for at in range(searching.START_ROWS):
            read[0] += 1
            yield Row(f"Who is {at}?", "x")

    ahead = [read[0] - at for at, _ in enumerate(searching.searched(counted(), lambda row: ""), 1)]
    assert ahead == [0] * searching.START_ROWS


def test_memory_is_bounded_by_the_rows_read_ahead_however_long_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "BATCH_SECONDS", 1e9)
    for text, batch in (("short", searching.BATCH_ROWS), ("long " * 30_000, 7)):
        read, ahead = [0], 0

        def counted(text: str = text, read: list[int] = read) -> Iterator[Row]:
            for at in range(searching.START_ROWS + 40 * searching.BATCH_ROWS):
                read[0] += 1
                yield Row(text if at >= searching.START_ROWS else "x", "y", sample_index=at)

        for at, (row, reason) in enumerate(searching.searched(counted(), lambda row: row.answer)):
            assert (row.sample_index, reason) == (at, "y")
            ahead = max(ahead, read[0] - at)
            if at > searching.START_ROWS + 30 * batch:
                break
        assert ahead <= (BATCHES_AHEAD * 2 + 1) * batch


def test_rows_that_come_slowly_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "BATCH_SECONDS", -1.0)
    read, ahead = [0], 0

    def counted() -> Iterator[Row]:
        for at in range(searching.START_ROWS + 200):
            read[0] += 1
            yield Row("x", "y", sample_index=at)

    for at, _ in enumerate(searching.searched(counted(), lambda row: "")):
        ahead = max(ahead, read[0] - at)
    assert ahead <= BATCHES_AHEAD * 2 + 1


def test_an_error_of_a_later_step_comes_after_the_rows_before_it() -> None:
    def failing() -> Iterator[Row]:
        yield from (Row("x", "y", sample_index=at) for at in range(searching.START_ROWS + 300))
        raise SelfsownError("the budget is spent")

    given = list[Row]()
    with pytest.raises(SelfsownError, match="budget"):
        given.extend(row for row, _ in searching.searched(failing(), lambda row: ""))
    assert [row.sample_index for row in given] == list(range(searching.START_ROWS + 300))
