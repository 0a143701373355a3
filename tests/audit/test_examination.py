"""Questions of examinations are found in rows, whoever else is asked, and what cannot be found is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from auditing import audit, rows, texts
from realdata import real_data

from selfsown.audit.contamination import Examination
from selfsown.records import Row
from selfsown.text.normalize import normal

LONG = [f"question {at}: {text}" for at, text in enumerate(texts(50, 5))]


def met(said: list[str], *examinations: list[str]) -> Examination:
    found = Examination()
    for at, questions in enumerate(examinations):
        found.add(f"exam{at}", [Row("", question) for question in questions])
    for text in said:
        found.meet(Row("", text), normal(text))
    return found


def test_another_examination_takes_nothing_from_the_first() -> None:
    said = [f"Well then. {text} So it is." for text in LONG[:20]] + texts(100, 9)
    again = [f"Answer this in a word: {text}" for text in LONG]
    for examinations in ([LONG], [LONG, again], [again, LONG], [LONG, again, LONG]):
        found = met(said, *examinations)
        assert found.met == 20
        assert all(found.hits[name] == 20 for name in found.asked)
    assert met(said, LONG, texts(50, 77)).hits == {"exam0": 20}


def test_a_passage_that_several_questions_share_counts_and_a_phrase_that_all_share_does_not() -> None:
    passage = " ".join(f"passage{at}" for at in range(40))
    about = [f"{passage} and now question {at}: who was it?" for at in range(30)]
    assert met([f"so {passage}"], about).met == 1
    form = " ".join(f"form{at}" for at in range(14))
    found = met([f"so {form} then", f"so {form} {LONG[3]}"], [f"{form} {text}" for text in LONG])
    assert found.met == 1


def test_short_questions_are_found_inside_other_words() -> None:
    short = ["What is the capital of France?", "How many legs has an ant?", "Why so?", "2 + 2"]
    found = met(["Tell me: what is the capital of France? Paris.", "why so? I know not", "why so?"], short)
    assert (found.met, found.hidden) == (2, 2)


def test_each_examination_is_named(tmp_path: Path) -> None:
    for name, questions in (("one", LONG), ("two", ["Why so?", *texts(30, 6)])):
        (tmp_path / f"{name}.txt").write_text("\n".join(questions), encoding="utf-8")
    ours = rows(tmp_path / "a.jsonl", [*texts(500, 1), *LONG[:12]])
    theirs = rows(tmp_path / "b.jsonl", texts(1500, 2))
    exams = [word for name in ("one", "two") for word in ("--examination", str(tmp_path / f"{name}.txt"))]
    code, found, _ = audit(ours, "--against", theirs, *exams)
    assert code == 4
    assert found["examinations"] == {"one.txt": {"questions": 50, "hits": 12}, "two.txt": {"questions": 31, "hits": 0}}
    assert found["headline"].startswith("The synthetic rows differ from the real ones: 12 of 512 meet an examination")
    assert {each["row"] for each in found["examples"]["examination"]} == set(range(501, 513))
    assert "1 of 81 questions cannot be found inside other words" in str(found["unknown"])
    assert "Answers of an examination are not looked for" in str(found["unknown"])


@pytest.mark.parametrize("option", [(), ("--examination-text", "prompt"), ("--text", "text")])
def test_problems_of_programs_are_an_examination(option: tuple[str, ...], tmp_path: Path) -> None:
    exam = str(real_data("humaneval.jsonl.gz"))
    theirs = rows(tmp_path / "b.jsonl", texts(300, 2))
    found = audit(theirs, "--against", theirs, "--examination", exam, *option)[1]
    assert found["examinations"]["humaneval.jsonl.gz"] == {"questions": 164, "hits": 0}
