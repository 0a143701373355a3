"""Shares are those of all rows; what to check for bias is proposed; findings are ordered, worst first."""

from __future__ import annotations

import shlex
from pathlib import Path

from auditing import audit, rows, texts
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
    table = [line for line in shown.splitlines() if line.endswith((" alarm ", " ok ", " alarm", " ok"))]
    assert [line.split()[-1] for line in table] == sorted(line.split()[-1] for line in table)
