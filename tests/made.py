"""Folders of `make`: one with rows as a test wants them, and a recipe that a server on the loopback answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from selfsown.records import Grade, Row
from selfsown.run_folder import RunFolder
from testing.mock_server import Server


def folder(at: Path, rows: Iterable[Row], **recipe: Any) -> Path:
    """What `make` leaves of these rows, but for replies and real rows."""
    at.mkdir(parents=True)
    (at / ".make").touch()
    (at / "recipe.yaml").write_text(yaml.safe_dump({"name": "mine", "grade": ["judge"], **recipe}), encoding="utf-8")
    RunFolder(at).write_rows("rows", rows)
    return at


def row(index: int, prompt: str = "", answer: str = "", **fields: Any) -> Row:
    prompt, answer = prompt or f"what of {index}?", answer or f"answer {index}"
    return Row(
        prompt, answer, origin="synthetic", method="sample", source="m", generation=1, sample_index=index, **fields
    )


def judged(index: int, score: float = 1.0, reason: str = "well said", **fields: Any) -> Row:
    """A row with a grade: kept if it is good."""
    graded = row(index, **fields).graded(Grade(score, reason, "judge", "judge"))
    return graded.kept() if score >= 0.5 else graded.rejected(f"judge: {reason}")


def say(prompt: str, body: dict[str, Any]) -> str:
    """Every fourth prompt gets a bad answer, every ninth none."""
    if "response_format" in body:
        return json.dumps({"reason": "because", "score": 1 if "bad" in prompt else 5})
    number = int(prompt.strip("?").split()[-1])
    return "" if number % 9 == 0 else f"a {'bad' if number % 4 == 0 else 'good'} answer about {number}"


def recipe(at: Path, server: Server, **changes: Any) -> None:
    """mine.yaml and its prompts: 40, and a blank one, with a price for what they cost."""
    regions = ("north", "south")
    lines = [{"prompt": f"what of {index}?", "region": regions[index % 2]} for index in range(1, 41)]
    lines.append({"prompt": " ", "region": "north"})
    (at / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    there = {"endpoint": {"url": server.url, "model": "m", "price": {"input": 1000, "output": 1000}}}
    real = {"file": {"path": "prompts.jsonl", "attributes": ["region"]}}
    tree = {"real": real, "teacher": there, "generate": [{"sample": {"n": 1}}], "grade": ["judge"]}
    tree |= {"prepare": ["blank"], "curate": [{"min_score": {"min_score": 0.75}}], **changes}
    (at / "mine.yaml").write_text(json.dumps(tree), encoding="utf-8")
