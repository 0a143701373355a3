"""The progress line fits every terminal, the most important first; and lines and tables break at words alone."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from selfsown import progress
from selfsown.terminal.layout import print_line, print_table, table
from selfsown.terminal.progress import State, StepState, fields, one_line
from selfsown.text.durations import duration

STATE = State(
    0.45,
    200,
    754,
    "$12.34",
    ["generation 10 of 10, generate", "generation 10, generate", "gen 10, generate"],
    ["1 of 2"],
)
COMMAND = "selfsown export made/rec OUT --format sharegpt"


def printed(width: int, text: str, is_terminal: bool = True) -> list[str]:
    out = io.StringIO()
    print_line(Console(file=out, width=width, force_terminal=is_terminal, no_color=True), text)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", range(40, 140, 5))
def test_bar_time_and_money_are_on_every_line_and_no_line_is_longer_than_the_terminal(width: int) -> None:
    bar, text = fields(STATE, width)
    assert bar + 1 + len(text) <= width
    assert text.startswith("45 %  13 min left  $12.34")
    if width >= 60:
        assert "10, generate" in text


def test_a_log_has_the_whole_line() -> None:
    assert one_line(STATE) == "45 % · 13 min left · $12.34 · generation 10 of 10, generate · 1 of 2"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_line_breaks_at_words_and_never_within_a_command_or_a_path(width: int) -> None:
    text = (
        f"Rows are in {'folder/' * 12}rows.parquet, and `{COMMAND}` writes them; see the page (selfsown cost made/rec)"
    )
    lines = printed(width, text)
    assert " ".join(line.strip() for line in lines) == text
    assert any(f"`{COMMAND}`" in line for line in lines)
    assert any("(selfsown cost made/rec)" in line for line in lines)
    assert all(len(line) <= width for line in lines if "rows.parquet" not in line)
    assert printed(width, text, is_terminal=False) == [text]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100])
def test_no_word_of_a_table_is_cut_at_any_width(width: int) -> None:
    grid = table("", ("gen", "kept", "rejected", "accuracy", "verdict"), left=0, wrap=("verdict",), drop=("rejected",))
    grid.add_row("10", "12,706", "1,234", "0.812", "rolled back: regression, collapse")
    out = io.StringIO()
    print_table(Console(file=out, width=width, force_terminal=True, no_color=True), grid)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert all(len(line) <= width for line in plain.splitlines())
    for word in ("12,706", "0.812", "rolled", "regression,", "collapse"):
        assert word in plain


def test_steps_within_steps_refine_the_share_and_say_what_is_done() -> None:
    now = 0.0
    with progress.watched() as root:
        state = StepState(root, lambda: now)
        assert state().activities[0] == "starting"
        with progress.step("measuring judge", 2) as passes:
            state()
            passes.done += 1
            now = 10.0
            with progress.step(total=40, unit="replies") as replies:
                replies.done = 20
                shown = state()
        assert state().activities[0] == "finishing"
    assert (shown.share, shown.activities[0], shown.details) == (0.75, "measuring judge", ["20 of 40 replies"])
    assert shown.seconds_left == pytest.approx(10 / 3)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (44, "45 s"), (807, "13 min"), (4800, "80 min"), (7300, "2 h 2 min")]
)
def test_durations_are_in_units_that_a_person_reads(seconds: float, text: str) -> None:
    assert duration(seconds) == text
