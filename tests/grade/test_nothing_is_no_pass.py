"""Where nothing was said against a row because nothing was looked at, no grader passes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfsown.calibration.labeled_rows import labeled_from_file
from selfsown.calibration.requirements import shortcomings
from selfsown.calibration.results import metrics_of
from selfsown.curate import any_grader, min_score, pass_rate_band, preference_pairs
from selfsown.grade import (
    constitution,
    exact_match,
    json_schema,
    judge,
    math_equal,
    novelty,
    pairwise,
    panel,
    roundtrip,
    rules,
    self_consistency,
    solver_gap,
    verify,
)
from selfsown.models import Reply
from selfsown.records import Grade, Row, SelfsownError
from selfsown.tasks.addition import Task as Sums
from selfsown.tasks.file import Task as File
from testing.echo_model import Parrot

FILE = File("rows.jsonl", prompt="q", answer="a")
ROW = Row("2 + 2?", "4", target="4", metadata={"quote": "2 + 2 is 4."}, method="sample")
EMPTY = [replace(ROW, answer=answer) for answer in ("", " ", "\n\t", "\u00a0")]
TWICE = [replace(ROW, sample_index=draw) for draw in range(2)]


def says(reply: Any, *, failure: str = "") -> Parrot:
    text = reply if isinstance(reply, str) else json.dumps(reply)
    return Parrot(lambda prompt, at: Reply(prompt, text, failure=failure))


def silent_on(word: str, otherwise: Any) -> Parrot:
    """A judge that cannot be understood where the word is in the question."""
    return Parrot(lambda prompt, at: "Hm." if word in prompt else json.dumps(otherwise))


PRAISE, PURE = {"reason": "splendid", "score": 5}, {"reason": "pure", "keeps": True}
FIRST, NEITHER = {"reason": "the first", "better": "first"}, {"reason": "alike", "better": "neither"}
FULL, PASSED, NONE = says(PRAISE), says(PURE), says({"unsupported": []})
DOWN = says("", failure="the server returned 500")
RIGHT, MUTE = says("4"), says("")

CASES: dict[str, Callable[[], Sequence[Grade] | Iterator[Grade]]] = {
    "exact: no known answer": lambda: exact_match.grade([replace(ROW, answer="", target="")]),
    "exact: a blank known answer": lambda: exact_match.grade([replace(ROW, answer="", target=" ")]),
    "exact: an empty answer": lambda: exact_match.grade(EMPTY),
    "maths: no known answer": lambda: math_equal.grade([replace(ROW, target=""), replace(ROW, answer="", target="")]),
    "maths: a blank known answer": lambda: math_equal.grade(
        [replace(ROW, answer=" ", target=" "), replace(ROW, target="$$")]
    ),
    "maths: an empty box on either side": lambda: math_equal.grade(
        [replace(ROW, answer=r"\boxed{}", target=r"\boxed{}"), replace(ROW, answer=r"\boxed{}"), *EMPTY]
    ),
    "maths: a mark without an answer": lambda: math_equal.grade([replace(ROW, answer="####", target="####")]),
    "verify: an empty answer": lambda: verify.grade(EMPTY, Sums()),
    "novelty: against nothing": lambda: novelty.grade([ROW], []),
    "novelty: an empty text": lambda: novelty.grade([replace(each, prompt="") for each in EMPTY], [ROW]),
    "rules: no real rows": lambda: rules.grade([ROW], []),
    "rules: an empty text where real ones are empty": lambda: rules.grade(EMPTY, EMPTY),
    "schema: none": lambda: json_schema.grade([ROW], schema={}),
    "schema: one that allows anything": lambda: json_schema.grade([ROW], schema={"description": "a number"}),
    "schema: no JSON": lambda: json_schema.grade([replace(ROW, answer=text) for text in ("", "x", "{", "NaN", "```")],
                                            schema={"type": ["number", "string", "object"]}),
    "judge: an empty answer": lambda: judge.grade(EMPTY, FULL, 0),
    "judge: an empty rubric": lambda: judge.grade([ROW], FULL, 0, rubric=" "),
    "judge: nothing said": lambda: judge.grade([ROW], MUTE, 0),
    "judge: a server that is down": lambda: judge.grade([ROW], DOWN, 0),
    "judge: cut off while praising": lambda: judge.grade([ROW], says(PRAISE, failure="truncated at max_tokens"), 0),
    "judge: NaN": lambda: judge.grade([ROW], says('{"reason": "", "score": NaN}'), 0),
    "judge: no score": lambda: judge.grade([ROW], says('{"reason": "splendid"}'), 0),
    "judge: reasoning alone": lambda: judge.grade([ROW], says(f"<think>{json.dumps(PRAISE)}"), 0),
    "panel: an empty answer": lambda: panel.grade(EMPTY, FULL, 0),
    "panel: no rubrics": lambda: panel.grade([ROW], FULL, 0, rubrics=()),
    "panel: an empty rubric": lambda: panel.grade([ROW], FULL, 0, rubrics=("Is it right?", "")),
    "panel: nobody is heard": lambda: panel.grade([ROW], DOWN, 0),
    "panel: nobody is heard on one rubric": lambda: panel.grade([ROW], silent_on("correct", PRAISE), 0),
    "constitution: an empty answer": lambda: constitution.grade(EMPTY, PASSED, FILE, 0, principles=("Harm nobody.",)),
    "constitution: no principles": lambda: constitution.grade([ROW], PASSED, FILE, 0),
    "constitution: an empty principle": lambda: constitution.grade([ROW], PASSED, FILE, 0, principles=("Be kind.", "")),
    "constitution: nothing heard on one principle": lambda: constitution.grade(
        [ROW], silent_on("kind", PURE), FILE, 0, principles=("Be kind.", "Harm nobody.", "Be brief.", "Be true.")
    ),
    "constitution: a server that is down": lambda: constitution.grade([ROW], DOWN, FILE, 0, principles=("Be kind.",)),
    "pairwise: no sibling": lambda: pairwise.grade([ROW], says(FIRST), 0),
    "pairwise: empty siblings": lambda: pairwise.grade(EMPTY, says(FIRST), 0),
    "pairwise: an empty rubric": lambda: pairwise.grade(TWICE, says(FIRST), 0, rubric=""),
    "pairwise: the first, in either order": lambda: pairwise.grade([ROW, replace(ROW, answer="5")], says(FIRST), 0),
    "pairwise: a server that is down": lambda: pairwise.grade([ROW, replace(ROW, answer="5")], DOWN, 0),
    "vote: a single vote": lambda: self_consistency.grade([ROW], RIGHT, 0, samples=1),
    "vote: no votes": lambda: self_consistency.grade([ROW], DOWN, 0),
    "vote: one vote is heard": lambda: self_consistency.grade(
        [ROW], Parrot(lambda prompt, at: Reply(prompt, "4", failure="cut off" if at else "")), 0, samples=2
    ),
    "vote: empty votes for an empty answer": lambda: self_consistency.grade(EMPTY, MUTE, 0),
    "vote: nothing behind the mark": lambda: self_consistency.grade(
        [replace(ROW, answer="####")], says("####"), 0, pattern="####(.*)"
    ),
    "vote: a tie": lambda: self_consistency.grade([ROW], Parrot(lambda prompt, at: "45"[at % 2]), 0, samples=4),
    "gap: no prompt": lambda: solver_gap.grade([replace(ROW, prompt="")], RIGHT, MUTE, FILE, 0),
    "gap: no answer to agree with": lambda: solver_gap.grade(
        [replace(ROW, answer="", target="")], MUTE, says("5"), FILE, 0),
    "gap: the weak solver is down": lambda: solver_gap.grade([ROW], RIGHT, DOWN, FILE, 0),
    "gap: the strong solver is down": lambda: solver_gap.grade([ROW], DOWN, MUTE, FILE, 0),
    "gap: both are mute": lambda: solver_gap.grade([ROW], MUTE, MUTE, FILE, 0),
    "roundtrip: an empty answer without claims": lambda: roundtrip.grade(EMPTY, NONE, 0, direction="claims"),
    "roundtrip: no source": lambda: roundtrip.grade([replace(ROW, metadata={})], NONE, 0, direction="claims"),
    "roundtrip: a blank source": lambda: roundtrip.grade(
        [replace(ROW, metadata={"quote": " "})], NONE, 0, direction="claims"),
    "roundtrip: nothing found of nothing": lambda: roundtrip.grade(EMPTY, says({"found": ""}), 0),
    "roundtrip: nothing found": lambda: roundtrip.grade([ROW], says({"found": " "}), 0),
    "roundtrip: a server that is down": lambda: roundtrip.grade([ROW], DOWN, 0, direction="claims"),
    "roundtrip: another way's row": lambda: roundtrip.grade([ROW], NONE, 0, direction="claims", methods=("rephrase",)),
}  # fmt: skip


def outcome(graded: Callable[[], Sequence[Grade] | Iterator[Grade]]) -> tuple[list[Grade], str]:
    """The grades, or the mistake that there are none for."""
    try:
        return list(graded()), ""
    except SelfsownError as error:
        return [], str(error)


@pytest.mark.parametrize("case", CASES)
def test_what_was_not_looked_at_is_not_kept(case: str) -> None:
    grades, mistake = outcome(CASES[case])
    assert bool(grades) != bool(mistake)
    assert "\n" not in mistake
    for grade in grades:
        assert 0 <= grade.score <= 1
        kept = [row for row in min_score.curate([ROW.graded(grade)], FILE) if not row.status]
        assert grade.failed or not kept, grade


UNGRADED = [Row("q", str(at), sample_index=at) for at in range(4)]
LEFT = [row.graded(Grade(1.0, "another has it", grader="roundtrip", evidence="none")) for row in UNGRADED]


@pytest.mark.parametrize("rows", [UNGRADED, LEFT], ids=["nobody", "left to others"])
def test_what_nobody_graded_is_kept_by_none_who_goes_by_grades(rows: list[Row]) -> None:
    assert [row.status for row in min_score.curate(rows, FILE)] == ["rejected"] * 4
    assert [row.status for row in min_score.curate(rows, FILE, min_score=0.0)] == ["rejected"] * 4
    assert [row.status for row in any_grader.curate(rows, min_score={"judge": 0.0})] == ["rejected"] * 4
    assert [row.status for row in any_grader.curate(rows, top_share={"reward": 1.0})] == ["rejected"] * 4
    assert [row.status for row in pass_rate_band.curate(rows, min_pass_rate=0.0, max_pass_rate=1.0)] == ["rejected"] * 4
    bad = Row("q", "a bad one", sample_index=9).graded(Grade(0.0, "wrong", grader="judge"))
    assert not [row for row in preference_pairs.curate([*rows, bad], []) if row.method == "preference_pairs"]


def test_a_score_that_is_no_number_passes_nowhere() -> None:
    row = Row("q", "a").graded(Grade(1.0, grader="a")).graded(Grade(float("nan"), grader="b"))
    assert [out.status for out in min_score.curate([row], FILE)] == ["rejected"]
    assert [out.status for out in any_grader.curate([row], min_score={"b": 0.5})] == ["rejected"]


@pytest.mark.parametrize("label", ["good", "bad"])
def test_a_grader_is_not_measured_on_rows_of_one_kind(label: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    lines = [json.dumps({"prompt": f"{at}?", "answer": str(at), "label": label}) for at in range(5)]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SelfsownError, match=f"all of the 5 rows drawn are {label}"):
        labeled_from_file(path, FILE, 100, 0)


@pytest.mark.parametrize(
    "measured",
    [
        {},
        {"kappa": None},
        {"unmeasured": "it asks the student"},
        {"kappa": {"value": 1.0, "low": float("nan"), "high": 1.0, "n": 9}},
    ],
)
def test_what_was_not_measured_meets_no_demand(measured: dict[str, Any]) -> None:
    assert len(shortcomings(metrics_of(measured), {"kappa": 0.0, "false_accepts": 1.0})) == 2
