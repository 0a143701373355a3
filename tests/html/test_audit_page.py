"""The page of an audit: five examples before a fold, prompt and answer joined by an arrow, names beside the lines."""

from __future__ import annotations

import json
import random
import re

import pytest
from command import run_in_process
from pages import Page, landmarks


def rows(count: int, seed: int, words: int = 60) -> list[dict[str, str]]:
    rng = random.Random(seed)
    return [
        {
            "prompt": f"what happens in place {rng.randrange(10**6)}",
            "answer": f"{' '.join(f'word{rng.randrange(words)}' for _ in range(20))}\nand so it ends",
        }
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("audit")
    real, fresh = rows(400, 1), rows(150, 2, 12)
    exam = [f"which of the {at} planets is it that has the longest day of all" for at in range(12)]
    synthetic = [*fresh, *fresh[:40], *fresh[:20], *real[:20], *({"prompt": each, "answer": "yes"} for each in exam)]
    for name, content in (("a.jsonl", synthetic), ("b.jsonl", real)):
        (folder / name).write_text("\n".join(map(json.dumps, content)), encoding="utf-8")
    (folder / "exam.txt").write_text("\n".join(exam), encoding="utf-8")
    options = ["--against", "b.jsonl", "--benchmark", "exam.txt", "--html", "audit.html"]
    assert run_in_process(folder, "audit", "a.jsonl", *options).returncode == 4
    return (folder / "audit.html").read_text(encoding="utf-8")


def test_examples_after_the_fifth_are_folded(text: str) -> None:
    unfolded = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    shown = re.findall(r'<table class="examples">(.*?)</table>', unfolded, re.DOTALL)
    counts = [table.count('<th scope="row">') for table in shown]
    assert max(counts) == 5
    assert counts.count(5) >= 2
    assert "<summary>7 more</summary>" in text  # of twelve benchmark questions
    assert len(landmarks(Page(text))) == len(set(landmarks(Page(text))))


def test_prompt_and_answer_are_joined_by_an_arrow(text: str) -> None:
    assert "␊" not in text
    assert re.search(r"what happens in place \d+ → word\d+", text)
    assert "↵ and so it ends" in text


def test_no_line_of_the_plot_runs_through_the_names(text: str) -> None:
    drawing = text[text.index('<svg viewBox="0 0 340 ') :].partition("</svg>")[0]
    lines = re.findall(r'd="M ([\d.]+) ([\d.]+)\s*L ([\d.]+) ([\d.]+)\s*"', drawing)
    vertical = [abs(float(y) - float(to)) for x, y, same, to in lines if x == same]
    assert len(vertical) >= 3
    assert max(vertical) < 30, vertical
