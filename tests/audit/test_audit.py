"""Audits name real differences, raise no alarm without one, and are inconclusive with too few rows."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from auditing import alarms, audit, rows, texts
from command import refused, run_in_process, selfsown
from realdata import real_data

from selfsown.audit.overused_phrases import overused
from selfsown.audit.text_format import text_form

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.slow
def test_real_rows_against_real_rows(tmp_path: Path) -> None:
    one, two = rows(tmp_path / "a.jsonl", texts(3000, 1), seed=1), rows(tmp_path / "b.jsonl", texts(6000, 2), seed=2)
    code, found, _ = audit(one, "--against", two, "--attribute", "region")
    assert (code, found["verdict"], alarms(found)) == (0, "no_difference", set())


def test_a_shifted_attribute(tmp_path: Path) -> None:
    one = rows(tmp_path / "a.jsonl", texts(1000, 1), north=0.75, seed=1)
    two = rows(tmp_path / "b.jsonl", texts(2000, 2), seed=2)
    code, found, _ = audit(one, "--against", two, "--attribute", "region")
    assert code == 4
    assert alarms(found) == {"shift of region", "log-odds of region=north"}
    assert "shifted" in str(found["headline"])


def test_duplicated_rows_lose_tails(tmp_path: Path) -> None:
    few = texts(150, 1)
    one = rows(tmp_path / "a.jsonl", [random.Random(at).choice(few) for at in range(800)])
    two = rows(tmp_path / "b.jsonl", texts(1600, 2))
    code, found, _ = audit(one, "--against", two)
    assert code == 4
    assert alarms(found) >= {"tails lost", "duplicate rows"}
    rates = found["duplicate_rate"]
    assert isinstance(rates, dict)
    assert rates["synthetic"] > 0.99
    assert rates["real"] < 0.01


def variety(found: dict[str, object]) -> dict[str, float]:
    signals = found["signals"]
    assert isinstance(signals, list)
    return {each["name"]: each["value"] for each in signals if each["name"] in ("tails lost", "Vendi score lost")}


def test_copies_of_real_rows_do_not_hide_lost_tails(tmp_path: Path) -> None:
    rng = random.Random(0)

    def said(count: int, words: int) -> list[str]:
        known, shares = [f"word{at}" for at in range(words)], [1 / (at + 1) for at in range(words)]
        return [" ".join(rng.choices(known, shares, k=20)) for _ in range(count)]

    real = said(2000, 3000)
    two = rows(tmp_path / "b.jsonl", real)
    one = rows(tmp_path / "a.jsonl", [*real[:100], *said(900, 800)])
    assert "tails lost" in alarms(audit(one, "--against", two)[1])
    one = rows(tmp_path / "a.jsonl", [*real[:100], *said(900, 3000)])
    assert abs(variety(audit(one, "--against", two)[1])["tails lost"]) < 0.05


def test_real_rows_against_themselves_are_equally_varied(tmp_path: Path) -> None:
    two = rows(tmp_path / "b.jsonl", texts(3000, 2))
    found = variety(audit(two, "--against", two)[1])
    assert all(abs(each) < 0.05 for each in found.values())


def test_other_lengths_and_forms(tmp_path: Path) -> None:
    one = rows(tmp_path / "a.jsonl", [f"- {a}\n- {b}" for a, b in zip(texts(600, 1), texts(600, 3), strict=True)])
    two = rows(tmp_path / "b.jsonl", texts(1200, 2))
    assert alarms(audit(one, "--against", two)[1]) >= {"shift of form", "shift of length"}


def test_longer_rows_do_not_count_as_richer(tmp_path: Path) -> None:
    one = rows(tmp_path / "a.jsonl", texts(800, 1, length=75))
    two = rows(tmp_path / "b.jsonl", texts(1600, 2))
    signals = audit(one, "--against", two)[1]["signals"]
    assert isinstance(signals, list)
    assert abs(next(each["value"] for each in signals if each["name"] == "tails lost")) < 0.1


def test_copies_of_real_rows_and_of_benchmark_questions(tmp_path: Path) -> None:
    real = texts(2000, 2)
    questions = [f"question {at}: what is it that {text}" for at, text in enumerate(texts(50, 5))]
    (tmp_path / "exam.txt").write_text("\n".join(questions), encoding="utf-8")
    said = [
        *texts(900, 1),
        *real[:75],
        *(f"Well then. {text} So it is." for text in questions[:20]),
        *questions[20:25],
    ]
    one, two = rows(tmp_path / "a.jsonl", said), rows(tmp_path / "b.jsonl", real)
    code, found, _ = audit(one, "--against", two, "--benchmark", str(tmp_path / "exam.txt"))
    assert code == 4
    assert found["benchmark_matches"] == 25
    assert found["copy_rate"] == pytest.approx(75 / 1000, abs=2e-3)


def test_words_of_a_lexicon(tmp_path: Path) -> None:
    lexicon = tmp_path / "lexicon.yaml"
    lexicon.write_text("gender: {female: [she, her], male: '\\b(he|his)\\b'}", encoding="utf-8")
    half = [f"{'she' if at % 2 else 'he'} said {text}" for at, text in enumerate(texts(1600, 2))]
    most = [f"{'she' if at % 5 == 0 else 'he'} said {text}" for at, text in enumerate(texts(800, 1))]
    one, two = rows(tmp_path / "a.jsonl", most), rows(tmp_path / "b.jsonl", half)
    code, found, _ = audit(one, "--against", two, "--lexicon", str(lexicon))
    assert code == 4
    assert "shift of gender" in alarms(found)
    shares = found["attribute_shares"]
    assert isinstance(shares, dict)
    assert shares["gender"]["male"]["synthetic"] == pytest.approx(0.8, abs=0.01)


def test_log_odds_of_a_value_that_few_rows_have(tmp_path: Path) -> None:
    """Of ten rows nine have no pronoun, and of the others more and more have "he"."""

    def said(count: int, seed: int, he: int) -> list[str]:
        pronouns = [" he" if at % 100 < he else " she" if at % 100 < 10 else "" for at in range(count)]
        return [text + word for text, word in zip(texts(count, seed), pronouns, strict=True)]

    lexicon = tmp_path / "lexicon.yaml"
    lexicon.write_text("gender: {female: [she], male: [he]}", encoding="utf-8")
    one, two = rows(tmp_path / "a.jsonl", said(2000, 1, 9)), rows(tmp_path / "b.jsonl", said(4000, 2, 6))
    assert "log-odds of gender=male" in alarms(audit(one, "--against", two, "--lexicon", str(lexicon))[1])


def test_a_model_that_writes_a_single_word(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello\n" * 300, encoding="utf-8")
    (tmp_path / "b.txt").write_text("\n".join(f"name{at}" for at in range(600)), encoding="utf-8")
    code, found, _ = audit(str(tmp_path / "a.txt"), "--against", str(tmp_path / "b.txt"))
    assert code == 4
    assert "duplicate rows" in alarms(found)
    assert [each["words"] for each in found["overused_phrases"]] == ["hello"]  # type: ignore[attr-defined]


def test_phrases_overlap_by_whole_words_only() -> None:
    found = overused(["the other", "he ran"] * 200, [f"name{at % 50}" for at in range(400)], range(400))
    assert {each.words for each in found} == {"the other", "he", "ran"}, "he is within neither the nor other"


def test_thousands_of_empty_lines_are_fast() -> None:
    start = time.monotonic()
    said = [text_form("answer: 5" + "\n" * 4000), text_form("a" + "\n" * 1900 + "b: c" + "\n" * 1900 + "d")]
    assert said == ["one line", "paragraphs"]
    assert time.monotonic() - start < 1


def test_too_few_rows(tmp_path: Path) -> None:
    one, two = rows(tmp_path / "a.jsonl", texts(60, 1)), rows(tmp_path / "b.jsonl", texts(500, 2))
    code, found, _ = audit(one, "--against", two)
    assert (code, found["verdict"]) == (5, "inconclusive")
    assert "at least 100 synthetic and 200 real rows are needed" in str(found["limitations"])
    one = rows(tmp_path / "a.jsonl", texts(150, 1))
    code, found, _ = audit(one, "--against", two, "--attribute", "region")
    assert (code, found["verdict"]) == (5, "inconclusive")
    assert "too few rows to rule out" in found["headline"]
    assert all(row["rows_needed"] > 150 for row in found["underpowered"])
    assert {row["check"] for row in found["underpowered"]} >= {"shift of region"}


def test_the_page_shows_row_numbers_and_escapes_html(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    bad = "<script>alert(1)</script> said again and again"
    one = rows(tmp_path / "a.jsonl", [*texts(250, 1), *[bad] * 150])
    two = rows(tmp_path / "b.jsonl", texts(800, 2))
    assert audit(one, "--against", two, "--html", str(tmp_path / "audit.html"))[0] == 4
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "Not safe to train on" in page
    assert "251, 252, 253" in page, "line numbers of the duplicates"
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_piped_tables_are_not_truncated(tmp_path: Path) -> None:
    name = "the_region_in_which_it_was_said_or_written"
    (tmp_path / "a.jsonl").write_text(
        Path(rows(tmp_path / "b.jsonl", texts(300, 2))).read_text().replace("region", name)
    )
    order = [sys.executable, "-m", "selfsown", "audit", "a.jsonl", "--against", "a.jsonl", "--attribute", name]
    ended = subprocess.run(order, capture_output=True, text=True, cwd=tmp_path)
    assert f"growth of north in {name} (log-odds)" in ended.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.jsonl", "--against", "b.jsonl"], "no such file or folder: nowhere.jsonl; name a file of rows"),
        (["b.jsonl", "--against", "b.jsonl", "--seed", "-1"], "--seed is -1"),
        (["b.jsonl", "--against", "b.jsonl", "--html", "."], "--html is ."),
        (["b.jsonl", "--against", "b.jsonl", "--attribute", "colour"], "colour"),
        (["b.jsonl", "--against", "b.jsonl", "--lexicon", "b.jsonl"], "--lexicon"),
        (["b.jsonl", "--against", "b.jsonl", "--max-tail-loss", "0"], "--max-tail-loss is 0"),
        (["b.jsonl", "--against", "b.jsonl", "--sample", "10"], "--sample is 10"),
    ],
)
def test_bad_options_are_one_line_errors(words: list[str], said: str, tmp_path: Path) -> None:
    rows(tmp_path / "b.jsonl", texts(300, 2))
    assert said in refused(run_in_process(tmp_path, "audit", *words))


def test_an_error_of_the_real_command_is_one_line(tmp_path: Path) -> None:
    rows(tmp_path / "b.jsonl", texts(10, 2))
    words = ["--against", "b.jsonl", "--sample", "10"]
    assert "--sample is 10" in refused(selfsown(tmp_path, "audit", "b.jsonl", *words))


def test_joint_attributes_show_a_bias_that_single_ones_hide(tmp_path: Path) -> None:
    """Majorities of occupations exaggerated: more women here, more men there, and as many of both as before."""
    files = [str(real_data(f"winogender_{name}.tsv")) for name in ("sentences", "occupations")]
    subprocess.run([sys.executable, EXAMPLES / "occupations.py", *files, tmp_path], check=True)
    ours, theirs = str(tmp_path / "synthetic.jsonl"), str(tmp_path / "real.jsonl")
    words = ["--lexicon", str(tmp_path / "pronouns.yaml"), "--attribute", "field+pronoun"]
    code, found, _ = audit(ours, "--against", theirs, *words)
    assert code == 4
    assert alarms(found) == {"shift of field+pronoun"}
    assert "shift of pronoun" in {each["name"] for each in found["signals"]}
    code, found, _ = audit(theirs, "--against", theirs, *words)
    assert not alarms(found), "rows of few templates repeat each other on both sides"
