"""Programs are mended by what running them says; given tests stay as they are, own ones may be mended too."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from provenance import recorded

from selfsown.generate import self_debug
from selfsown.models import Reply
from selfsown.records import Row
from testing.echo_model import Parrot

RIGHT, WRONG = "def double(x):\n    return 2 * x", "def double(x):\n    return x * x"
TESTS, ODD = "assert double(2) == 4\nassert double(3) == 6", "assert double(3) == 7"
FENCE = re.compile(r"<text-(\w+)>\n(.*?)\n</text-\1>", re.DOTALL)
PROBLEM = Row("Write double, which doubles.", "", target="", level=2, metadata={"by": "ann"})


pytestmark = pytest.mark.usefixtures("walled")


def teacher(first: str = WRONG, tests: str = TESTS, mended: Any = None) -> Parrot:
    """Its first program, its tests, and what it makes of them once it is shown what became of them."""

    def say(prompt: str, at: int) -> str | Reply:
        seen.append(prompt)
        if prompt.startswith("Below is a piece"):
            return json.dumps({"prompt": "Write double, for snippets."})
        if prompt.startswith("Write tests"):
            return json.dumps({"tests": tests})
        if prompt.startswith("Write Python"):
            return json.dumps({"program": first})
        whole = {"program": RIGHT, "tests": TESTS} | (mended or {})
        return json.dumps({name: whole[name] for name in whole if f'"{name}":' in prompt.rpartition("schema:")[2]})

    seen: list[str] = []
    found = Parrot(say)
    found.seen = seen  # type: ignore[attr-defined]
    return found


def made(said: Parrot, rows: list[Row] | None = None, **knobs: Any) -> list[Row]:
    return recorded("self_debug", self_debug.generate(rows or [PROBLEM], said, 0, cpu_seconds=1.0, **knobs), said)


def outcomes(row: Row) -> list[str]:
    return [step["outcome"] for step in json.loads(row.metadata["revision_history"])]


def test_what_fails_is_shown_what_became_of_it_and_mended() -> None:
    said = teacher(first=f"Here:\n```python\n{WRONG}```")
    (row,) = made(said)
    assert (row.answer, row.metadata["tests"], row.metadata["revisions"], row.status) == (RIGHT, TESTS, "1", "")
    assert (row.prompt, row.level, row.parents, row.metadata["by"]) == (PROBLEM.prompt, 2, (PROBLEM.id,), "ann")
    assert outcomes(row) == ["fails at: assert double(3) == 6", "passes its tests"]
    shown = [text for _, text in FENCE.findall(said.seen[-1])]  # type: ignore[attr-defined]
    assert shown[:3] == [PROBLEM.prompt, WRONG, TESTS]
    assert shown[3].startswith("fails at: assert double(3) == 6")


def test_who_writes_the_program_has_not_seen_the_tests() -> None:
    said = teacher()
    made(said)
    (asked,) = [prompt for prompt in said.seen if prompt.startswith("Write Python")]  # type: ignore[attr-defined]
    assert "assert" not in asked


def test_what_passes_is_left_alone_and_what_never_does_comes_out_as_it_is() -> None:
    said = teacher(first=RIGHT)
    (row,) = made(said)
    assert (row.metadata["revisions"], outcomes(row), len(said.seen)) == ("0", ["passes its tests"], 2)  # type: ignore[attr-defined]
    (row,) = made(teacher(mended={"program": WRONG}), rounds=3)
    assert (row.answer, row.metadata["revisions"], row.status) == (WRONG, "3", "")
    assert outcomes(row) == ["fails at: assert double(3) == 6"] * 4
    assert outcomes(made(teacher(), rounds=0)[0]) == ["fails at: assert double(3) == 6"]


def test_own_tests_may_be_mended_and_given_ones_not() -> None:
    (row,) = made(teacher(first=RIGHT, tests=ODD))
    assert (row.metadata["tests"], outcomes(row)) == (TESTS, ["fails at: assert double(3) == 7", "passes its tests"])
    given = PROBLEM.replace_fields(metadata={"asked": f"assert candidate(3) == 7\n{TESTS}", "name": "double"})
    (row,) = made(teacher(first=RIGHT), [given], tests="asked", entry_point="name", rounds=1)
    assert row.metadata["asked"] == given.metadata["asked"]
    assert outcomes(row) == ["fails at: assert candidate(3) == 7"] * 2


def test_a_document_inspires_a_problem_and_n_programs_are_different_rows() -> None:
    document = Row("", "for each in v: print(2 * each)", target="kept out")
    rows = made(teacher(), [document, PROBLEM], n=3)
    assert [row.prompt for row in rows] == ["Write double, for snippets."] * 3 + [PROBLEM.prompt] * 3
    assert len({row.id for row in rows}) == 6
    assert {row.target for row in rows} == {""}


def test_who_gives_nothing_fails_and_no_other_row() -> None:
    (row,) = made(Parrot(lambda prompt, at: Reply(prompt, "", failure="refused: no")))
    assert (row.status, row.reason) == ("failed", "refused: no")
    (row,) = made(teacher(first=" "))
    assert (row.status, row.reason) == ("failed", "its program is empty")
    (row,) = made(teacher(first="def double(x)"))
    assert outcomes(row) == ["raises SyntaxError before its tests in line 1: expected ':'", "passes its tests"]


@pytest.mark.parametrize("tests", ["import numpy\ndouble(2)", "double(2) == 4", "assert (", '[{"stdout": "4"}]'])
def test_given_tests_that_test_nothing_fail_the_row_and_no_mending_is_paid_for(tests: str) -> None:
    said = teacher()
    (row,) = made(said, [PROBLEM.replace_fields(metadata={"tests": tests})], rounds=3)
    assert (row.status, len(said.seen)) == ("failed", 1)  # type: ignore[attr-defined]
    assert row.reason.startswith(("the tests ", "raises ModuleNotFoundError"))
