"""Shares are those of all rows; what to check for bias is proposed; findings are ordered, worst first."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from auditing import alarms, audit, rows, texts
from command import run_in_process


def test_shares_are_those_of_all_rows_and_not_of_the_compared_half(tmp_path: Path) -> None:
    one = rows(tmp_path / "a.jsonl", texts(400, 1), seed=1)
    two = rows(tmp_path / "b.jsonl", texts(900, 2), seed=2)
    found = audit(one, "--against", two, "--attribute", "region")[1]
    north = [Path(path).read_text().count("north") / count for path, count in ((one, 400), (two, 900))]
    assert [*found["attribute_shares"]["region"]["north"].values()] == north
    signal = next(each for each in found["signals"] if each["name"] == "shift of region")
    assert signal["n"] == round(2 * 400 * 900 / 1300)


def test_columns_with_few_values_are_proposed_as_a_command_that_runs(tmp_path: Path) -> None:
    rows(tmp_path / "a.jsonl", texts(300, 1), seed=1)
    rows(tmp_path / "b.jsonl", texts(600, 2), seed=2)
    shown = run_in_process(tmp_path, "audit", "a.jsonl", "--against", "b.jsonl").stdout
    line = next(line for line in shown.splitlines() if "region (2 values)" in line)
    command = shlex.split(line.partition("selfsown ")[2])
    assert "shift of region" in run_in_process(tmp_path, *command).stdout


def test_the_smallest_p_is_a_limit_and_alarms_come_first(tmp_path: Path) -> None:
    rows(tmp_path / "a.jsonl", texts(300, 1), north=0.9, seed=1)
    rows(tmp_path / "b.jsonl", texts(600, 2), seed=2)
    shown = run_in_process(tmp_path, "audit", "a.jsonl", "--against", "b.jsonl", "--attribute", "region").stdout
    assert shown.startswith("Not safe to train on: shifted region balance")
    assert "<= 0.005" in shown
    results = re.findall(r"^.*[\d.]  +(alarm|no alarm|too few rows) *$", shown, re.MULTILINE)
    assert results[0] == "alarm"
    assert len(results) > 5
    assert "alarm" not in results[results.count("alarm") :]


def test_the_headline_names_every_kind_of_problem(tmp_path: Path) -> None:
    real = texts(600, 2)
    ours = [*real[:40], *[f"- {text}\n- {text[::-1]}" for text in texts(200, 1)], *texts(30, 3) * 3, *[""] * 40]
    one = rows(tmp_path / "a.jsonl", ours, north=0.9, seed=1)
    two = rows(tmp_path / "b.jsonl", real, seed=2)
    found = audit(one, "--against", two, "--attribute", "region")[1]
    assert re.fullmatch(
        r"Not safe to train on: [\d.]+ % copies of real rows, .*shifted region balance.*, other lengths",
        found["headline"],
    )
    assert {"duplicates", "blank rows"} <= {*found["headline"].split(", ")}
    assert found["headline"].count("%") == 1


def test_duplicates_of_all_rows_and_of_the_sample_are_told_apart(tmp_path: Path) -> None:
    one = rows(tmp_path / "a.jsonl", [*texts(800, 1), *texts(100, 1)], seed=1)
    two = rows(tmp_path / "b.jsonl", texts(600, 2), seed=2)
    found = audit(one, "--against", two, "--sample", "400")[1]
    assert "duplicate rows" in alarms(found)
    assert "22 % duplicates" in found["headline"]
    lines = [line for line in found["findings"] if "22 %" in line or "duplicate" in line]
    assert len(lines) == 1
    assert lines[0].startswith(
        "Duplicates: 22 % of all synthetic rows equal another one (real: 0 %); among 300 sampled"
    )


def test_a_value_that_became_rarer_is_a_shift_and_no_growth(tmp_path: Path) -> None:
    rows(tmp_path / "a.jsonl", texts(800, 1), north=0.4, seed=1)
    rows(tmp_path / "b.jsonl", texts(1600, 2), seed=2)
    shown = run_in_process(tmp_path, "audit", "a.jsonl", "--against", "b.jsonl", "--attribute", "region").stdout
    lines = shown.splitlines()
    assert next(line for line in lines if line.startswith("shift of region")).split()[-1] == "alarm"
    growth = next(line for line in lines if line.startswith("growth of north in region "))
    assert growth.split()[-2:] in (["no", "alarm"], ["few", "rows"])
    assert any(line.startswith("Shift: ") and "where it has become rarer" in line for line in lines)
