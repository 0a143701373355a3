"""The example that turns seed tasks into prompts keeps short instructions, and short answers that need no input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "seed_tasks.py"


def task(instruction: str, given: str, output: str) -> str:
    return json.dumps({"instruction": instruction, "instances": [{"input": given, "output": output}]})


def test_prompts_are_short_and_answers_need_no_input(tmp_path: Path) -> None:
    lines = [task("Say hi.", "", "Hi!"), task("Sum up.", "a text", "It is one."), task("x" * 201, "", "no")]
    lines.append(task("Write much.", "", "y" * 161))
    (tmp_path / "tasks.jsonl").write_text("\n".join(lines), encoding="utf-8")
    subprocess.run([sys.executable, SCRIPT, "tasks.jsonl", "prompts.jsonl"], cwd=tmp_path, check=True)
    rows = [json.loads(line) for line in (tmp_path / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [{"prompt": "Say hi.", "answer": "Hi!"}, {"prompt": "Sum up."}, {"prompt": "Write much."}]
    assert subprocess.run([sys.executable, SCRIPT], capture_output=True, check=False).returncode == 1
