"""A judge that wrote the rows itself is said to be so, and no other judge is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from selfsown.preflight.self_judging import grader_inputs, self_judging

HERE = {"endpoint": {"url": "http://localhost:8000/v1", "model": "m"}}
THERE = {"endpoint": {"url": "http://localhost:9000/v1", "model": "m"}}
CLAUDE = {"anthropic": {"model": "m"}}
ITS_OWN, STUDENT = "the judge is the teacher itself", "the judge is the student itself"
ONE = "one of the judges is the teacher itself"


def endpoint(**changes: Any) -> dict[str, Any]:
    return {"endpoint": {**HERE["endpoint"], **changes}}


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"teacher": HERE, "grade": ["judge"]}, ITS_OWN),
        ({"teacher": HERE, "grade": ["rules", {"judge": {"scale": 3}}]}, ITS_OWN),
        ({"teacher": HERE, "judge": HERE, "grade": ["judge"]}, ITS_OWN),
        ({"teacher": HERE, "judge": endpoint(url="HTTP://LocalHost:8000/v1/"), "grade": ["panel"]}, ITS_OWN),
        ({"teacher": HERE, "judge": endpoint(max_in_flight=3, key="OTHER_KEY"), "grade": ["constitution"]}, ITS_OWN),
        ({"teacher": HERE, "grade": ["pairwise"]}, ITS_OWN),
        ({"teacher": HERE, "grade": [{"panel": {"judges": ["m"]}}]}, ITS_OWN),
        ({"teacher": HERE, "judge": endpoint(model="o"), "grade": [{"panel": {"judges": ["m", "n"]}}]}, ONE),
        ({"teacher": HERE, "grade": ["./mine.py"]}, ITS_OWN),
        ({"teacher": HERE, "grade": ["./other.py"]}, ""),
        ({"teacher": HERE, "grade": ["./gone.py"]}, ""),
        ({"teacher": HERE, "grade": ["./broken.py"]}, ""),
        ({"teacher": HERE, "grade": []}, ""),
        ({"teacher": HERE}, ""),
        ({"teacher": HERE, "grade": ["rules", "unit_tests", "exact_match"]}, ""),
        ({"teacher": HERE, "grade": ["self_consistency"]}, ""),
        ({"teacher": HERE, "judge": THERE, "grade": ["judge"]}, ""),
        ({"teacher": HERE, "judge": endpoint(model="n"), "grade": ["judge"]}, ""),
        ({"teacher": HERE, "judge": endpoint(model="n"), "grade": [{"panel": {"judges": ["n", "o"]}}]}, ""),
        (
            {"teacher": CLAUDE, "judge": CLAUDE, "grade": ["judge"]},
            ITS_OWN,
        ),
        ({"teacher": CLAUDE, "judge": HERE, "grade": ["judge"]}, ""),
        ({"student": "tiny", "grade": ["judge"]}, STUDENT),
        ({"student": "tiny", "teacher": HERE, "grade": ["judge"]}, ""),
        ({"student": "tiny", "teacher": HERE, "generate_with": "student", "grade": ["judge"]}, STUDENT),
        ({"student": "tiny", "judge": HERE, "grade": ["judge"]}, ""),
        ({"student": "tiny", "teacher": HERE, "judge": HERE, "grade": ["judge"]}, ITS_OWN),
        ({"student": "tiny", "teacher": HERE, "judge": HERE, "generate_with": "student", "grade": ["judge"]}, ""),
    ],
)
def test_who_marks_its_own_work(recipe: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise RuntimeError('it was run')\ndef grade(rows, judge, *, n=1): ...\n")
    (tmp_path / "other.py").write_text("def grade(rows, *, judge=1): ...\n")
    (tmp_path / "broken.py").write_text("def grade(rows, judge\n")
    found = self_judging(recipe, lambda way: grader_inputs(tmp_path, way))
    assert found == (f"{said}, which grades its own work" if said else "")
