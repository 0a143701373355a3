"""Work on two cores: each half of a batch on a thread of its own, the results put together in a fixed order.

torch's own threads meet some hundred times in a training step, and each meeting waits for the slower core;
ours meet once. The halves are two on every machine, so the same bytes come out whatever its cores.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


@cache
def _pool() -> ThreadPoolExecutor:
    with suppress(AttributeError, OSError):  # glibc alone: what is freed is kept, a step needs as much as the last
        libc = ctypes.CDLL(None)
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            libc.mallopt(option, 2**30)
    return ThreadPoolExecutor(2, "half", initializer=torch.set_num_threads, initargs=(1,))


def map_two(function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """The function of each part, in order, two at a time."""
    return list(_pool().map(function, parts))


@contextmanager
def single_threaded() -> Iterator[None]:
    """torch uses one thread inside, and as many as before after it.

    Inside, a product of matrices may also be taken in bfloat16 with sums in float32. Where the processor knows
    bfloat16, that brings in oneDNN: on AMD it is twice as fast as the other library, even where it stays in float32.
    """
    products: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    threads, precision = torch.get_num_threads(), products.fp32_precision
    torch.set_num_threads(1)
    products.fp32_precision = "bf16"
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        products.fp32_precision = precision
