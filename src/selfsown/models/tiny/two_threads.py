"""Work on two cores: each half of a batch on a thread of its own, the results combined in a fixed order.

torch's own threads synchronize some hundred times in a training step, each time waiting for the slower core;
ours synchronize once. There are two halves on every machine, so results do not depend on its number of cores.
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
    with suppress(
        AttributeError, OSError
    ):  # glibc only: keep freed memory, because each step needs as much as the last
        libc = ctypes.CDLL(None)
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            libc.mallopt(option, 2**30)
    return ThreadPoolExecutor(2, "half", initializer=torch.set_num_threads, initargs=(1,))


def map_two(function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """The function's result for each part, in order, computed two at a time."""
    return list(iterate_two(function, parts))


def iterate_two(function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
    """The same results, each as soon as it and those before it are computed."""
    return _pool().map(function, parts)


@contextmanager
def single_threaded() -> Iterator[None]:
    """torch uses one thread inside this context, and as many as before after it.

    Inside, matrix products may also be computed in bfloat16 with float32 sums. Where the processor supports bfloat16,
    this selects oneDNN: on AMD it is twice as fast as the other library, even where it stays in float32.
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
