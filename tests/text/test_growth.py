"""What reads users' texts takes four times as long for four times the text, and not sixteen times."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from selfsown.audit.text_format import text_form
from selfsown.calibration.mutants import mutants
from selfsown.curate import decontaminate, self_reference
from selfsown.records import Row
from selfsown.tasks.file import Task
from selfsown.text.near_duplicates import near_duplicate_groups
from selfsown.text.normalize import agreement, extract_python, normal, words
from selfsown.text.overlap import bare, runs, tokenize
from selfsown.text.personal_data import find_personal_data
from selfsown.text.rouge import pieces

READERS: dict[str, Callable[[str], object]] = {
    "normal": normal,
    "words": words,
    "runs": lambda text: runs(tokenize(text)),
    "bare": bare,
    "pieces": pieces,
    "python": extract_python,
    "agreement": lambda text: agreement(text, text),
    "personal": find_personal_data,
    "identity": lambda text: list(self_reference.curate([Row(text, text)])),
    "leaks": lambda text: list(decontaminate.curate([Row(text, text)], [], [Row(f"{text} z", text)])),
    "form": text_form,
    "copies": lambda text: near_duplicate_groups([text, f"{text}x"]),
    "mutants": lambda text: list(mutants([Row("", text, target=text)], Task("rows.txt"), 0)),
}
UNITS = [
    "word ",
    "1 ",
    "1-",
    "(1) ",
    "...\n",
    "  ```\n",
    "a@a.",
    "+49 ",
    "字",
    "\u0301",
    "a\u200b",
    "= ",
    "call me at 1 ",
]


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_time_grows_as_the_text_does(read: Callable[[str], object]) -> None:
    def taken(unit: str, length: int) -> float:
        text = (unit * length)[:length]
        start = time.process_time()
        read(text)
        return time.process_time() - start

    for unit in UNITS:
        if taken(unit, 20_000) > 0.1:  # less is no matter; the least of several is free of what else the machine does
            long, short = (min(taken(unit, length) for _ in range(4)) for length in (20_000, 5_000))
            assert long < max(0.1, 10 * short), unit
