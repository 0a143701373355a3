"""Copies of real rows, near duplicates, duplicate answers, and blank rows."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from auditing import alarms, audit, records, rows, texts

from selfsown.text.near_duplicates import near_duplicate_groups


def test_memorized_rows_are_copies(tmp_path: Path) -> None:
    real = texts(800, 2)
    two = rows(tmp_path / "b.jsonl", real)
    for at, copied in enumerate((real[:400], [f"{text} !" for text in real[:400]])):
        one = rows(tmp_path / f"{at}.jsonl", copied)
        code, found, _ = audit(one, "--against", two)
        assert (code, alarms(found)) == (4, {"copies of real rows"})
        assert "Not safe to train on: 100 % copies of real rows" in found["headline"]
        (copies,) = (finding for finding in found["findings"] if finding.startswith("Copies: "))
        assert "among 400 sampled rows, 100 % are copies or near copies" in copies
        assert set(found["examples"]["copies"]) <= set(range(1, 401))
    assert "copies of real rows" not in alarms(audit(one, "--against", two, "--max-copies", "1.5")[1])


def test_near_copies_do_not_hide_lost_tails(tmp_path: Path) -> None:
    real = texts(2000, 1, words=3000)
    two = rows(tmp_path / "b.jsonl", real)
    one = rows(tmp_path / "a.jsonl", [*(f"{text} !" for text in real[:250]), *texts(750, 5, words=300)])
    assert alarms(audit(one, "--against", two)[1]) >= {"copies of real rows", "tails lost"}


def test_near_duplicates_found_at_any_length() -> None:
    rng = random.Random(0)
    for length in (30, 400):
        said = texts(300, length, length, words=3000)
        near = [text[: (at := rng.randrange(len(text)))] + "x" + text[at:] for text in said]
        codes = near_duplicate_groups([*said, *near, *texts(300, length + 1, length, words=3000)])
        assert np.mean(codes[:300] == codes[300:600]) > 0.95
        assert len({*codes[:300]} & {*codes[600:]}) <= 1


def test_the_same_answers_to_many_prompts(tmp_path: Path) -> None:
    answers = texts(1000, 3)
    asked = [{"prompt": prompt, "answer": answer} for prompt, answer in zip(texts(1000, 2), answers, strict=True)]
    two = records(tmp_path / "b.jsonl", asked)
    few = [{"prompt": prompt, "answer": answers[at % 40]} for at, prompt in enumerate(texts(400, 4))]
    code, found, _ = audit(records(tmp_path / "a.jsonl", few), "--against", two)
    assert code == 4
    assert alarms(found) >= {"duplicate answers", "copies of real answers", "tails lost in answers"}
    assert not alarms(found) & {"duplicate rows", "copies of real rows"}
    fresh = zip(texts(500, 5), texts(500, 6), strict=True)
    one = records(tmp_path / "a.jsonl", [{"prompt": prompt, "answer": answer} for prompt, answer in fresh])
    assert not alarms(audit(one, "--against", two)[1])


@pytest.mark.parametrize("prompt", [True, False])
def test_blank_rows(prompt: bool, tmp_path: Path) -> None:
    def made(name: str, seed: int, count: int, blank: float) -> str:
        said = [text if at >= blank * count else (None, " ")[at % 2] for at, text in enumerate(texts(count, seed))]
        if not prompt:
            return records(tmp_path / name, [{"text": text} for text in said])
        asked = texts(count, seed + 10)
        return records(tmp_path / name, [{"prompt": p, "answer": a} for p, a in zip(asked, said, strict=True)])

    two = made("b.jsonl", 2, 800, 0.01)
    code, found, _ = audit(made("a.jsonl", 1, 400, 0.5), "--against", two)
    assert code == 4
    assert found["rows"]["synthetic"] == 400
    assert found["blank_rows"] == {"synthetic": 200, "real": 8}
    assert "blank rows" in alarms(found)
    assert "50 % blank rows" in found["headline"]
    assert set(found["examples"]["blank"]) <= set(range(1, 201))
    code, found, _ = audit(made("a.jsonl", 1, 400, 0.01), "--against", two)
    assert "blank rows" not in alarms(found)
