"""Choose few tests that notice many wrong programs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

TIMES = 2  # by how many of the tests a wrong program should be noticed


def chosen(
    noticed: Mapping[str, Sequence[int]],
    paths: Sequence[Hashable],
    results: Sequence[Hashable],
    inputs: Sequence[Any],
    count: int,
) -> list[int]:
    """The numbers of up to `count` inputs, in order.

    Inputs that notice most of the wrong programs that no chosen one notices come first (the greedy set cover), twice
    over; of equals the shortest. Then those on which the known answer takes another path than on all chosen ones, then
    those for which it returns something else.
    """
    picked: list[int] = []
    for _ in range(TIMES):
        picked += _cover(noticed, picked, inputs, count)
    for behaviours in (paths, results):
        shown = {behaviours[index] for index in picked}
        for index, behaviour in enumerate(behaviours):
            if len(picked) < count and behaviour not in shown and index not in picked:
                picked.append(index)
                shown.add(behaviour)
    return sorted(picked)


def _cover(noticed: Mapping[str, Sequence[int]], before: Sequence[int], inputs: Sequence[Any], count: int) -> list[int]:
    """Further inputs so that each wrong program is noticed by one of them, as far as there are any."""
    left = [set(indexes) - set(before) for indexes in noticed.values()]
    lengths = {index: len(repr(inputs[index])) for indexes in left for index in indexes}
    picked: list[int] = []
    while len(before) + len(picked) < count:
        gains = dict.fromkeys(lengths, 0)
        for indexes in left:
            for index in indexes:
                gains[index] += 1
        best = max(gains, key=lambda index: (gains[index], -lengths[index], -index), default=-1)
        if best < 0 or not gains[best]:
            break
        picked.append(best)
        left = [indexes for indexes in left if best not in indexes]
    return picked
