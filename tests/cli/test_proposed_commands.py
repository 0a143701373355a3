"""A command that an output or a page proposes can be pasted as it is."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import made
import pytest
from command import run_in_process, written

from selfsown.cli.app import app
from selfsown.recipe.loader import shipped_recipes
from testing.mock_server import Server

# From the name of the tool to the end of the line, of `…`, of (…), or of an element of a page.
COMMAND = re.compile(r"\bselfsown [a-z]+(?: (?!\()[^\n`<)]*)?")
LONG = ("prove", "calibrate")  # not run here


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, list[str]]]]:
    """A folder in which commands have run, and all commands that each proposed, on its terminal and its page."""
    folder, found = tmp_path_factory.mktemp("proposed"), dict[str, list[str]]()

    for name in ("a", "b"):
        lines = [{"text": f"{name} line {at} of it", "region": ("north", "south")[at % 2]} for at in range(300)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Server(say=made.say) as server:
        made.recipe(folder, server)
        tree = json.loads((folder / "mine.yaml").read_text())
        del tree["teacher"]["endpoint"]["price"]
        (folder / "judged.yaml").write_text(json.dumps({**tree, "grade": ["judge"]}))
        written(folder, control=True, generations=1)
        for words in (
            ("run", "mine.yaml"),
            ("run", "mine.yaml", "runs/without", "--set", "control=false"),
            ("preview", "judged.yaml", "--html", "preview.html", "--set", "seed=1"),
            ("estimate", "judged.yaml"),
            ("make", "judged.yaml"),
            ("make", "judged.yaml", "made/none", "--set", "curate=[min_score: {min_score: 1}]"),
            ("cost", "made/judged"),
            ("report", "made/judged"),
            ("audit", "a.jsonl", "--against", "b.jsonl", "--html", "audit.html"),
        ):
            done = run_in_process(folder, *words)
            assert done.returncode in (0, 4, 5), done.stderr
            found[shlex.join(words)] = commands(done.stdout + done.stderr)
        for page in folder.rglob("*.html"):
            found[page.relative_to(folder).as_posix()] = commands(page.read_text(encoding="utf-8"), is_page=True)
        yield folder, found


def commands(text: str, is_page: bool = False) -> list[str]:
    """The commands in a text; a word of the tool that is no command does not count."""
    found = (match[0].strip() for match in COMMAND.finditer(text))
    named = [command for command in found if command.split()[1] in {*app}]
    return [html.unescape(command).rstrip(".") if is_page else command for command in named]


def test_every_kind_of_output_proposes_what_comes_next(proposed: tuple[Path, dict[str, list[str]]]) -> None:
    _, found = proposed
    kinds = {command.split()[1] for texts in found.values() for command in texts}
    assert kinds >= {"prove", "explain", "export", "cost", "calibrate", "audit"}, found


def test_every_proposed_command_can_be_pasted(proposed: tuple[Path, dict[str, list[str]]]) -> None:
    folder, found = proposed
    for command in sorted({command for texts in found.values() for command in texts}):
        _, name, *words = shlex.split(command)
        app.parse_args([name, *words], exit_on_error=False, print_error=False)
        assert not re.search(r"(?<![\w-])[A-Z]{2,}\b|…", command), f"a placeholder: {command}"
        first = next((word for word in words if not word.startswith("-")), "")
        assert (folder / first).exists() or first in shipped_recipes(), command
        if name not in LONG:
            done = run_in_process(folder, name, *words)
            assert done.returncode != 2, (command, done.stderr)
