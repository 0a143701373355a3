"""The end of `run` and `make`: rows that a person wants to see, and commands that work when they are pasted."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import folders
import made
import pytest
from command import run_in_process
from rich.cells import cell_len
from rich.console import Console

from selfsown.errors import RunFolderError
from selfsown.history import best_of
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.terminal.sample_rows import show_made_rows, show_run_rows
from selfsown.text.excerpt import excerpt
from testing.mock_server import Server

WIDTH, MAX_LINES = 80, 14


def output_of(folder: Path, seed: int = 0) -> list[str]:
    out = io.StringIO()
    show_made_rows(folder, seed, Console(file=out, width=WIDTH))
    lines = out.getvalue().splitlines()
    assert len(lines) <= MAX_LINES
    return lines


def documents(texts: Sequence[str]) -> list[Row]:
    return [
        Row("", text, origin="synthetic", method="propose", generation=1, sample_index=index).kept()
        for index, text in enumerate(texts)
    ]


def test_short_documents_share_lines(tmp_path: Path) -> None:
    names = [f"{a}{b}" for a in ("Velo", "Eco", "Zen", "Aqua", "Luma") for b in ("Rack", "Kit", "Loop", "Pack", "Lamp")]
    folder = made.folder(tmp_path / "made", documents(names))
    lines = output_of(folder)
    assert lines[0] == "10 kept rows:"
    shown = [name for line in lines[1:-2] for name in line.strip().split(" · ")]
    assert len(lines) <= 5
    assert len(set(shown)) == 10
    assert set(shown) <= set(names)
    assert len({name[:3] for name in shown}) == 5, "varied"
    assert lines == output_of(folder)
    assert lines[1:] != output_of(folder, seed=1)[1:]
    assert lines[-2] == f"Next: selfsown export {folder} made-data --format text"


def test_a_row_is_one_line_with_prompt_and_answer_cut_at_words(tmp_path: Path) -> None:
    rows = [
        made.judged(1, prompt="why is\nthe sky blue? " * 20, answer="because " * 5000),
        made.judged(2, prompt="字" * 200, answer="字" * 200),
        made.judged(3, prompt="hi", answer="👩‍👩‍👧‍👦 family " * 20),
        made.judged(4, prompt="\x1b[31mred\u202e", answer="short"),
        made.judged(5, 0.0),
    ]
    lines = output_of(made.folder(tmp_path / "made", rows))
    assert lines[0] == "4 kept rows:"
    shown = lines[1:5]
    assert all(line.startswith("  ") and " → " in line and cell_len(line) <= WIDTH for line in shown)
    assert all(part.endswith("…") for line in shown if "sky" in line for part in line.split(" → "))
    assert not any(set(line) & {"\x1b", "\u202e"} for line in shown)
    assert any("\\x1b[31mred" in line and line.endswith("→ short") for line in shown)


def test_without_a_kept_row_three_rejected_ones_are_shown_with_reasons(tmp_path: Path) -> None:
    rows = [made.judged(index, 0.0, ("dull", "wrong")[index % 2]) for index in range(9)]
    lines = output_of(made.folder(tmp_path / "made", rows))
    assert lines[0] == "No row was kept; 3 of the rejected ones:"
    assert {"    judge: dull", "    judge: wrong"} <= set(lines)
    assert lines[-1].startswith("Next: selfsown explain ")
    failed = output_of(made.folder(tmp_path / "failed", [made.row(1).failed("an empty answer")]))
    assert failed[:1] + failed[2:3] == ["No row was kept; 1 of the failed ones:", "    an empty answer"]


def test_the_commands_that_make_prints_can_be_pasted(tmp_path: Path) -> None:
    with Server(say=made.say) as server:
        made.recipe(tmp_path, server)
        done = run_in_process(tmp_path, "make", "mine.yaml", "my rows")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    commands = [line[len("Next: ") :] for line in lines if line[len("Next: ") :].startswith("selfsown ")]
    assert len(commands) == 2
    for command in commands:
        program, *arguments = shlex.split(command)
        pasted = run_in_process(tmp_path, *arguments)
        assert (program, pasted.returncode) == ("selfsown", 0), pasted.stderr
    assert (tmp_path / "my rows-data" / "README.md").exists()


def test_run_shows_rows_of_its_best_generation(tmp_path: Path) -> None:
    folder = folders.run(tmp_path / "run", goal="loss", generate=[{"propose": {"count": 30}}])
    history = RunFolder(folder).generations()
    out = io.StringIO()
    recipe = Recipe.load("first", ["goal=loss"])
    show_run_rows(folder, recipe, history, Console(file=out, width=WIDTH))
    best = best_of(history, "loss").number or max(g.number for g in history if g.counts.get("kept"))
    lines = out.getvalue().splitlines()
    assert re.fullmatch(rf"\d+ rows that generation {best}(, the best,)? kept:", lines[0])
    kept = {excerpt(row.answer, 60) for row in RunFolder(folder).rows(f"generation-{best:02d}/rows") or []}
    assert {line.rpartition(" → ")[2] for line in lines[1:-2]} <= kept


@pytest.mark.parametrize(
    ("text", "size", "short"),
    [
        ("hello big world", 15, "hello big world"),
        ("hello big world", 12, "hello big…"),
        ("one\n\ttwo", 20, "one two"),
        ("a" * 30, 10, "a" * 9 + "…"),
        ("", 10, ""),
        (" " * 500 + "late", 10, "…"),
    ],
)
def test_an_excerpt_ends_between_words(text: str, size: int, short: str) -> None:
    assert excerpt(text, size) == short


def test_an_excerpt_fits_the_columns_of_a_terminal() -> None:
    assert excerpt("字" * 30, 10, cell_len) == "字字字字…"


def test_a_damaged_file_of_rows_is_one_line(tmp_path: Path) -> None:
    folder = made.folder(tmp_path / "made", [made.judged(1)])
    (folder / "rows.parquet").write_bytes(b"[1, 2]")
    with pytest.raises(RunFolderError, match=r"rows\.parquet is damaged"):
        output_of(folder)
