"""Reject turns that rest on a turn that was rejected or has failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Literal

from selfsown.records import EPISODE, TURN, Row

REREADS = True


def curate(rows: Collection[Row], *, lost: Literal["before", "any"] = "before") -> Iterator[Row]:
    """Keep the turns of an episode, or of a conversation, whose turns before are all still here.

    lost: a lost turn rejects those after it ("before"), or all of its episode ("any"). Rows that are no turns are kept.
    Put this after the methods that reject by grades, and before those that drop duplicates.
    """
    present = defaultdict[str, set[int]](set)
    for row in rows:
        if EPISODE in row.metadata:
            present[row.metadata[EPISODE]].add(_turn(row)[0])
    for row in rows:
        if EPISODE not in row.metadata:
            yield row
            continue
        number, count = _turn(row)
        required = range(1, count + 1 if lost == "any" else number)
        missing = next((turn for turn in required if turn not in present[row.metadata[EPISODE]]), 0)
        yield row.rejected(f"whole_episodes: turn {missing} of {count} was not kept") if missing else row


def _turn(row: Row) -> tuple[int, int]:
    """The number of the turn and how many there are; (1, 1) where the metadata does not say it."""
    number, _, count = row.metadata.get(TURN, "").partition(" of ")
    return (int(number), int(count)) if number.isdecimal() and count.isdecimal() else (1, 1)
