"""Benchmark questions are found in rows, independently of other benchmarks; what cannot be found is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from auditing import audit, rows, texts
from realdata import real_data

from selfsown.audit.contamination import BenchmarkMatches
from selfsown.records import Row
from selfsown.text.normalize import normal

LONG = [f"question {at}: {text}" for at, text in enumerate(texts(50, 5))]


def matched(texts: list[str], *benchmarks: list[str]) -> BenchmarkMatches:
    result = BenchmarkMatches()
    for index, questions in enumerate(benchmarks):
        result.add(f"exam{index}", [Row("", question) for question in questions])
    for text in texts:
        result.match(Row("", text), normal(text))
    return result


def test_benchmarks_are_matched_independently() -> None:
    said = [f"Well then. {text} So it is." for text in LONG[:20]] + texts(100, 9)
    again = [f"Answer this in a word: {text}" for text in LONG]
    for benchmarks in ([LONG], [LONG, again], [again, LONG], [LONG, again, LONG]):
        found = matched(said, *benchmarks)
        assert found.matched_rows == 20
        assert all(found.row_counts[name] == 20 for name in found.question_counts)
    assert matched(said, LONG, texts(50, 77)).row_counts == {"exam0": 20}


def test_shared_passages_count_and_common_phrases_do_not() -> None:
    passage = " ".join(f"passage{at}" for at in range(40))
    about = [f"{passage} and now question {at}: who was it?" for at in range(30)]
    assert matched([f"so {passage}"], about).matched_rows == 1
    form = " ".join(f"form{at}" for at in range(14))
    found = matched([f"so {form} then", f"so {form} {LONG[3]}"], [f"{form} {text}" for text in LONG])
    assert found.matched_rows == 1


def test_short_questions_are_found_inside_longer_text() -> None:
    short = ["What is the capital of France?", "How many legs has an ant?", "Why so?", "2 + 2"]
    found = matched(["Tell me: what is the capital of France? Paris.", "why so? I know not", "why so?"], short)
    assert (found.matched_rows, found.short_questions) == (2, 2)


def test_matches_are_counted_per_benchmark(tmp_path: Path) -> None:
    for name, questions in (("one", LONG), ("two", ["Why so?", *texts(30, 6)])):
        (tmp_path / f"{name}.txt").write_text("\n".join(questions), encoding="utf-8")
    ours = rows(tmp_path / "a.jsonl", [*texts(500, 1), *LONG[:12]])
    theirs = rows(tmp_path / "b.jsonl", texts(1500, 2))
    exams = [word for name in ("one", "two") for word in ("--benchmark", str(tmp_path / f"{name}.txt"))]
    code, found, _ = audit(ours, "--against", theirs, *exams)
    assert code == 4
    assert found["benchmarks"] == {
        "one.txt": {"questions": 50, "matched_rows": 12},
        "two.txt": {"questions": 31, "matched_rows": 0},
    }
    assert found["headline"].startswith("Not safe to train on: 12 leaked test questions")
    assert {each["row"] for each in found["examples"]["benchmark"]} == set(range(501, 513))
    assert "1 of 81 questions can be matched as a whole row or prompt only" in str(found["limitations"])
    assert "Answers of a benchmark are not searched for" in str(found["limitations"])


@pytest.mark.parametrize("option", [(), ("--benchmark-text", "prompt"), ("--text", "text")])
def test_programming_problems_are_a_benchmark(option: tuple[str, ...], tmp_path: Path) -> None:
    exam = str(real_data("humaneval.jsonl.gz"))
    theirs = rows(tmp_path / "b.jsonl", texts(300, 2))
    found = audit(theirs, "--against", theirs, "--benchmark", exam, *option)[1]
    assert found["benchmarks"]["humaneval.jsonl.gz"] == {"questions": 164, "matched_rows": 0}
