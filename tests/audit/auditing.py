"""Rows for audits, and the audit command."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from command import run_in_process

WORDS = [f"word{at}" for at in range(400)]
SHARES = [1 / (at + 1) for at in range(400)]


def texts(count: int, seed: int, length: int = 25, words: int = 400) -> list[str]:
    rng, known = random.Random(seed), [f"word{at}" for at in range(words)]
    shares = [1 / (at + 1) for at in range(words)]
    return [" ".join(rng.choices(known, shares, k=rng.randint(length // 2, length))) for _ in range(count)]


def rows(path: Path, texts: Sequence[str], north: float = 0.6, seed: int = 0) -> str:
    """The texts as JSON lines, each in the north or the south."""
    rng = random.Random(seed)
    return records(path, [{"text": text, "region": "north" if rng.random() < north else "south"} for text in texts])


def records(path: Path, values: Sequence[Mapping[str, object]]) -> str:
    path.write_text("\n".join(map(json.dumps, values)), encoding="utf-8")
    return str(path)


def audit(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, result and standard error of an audit within this process, which does not import everything again."""
    ended = run_in_process(Path(), "audit", *arguments, "--json")
    return ended.returncode, json.loads(ended.stdout) if ended.stdout else {}, ended.stderr


def alarms(result: Mapping[str, Any]) -> set[str]:
    return {signal["name"] for signal in result["signals"] if signal["is_alarm"]}
