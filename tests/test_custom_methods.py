"""The ways of the user's own that docs/recipes.md shows are run as they stand there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from command import run_in_process
from command import written as recipe_written
from small import FIRST, TINIEST

from selfsown.run_folder import RunFolder
from testing.mock_server import Server

PAGE = Path(__file__).parent.parent / "docs" / "recipes.md"
_FILE = re.compile(r"`([\w.]+)`(?:, for `selfsown make mine.yaml`)?:\n\n```(?:python|yaml)\n(.*?)```", re.DOTALL)


def written(folder: Path) -> dict[str, str]:
    """The files that the section shows, written to the folder."""
    found = dict(_FILE.findall(PAGE.read_text(encoding="utf-8").partition("## Custom methods")[2]))
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")
    return found


def say(prompt: str, body: dict[str, Any]) -> str:
    question = prompt.splitlines()[2]
    return f"So, {question}" if "friendly" in prompt and "0" not in question else "I will not ask that."


def test_the_docs_show_a_generator_a_grader_a_test_and_a_recipe_each_short(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert list(found) == ["reword.py", "asks.py", "test_asks.py", "mine.yaml"]
    assert all(len(text.splitlines()) < 30 for text in found.values())
    order = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_asks.py"]
    assert "1 passed" in subprocess.run(order, cwd=tmp_path, capture_output=True, text=True, check=False).stdout


def test_they_run_beside_the_recipe_as_ours_do(tmp_path: Path) -> None:
    written(tmp_path)
    lines = [json.dumps({"prompt": f"what is {at} + 1?", "answer": f"{at + 1}"}) for at in range(25)]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with Server(say=say) as server:
        there = ("--set", f"teacher.endpoint.url={server.url}", "--set", "teacher.endpoint.model=m")
        done = run_in_process(tmp_path, "make", "mine.yaml", *there)
    assert done.returncode == 0, done.stderr
    rows = RunFolder(tmp_path / "made" / "mine").rows("rows") or []
    kept = [row for row in rows if row.status == "kept"]
    assert {(row.prompt, row.answer) for row in kept} == {
        (f"So, what is {at} + 1?", f"{at + 1}") for at in range(25) if at not in (0, 10, 20)
    }
    assert {row.reason for row in rows if row.status == "rejected"} == {"asks: no question of at most 200 characters"}
    assert {row.method for row in rows} == {"reword"}


def test_a_student_of_the_user_s_own_needs_no_torch(tmp_path: Path) -> None:
    recipe_written(tmp_path)
    code = "import sys; sys.modules['torch'] = None; from selfsown.cli import main; main()"
    order = [sys.executable, "-c", code, "run", "mine.yaml", "run", "--no-report"]
    subprocess.run(order, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "run" / "result.json").exists()


def test_the_embedded_student_trains_without_torch_s_compiler(tmp_path: Path) -> None:
    """Which takes two seconds to import, longer than a small run."""
    code = (
        "import sys; sys.modules['torch._dynamo'] = None; from pathlib import Path; from selfsown.loop import run; "
        "from selfsown.recipe.recipe import Recipe; run(Recipe.load('first', sys.argv[1:]), Path('run'))"
    )
    order = [sys.executable, "-c", code, *FIRST, *TINIEST]
    subprocess.run(order, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "run" / "result.json").exists()
