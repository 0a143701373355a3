"""`make` with curators of texts: what a teacher should not have written is rejected with the reason, and explained."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from command import run_in_process

from selfsown.run_folder import RunFolder
from testing.fake_secrets import credentials
from testing.mock_server import Server

PROMPTS = 84
SPANISH = "El tren sale a las ocho de la mañana y llega por la tarde, así que podemos visitar el museo antes de comer."
KEYS = list(credentials(random.Random(5)).values())
WANTED = {1: "language", 2: "toxicity", 3: "secrets", 4: "quality", 5: "personal_names"}  # by what the prompt asks for


def answer(number: int) -> str:
    draw = random.Random(number)
    what, place = draw.choice(["apples", "old books", "candles"]), draw.choice(["market", "station", "school"])
    return (
        f"The shop near the {place} sold {draw.randrange(2, 90)} {what} on that day. "
        f"It opened at {draw.randrange(6, 11)} in the morning and closed in the evening."
    )


def say(prompt: str, body: dict[str, Any]) -> str:
    number = int(prompt.split()[-1][:-1])
    spoiled = {
        1: SPANISH,
        2: f"What a stupid question, you idiot. {answer(number)}",
        3: f"{answer(number)} The key is {KEYS[number % len(KEYS)]}.",
        4: f"{answer(number)}{' It sold the apples again and again.' * 9}",
        5: f"{answer(number)} Ask Margaret Holloway.",
    }
    return spoiled.get(number % 6, answer(1000 + number))


def test_each_curator_rejects_what_it_is_for(tmp_path: Path) -> None:
    lines = [{"prompt": f"What did the shop sell on day {at}?", "answer": answer(at)} for at in range(PROMPTS)]
    (tmp_path / "real.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with Server(say=say) as server:
        recipe = {
            "real": "real.jsonl",
            "teacher": {"endpoint": {"url": server.url, "model": "m"}},
            "generate": ["sample"],
            "grade": [],
            "curate": ["language", {"toxicity": {"max_share": 0.01}}, "secrets", "personal_names", "quality"],
            "held_out": 0,
        }
        (tmp_path / "mine.yaml").write_text(json.dumps(recipe), encoding="utf-8")
        made = run_in_process(tmp_path, "make", "mine.yaml", "out")
    assert made.returncode == 0, made.stderr
    rows = list(RunFolder(tmp_path / "out").rows("rows") or [])
    counts = Counter((int(row.prompt.split()[-1][:-1]) % 6, row.reason.partition(":")[0]) for row in rows)
    for kind, method in WANTED.items():
        total = sum(count for (wanted, _), count in counts.items() if wanted == kind)
        assert counts[kind, method] == total > 0, f"{method}: {counts}"
    kept = counts[0, ""]
    assert kept >= 0.9 * sum(count for (wanted, _), count in counts.items() if wanted == 0)
    rejected = next(row for row in rows if row.reason.startswith("secrets"))
    explained = run_in_process(tmp_path, "explain", "out", rejected.id)
    assert "rejected: secrets: its answer has a secret" in explained.stdout
