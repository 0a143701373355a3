"""Rows to be audited, and audits of them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WORDS = [f"word{at}" for at in range(400)]
SHARES = [1 / (at + 1) for at in range(400)]


def texts(count: int, seed: int, length: int = 25, words: int = 400) -> list[str]:
    rng, known = random.Random(seed), [f"word{at}" for at in range(words)]
    shares = [1 / (at + 1) for at in range(words)]
    return [" ".join(rng.choices(known, shares, k=rng.randint(length // 2, length))) for _ in range(count)]


def rows(path: Path, said: Sequence[str], north: float = 0.6, seed: int = 0) -> str:
    """The texts as JSON lines, each in the north or the south."""
    rng = random.Random(seed)
    return records(path, [{"text": text, "region": "north" if rng.random() < north else "south"} for text in said])


def records(path: Path, each: Sequence[Mapping[str, object]]) -> str:
    path.write_text("\n".join(map(json.dumps, each)), encoding="utf-8")
    return str(path)


def audit(*words: str) -> tuple[int, dict[str, Any], str]:
    order = [sys.executable, "-m", "selfsown", "audit", *words, "--json"]
    ended = subprocess.run(order, capture_output=True, text=True)
    return ended.returncode, json.loads(ended.stdout) if ended.stdout else {}, ended.stderr


def alarms(found: Mapping[str, Any]) -> set[str]:
    return {each["name"] for each in found["signals"] if each["fires"]}
