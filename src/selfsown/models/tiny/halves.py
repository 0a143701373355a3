"""Work on two cores: each half of a batch on a thread of its own, the results put together in a fixed order.

torch's own threads meet some hundred times in a training step, and each meeting waits for the slower core;
ours meet once. The halves are two on every machine, so the same bytes come out whatever its cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "half", initializer=torch.set_num_threads, initargs=(1,))


def each(function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """The function of each part, in order, two at a time."""
    return list(_pool().map(function, parts))


@contextmanager
def single() -> Iterator[None]:
    """torch uses one thread inside, and as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
