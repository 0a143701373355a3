"""Prompts for the recipe follow: the short instructions of Self-Instruct's seed tasks (Wang et al. 2023, Apache 2.0).

    python examples/seed_tasks.py self_instruct_seed_tasks.jsonl prompts.jsonl

Instructions of at most 200 characters; of these, the human answer where there is no further input and it has at most
160 characters.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PROMPT_CHARACTERS, ANSWER_CHARACTERS = 200, 160


def main(tasks: Path, prompts: Path) -> None:
    """Write a prompt a line, some with their answers."""
    rows = []
    for line in tasks.read_text(encoding="utf-8").splitlines():
        task = json.loads(line)
        row, first = {"prompt": task["instruction"]}, task["instances"][0]
        if len(row["prompt"]) > PROMPT_CHARACTERS:
            continue
        if not first["input"] and len(first["output"]) <= ANSWER_CHARACTERS:
            row["answer"] = first["output"]
        rows.append(json.dumps(row))
    prompts.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or not Path(sys.argv[1]).is_file():
        sys.exit("usage: python examples/seed_tasks.py SEED_TASKS.jsonl PROMPTS.jsonl")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
