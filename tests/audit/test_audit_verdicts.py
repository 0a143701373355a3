"""A check that could not be made is never a pass; other spellings of a text are no difference."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from auditing import records, texts

from selfsown.audit import conclusion, findings
from selfsown.audit.audit import Audit
from selfsown.audit.inputs import run_audit
from selfsown.audit.options import AuditOptions
from selfsown.records import SelfsownError

ACCENTED = [text.replace("o", "ö").replace("1", "é") for text in texts(360, 7)]


def documents(path: Path, said: list[str], **columns: list[object]) -> str:
    return records(
        path, [{"text": text, **{name: of[at] for name, of in columns.items()}} for at, text in enumerate(said)]
    )


def healthy(folder: Path, **options: object) -> Audit:
    """Rows of one source on both sides, with tolerances so wide that every check has power."""
    ours = documents(folder / "a.jsonl", texts(150, 1))
    theirs = documents(folder / "b.jsonl", texts(300, 2))
    names = ("tail_loss", "vendi_loss", "shift", "form_shift", "duplicates", "copies")
    wide = {f"max_{name}": 0.9 for name in names}
    return run_audit(ours, theirs, AuditOptions(**wide, **options))  # type: ignore[arg-type]


def exam(folder: Path, questions: list[str]) -> tuple[Path, ...]:
    records(folder / "exam.jsonl", [{"prompt": question} for question in questions])
    return (folder / "exam.jsonl",)


def test_a_healthy_set_passes_where_every_check_has_power(tmp_path: Path) -> None:
    found = healthy(tmp_path, benchmark=exam(tmp_path, ["Who of all these rowed over the lake?"]))
    assert conclusion.verdict(found) == "no_difference"
    assert conclusion.headline(found) == "No problem found."


@pytest.mark.parametrize("questions", [["Why so?", "2 + 2"], ["谁？"]])
def test_an_unsearchable_benchmark_is_inconclusive(questions: list[str], tmp_path: Path) -> None:
    found = healthy(tmp_path, benchmark=exam(tmp_path, questions))
    assert conclusion.verdict(found) == "inconclusive"
    assert "no question of exam.jsonl is long enough to search for" in conclusion.headline(found)
    assert any("exam.jsonl: none of its" in sentence for sentence in findings.limitations(found))


@pytest.mark.parametrize("questions", [[""], ["  ", "\n"], ["\u200b"], ["\ufeff", "\u00ad\u2060"]])
def test_a_benchmark_without_questions_is_an_error(questions: list[str], tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match="has no questions"):
        healthy(tmp_path, benchmark=exam(tmp_path, questions))


@pytest.mark.parametrize("empty", ["", "\n\n"])
@pytest.mark.parametrize("role", ["synthetic", "real", "exam"])
def test_an_empty_file_is_an_error(role: str, empty: str, tmp_path: Path) -> None:
    files = {name: documents(tmp_path / f"{name}.jsonl", texts(300, 1)) for name in ("synthetic", "real", "exam")}
    Path(files[role]).write_text(empty, encoding="utf-8")
    with pytest.raises(SelfsownError, match=rf"{role}.jsonl is empty"):
        run_audit(files["synthetic"], files["real"], AuditOptions(benchmark=(Path(files["exam"]),)))


@pytest.mark.parametrize("blank", ["", "\u200b\u00a0"])
def test_blank_rows_are_an_alarm(blank: str, tmp_path: Path) -> None:
    ours = documents(tmp_path / "a.jsonl", [blank] * 300)
    found = run_audit(ours, documents(tmp_path / "b.jsonl", texts(300, 2)), AuditOptions())
    assert conclusion.verdict(found) == "differs"
    assert found.synthetic.blank_count == 300
    few = documents(tmp_path / "c.jsonl", [blank] * 30)
    assert conclusion.verdict(run_audit(few, few, AuditOptions())) == "inconclusive"


def test_a_file_against_itself_or_its_copy_is_inconclusive(tmp_path: Path) -> None:
    """Most of its rows repeat, so that copies are as common on one side as on the other."""
    said = [text for text in texts(150, 2) for _ in range(2)]
    one, two = documents(tmp_path / "a.jsonl", said), documents(tmp_path / "b.jsonl", said[::-1])
    names = ("tail_loss", "vendi_loss", "form_shift", "duplicates", "copies")
    wide = AuditOptions(**{f"max_{name}": 3.0 for name in names})  # type: ignore[arg-type]
    for other in (one, two):
        found = run_audit(one, other, wide)
        assert conclusion.verdict(found) == "inconclusive"
        assert conclusion.headline(found) == "Both files hold the same rows, so nothing was compared."


def test_a_signal_that_is_not_finite_is_inconclusive(tmp_path: Path) -> None:
    found = healthy(tmp_path)
    for broken in ({"value": float("nan")}, {"mde": float("nan")}, {"value": float("nan"), "mde": float("inf")}):
        signals = (replace(found.signals[0], **broken), *found.signals[1:])
        lost = replace(found, signals=signals)
        assert conclusion.verdict(lost) == "inconclusive"
        assert f"{signals[0].name} could not be measured." in findings.limitations(lost)


def test_a_missing_benchmark_is_a_limitation(tmp_path: Path) -> None:
    assert any("No benchmark was named" in sentence for sentence in findings.limitations(healthy(tmp_path)))


def test_not_a_number_is_a_missing_value_as_null_is(tmp_path: Path) -> None:
    missing = documents(tmp_path / "a.jsonl", texts(80, 1), grade=[float("nan") if at % 2 else 3.0 for at in range(80)])
    null = documents(tmp_path / "b.jsonl", texts(160, 2), grade=[None if at % 2 else 3 for at in range(160)])
    found = run_audit(missing, null, AuditOptions(attribute=("grade",)))
    assert set(found.attribute_shares["grade"]) == {"none", "3"}
    assert found.attribute_shares["grade"]["none"] == pytest.approx((0.5, 0.5), abs=0.15)
    blank = documents(tmp_path / "c.jsonl", [float("nan")] * 90)  # type: ignore[list-item]
    assert run_audit(blank, null, AuditOptions()).synthetic.blank_count == 90


@pytest.mark.parametrize("spelling", ["NFD", "soft hyphens", "wide spaces"])
def test_copies_duplicates_and_questions_are_found_in_any_spelling(spelling: str, tmp_path: Path) -> None:
    def spelled(text: str) -> str:
        if spelling == "NFD":
            return unicodedata.normalize("NFD", text)
        return text.replace("d", "d\u00ad") if spelling == "soft hyphens" else text.replace(" ", "\u2003")

    many = 120 if spelling == "NFD" else 30
    copies = [spelled(text) for text in ACCENTED[:many]]
    ours = documents(tmp_path / "a.jsonl", [*copies, *ACCENTED[:many]], name=[spelled("Zoé d B")] * 2 * many)
    theirs = documents(tmp_path / "b.jsonl", ACCENTED[: 3 * many], name=["Zoé d B"] * 3 * many)
    found = run_audit(ours, theirs, AuditOptions(benchmark=exam(tmp_path, ACCENTED[:7]), attribute=("name",)))
    assert found.copy_rate == 1.0
    assert found.duplicate_rates == (1.0, 0.0)
    assert found.benchmarks is not None
    assert found.benchmarks.matched_rows == 14
    assert set(found.attribute_shares["name"]) == {"Zoé d B"}
    assert not {each.name for each in found.alarms} & {"shift of length", "shift of form", "shift of name"}


@pytest.mark.parametrize(
    ("question", "before"),
    [
        ("小明有三十五个苹果，他把其中的七个送给了邻居，又买了十二个，请问他现在一共有多少个苹果？", "请仔细想一想，"),
        ("太郎は本を三十二冊持っていて、そのうち五冊を友達にあげました。残りは何冊ですか。", "よく考えて、"),
        ("ประเทศใดมีแม่น้ำที่ยาวที่สุดในโลกและไหลลงสู่ทะเลใด", "โปรดตอบ "),
        ("철수는 사과 서른다섯 개를 가지고 있었는데 일곱 개를 주었다면 몇 개가 남는가?", "잘 생각해 보세요. "),
    ],
)
def test_benchmark_questions_of_any_script_are_found_inside_rows(question: str, before: str, tmp_path: Path) -> None:
    ours = documents(tmp_path / "a.jsonl", [*texts(20, 1), f"{before}{question} OK"])
    theirs = documents(tmp_path / "b.jsonl", texts(40, 2))
    found = run_audit(ours, theirs, AuditOptions(benchmark=exam(tmp_path, [question])))
    assert found.benchmarks is not None
    assert (found.benchmarks.matched_rows, found.benchmarks.short_questions) == (1, 0)
    assert conclusion.verdict(found) == "differs"
