"""The package reasoning-core in a process of its own: problems by their number, and scores of answers to them.

A problem is generated from a seed of its own, so the same number gives the same problem in every run. Its entry, which
the package's scorers read, travels with the row: some generators take seconds for one.

An answer is a model's, and one scorer of the package evaluates it as Python (`sympify`). Here what that one reads is
held to the letters and signs of the formulas that it expects; another one's own rules are held to ASCII, since Python
reads other letters as these. Every score is computed in a fork with limits on time and memory.
"""

from __future__ import annotations

import json
import os
import random
import re
import zlib
from typing import Any

from selfsown.sandbox import limited_score

GENERATION_SECONDS = 100  # for one problem; the package tries again after it, with other random numbers

# Scorers that evaluate what they read, and what they may read.
_READABLE = {
    "sequential_induction": re.compile(r"[\sUn0-9+\-*/^()\[\]=]{0,600}"),  # U[n] = 3*U[n - 1] + n
    "inverse_math": re.compile(r"[\x00-\x7f−·±∅]{0,2000}"),
}
_DROPPED = ("cot", "elapsed")  # of an entry: a solution, and a time, which is another one in every run


class Words:
    """Counts words. The package would fetch a tokenizer's vocabulary to count tokens."""

    def encode(self, text: object) -> list[str]:
        return str(text).split()


_seed = random.seed


def _reseed(value: Any = None) -> None:
    _seed(random.getrandbits(64) if value is None else value)


class _Repeatable(random.Random):
    """Without a seed, it takes one from the numbers drawn so far, and not from the system."""

    def __init__(self, seed: Any = None) -> None:
        super().__init__(random.getrandbits(64) if seed is None else seed)


def serve() -> None:
    """The work of the process."""
    os.environ.setdefault("SOURCE_COMMIT", "unknown")  # the package would start git
    import numpy as np
    from reasoning_core import template

    numbers: Any = np.random
    generator = numbers.default_rng
    numbers.default_rng = lambda seed=None: generator(random.getrandbits(64) if seed is None else seed)
    template._load_tokenizer = Words
    random.seed, random.Random = _reseed, _Repeatable  # type: ignore[assignment, misc]
    limited_score.serve(_reply)


def _reply(request: dict[str, Any]) -> Any:
    from reasoning_core import list_tasks

    if request["do"] == "describe":
        return {"tasks": sorted(list_tasks())}
    if request["do"] == "pose":
        numbers = range(request["start"], request["start"] + request["count"])
        return [_posed(request["task"], request["level"], f"{request['seed']} {number}") for number in numbers]
    return _scored(request["task"], json.loads(request["entry"]), request["answer"])


def _posed(task: str, level: int, seed: str) -> list[str]:
    """The prompt, the answer, and the entry as JSON. level: the package's, from 0."""
    import numpy as np
    from faker import Faker
    from reasoning_core import get_task

    number = zlib.crc32(seed.encode())
    random.seed(number)
    np.random.seed(number)
    Faker.seed(number)
    example = get_task(task).generate_example(level=level, timeout=GENERATION_SECONDS)
    kept = {key: value for key, value in example.metadata.items() if not key.startswith("_") and key not in _DROPPED}
    entry = {"answer": example.answer, "metadata": {**kept, "_task": task}}
    return [str(example.prompt), str(example.answer), json.dumps(entry, sort_keys=True)]


def _scored(task: str, entry: dict[str, Any], answer: str) -> dict[str, Any]:
    from reasoning_core import score_answer

    known = str(entry["answer"])
    if entry["metadata"].get("_task") != task:
        return {"error": "its entry is another task's"}
    if task in _READABLE and not _READABLE[task].fullmatch(answer):
        return {"score": 0.0, "reason": "the answer is not an expression of numbers and symbols", "known": known}
    return {**limited_score.limited_score(lambda: score_answer(answer, entry)), "known": known}
