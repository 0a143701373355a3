"""The grader reads constraints from any row's metadata, and says which one is not kept."""

from __future__ import annotations

import json
from pathlib import Path

from selfsown.grade.instructions import grade
from selfsown.records import Row
from selfsown.tasks.file import Task as File

BOTH = '[{"kind": "lowercase"}, {"kind": "sentences", "count": 2}]'


def row(answer: str, constraints: str | None = BOTH, problem: str = "Why do cats purr?") -> Row:
    metadata = {} if constraints is None else {"constraints": constraints}
    return Row("Why do cats purr? Answer in two small sentences.", answer, problem=problem, metadata=metadata)


def test_a_row_is_graded_by_all_its_constraints_with_reasons() -> None:
    rows = [
        row("they feel safe. a purr also soothes kittens."),
        row("They feel safe."),
        row("why do cats purr? why do cats purr?"),
        row("this is a sentence in lowercase. this is another."),
    ]
    right, wrong, copied, gamed = grade(iter(rows))
    assert (right.score, right.reason, right.grader, right.evidence) == (
        1.0,
        "keeps its constraints",
        "instructions",
        "rule",
    )
    assert wrong.reason == "lowercase: it has 1 capital letters, the first 'T'; sentences: it has 1 sentence, not 2"
    assert "gamed: it" in copied.reason
    assert "speaks of its form" in gamed.reason
    assert [wrong.score, copied.score, gamed.score] == [0.0, 0.0, 0.0]
    assert not any(item.failed for item in (right, wrong, copied, gamed))


def test_a_row_without_constraints_or_with_unreadable_ones_is_not_graded() -> None:
    missing, broken, unknown = grade([row("go", None), row("go", "{"), row("go", '[{"kind": "x"}]')])
    assert all(item.failed and item.score == 0.0 for item in (missing, broken, unknown))
    assert missing.reason == "the row has no constraints"
    assert "not valid JSON" in broken.reason
    assert "no kind of constraint 'x'" in unknown.reason


def test_any_file_may_have_a_column_of_constraints(tmp_path: Path) -> None:
    records = [
        {"prompt": "Name a river.", "answer": answer, "constraints": [{"kind": "uppercase"}]}
        for answer in ("THE WIDE AMAZON", "The wide Amazon")
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    rows = list(File(str(path), metadata=("constraints",)).pose(0))
    assert [item.score for item in grade(rows)] == [1.0, 0.0]
