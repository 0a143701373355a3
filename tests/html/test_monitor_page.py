"""The monitor on the page: the status in the headline, the reason, each signal, and what was not measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import folders
import pytest
from pages import Page, page

from selfsown.html.formatting import number_ranges
from selfsown.html.report import write
from selfsown.records import Signal, Verdict
from selfsown.run_folder import RunFolder

TAILS = Signal("tails lost", "creativity", 0.25, 0.19, 0.31, 0.005, 0.1, 0.04, 996, "%", True)
SHIFT = Signal("shift of style", "bias", 0.03, -0.01, 0.04, 0.2, 0.05, 0.05, 996, "points")
ODDS = Signal("log-odds of style=a", "bias", 0.12, -0.1, 0.3, 0.4, 0.2, 0.26, 996, "of log-odds")
LOSS = Signal("held-out loss", "function", 0.01, -0.01, 0.03, 0.4, 0.02, 0.05, 2000, "%")
RED = Verdict(False, "RED: creativity: tails", "monitor", {}, "red", (TAILS, SHIFT, ODDS))
AMBER = Verdict(True, "AMBER: creativity: tails", "monitor", {}, "amber", (TAILS, SHIFT))
GREEN = Verdict(True, "GREEN: nothing drifted", "monitor", {}, "green", (LOSS,))
UNKNOWN = Verdict(True, "unknown; creativity and bias not measured: too few", "monitor")


def shown(folder: Path, said: Mapping[int, list[Verdict]], rollback: bool = True) -> Page:
    """The page of the run, had its guards said this of its generations."""
    for number, verdicts in said.items():
        file = folder / f"generation-0{number}" / "generation.json"
        found = json.loads(file.read_text(encoding="utf-8")) | {"rollback_enabled": rollback}
        file.write_text(json.dumps(found | {"verdicts": [asdict(each) for each in verdicts]}), encoding="utf-8")
    with (folder / "recipe.yaml").open("a", encoding="utf-8") as recipe:
        recipe.write("" if rollback else "rollback: false\n")
    return page(folder)


def classes(found: Page) -> list[str | None]:
    statuses = {"red", "amber", "unknown", "green"}
    return [name for tag, attributes in found.elements if tag == "li" and (name := attributes.get("class")) in statuses]


def test_without_a_monitor_there_is_no_section(ran: Path) -> None:
    assert "Monitor: creativity, bias and function" not in page(ran).text


def test_every_signal_is_in_the_table_with_its_definition(folder: Path) -> None:
    gap = replace(TAILS, name="tails lost to real rows", family="gap", value=0.5, low=0.4, high=0.6)
    red = replace(RED, signals=(*RED.signals, gap, LOSS))
    found = shown(folder, {1: [AMBER], 2: [red]})
    text = found.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Rolled back: generation 2 by monitor." in text
    for line in (
        "tails lost (alarm)|+25.00 %|[+19.00, +31.00]|10 %|0.005|4 %|2 × 996 texts",
        "shift of style|+3.00|[-1.00, +4.00]|5|0.2|5|2 × 996 texts",
        "log-odds of style=a|+0.12|[-0.10, +0.30]|0.2|0.4|0.26|2 × 996 texts",
        "held-out loss|+1.00 %|[-1.00, +3.00]|2 %|0.4|5 %|2,000 held-out rows",
        "difference|tails lost to real rows|+50.00 %|[+40.00, +60.00]|–|0.005|4 %|2 × 996 texts",  # raises no alarm
    ):
        assert line.replace("|", "") in text
    for word in ("Holm's correction", "permutation of whole texts", "over several models", "at most 24"):
        assert word in text


def test_status_and_reason_are_in_the_text(folder: Path) -> None:
    found = shown(folder, {1: [AMBER], 2: [RED]})
    assert classes(found) == ["amber", "red"]
    assert "Generation 1, amber: creativity: tails Generation 2, red: creativity: tails" in found.text


@pytest.mark.parametrize(
    ("said", "rollback", "words"),
    [
        ({1: [AMBER], 2: [RED]}, False, "Red: less varied in generation 2."),
        ({1: [AMBER], 2: [RED]}, True, "Amber: less varied in generation 1; red was rolled back."),
        ({1: [RED], 2: [RED]}, False, "Red: less varied in both generations."),
        ({1: [GREEN], 2: [UNKNOWN]}, True, "The monitor status is unknown in generation 2."),
        ({1: [UNKNOWN], 2: [UNKNOWN]}, True, "The monitor status is unknown in both generations."),
        ({1: [RED], 2: [RED]}, True, "Every generation was rolled back. Red: less varied in both generations."),
    ],
)
def test_the_status_is_in_the_headline(
    folder: Path, said: dict[int, list[Verdict]], rollback: bool, words: str
) -> None:
    assert words in shown(folder, said, rollback).text


def test_a_generation_that_was_rolled_back_is_no_outcome(folder: Path) -> None:
    worse = folder / "generation-02" / "generation.json"
    said = json.loads(worse.read_text(encoding="utf-8"))
    for score in said["scores"]:
        score |= {"value": 0.0123, "low": 0.0, "high": 0.02} if score["name"] == "accuracy" else {}
    worse.write_text(json.dumps(said), encoding="utf-8")
    text = shown(folder, {1: [RED], 2: [RED]}).text
    lead = text[text.index("Every generation was rolled back") : text.index("Limitations")]
    assert "No later generation was accepted: the model of generation 0 is kept." in lead
    assert "0.012" not in lead
    assert "fell from" not in text


def test_an_unknown_status_is_shown(folder: Path) -> None:
    found = shown(folder, {1: [UNKNOWN], 2: [UNKNOWN]})
    assert classes(found) == ["unknown", "unknown"]
    assert "Both generations, unknown: creativity and bias not measured: too few" in found.text
    assert (
        "The monitor measured nothing. Not measured in both generations: creativity, bias and function." in found.text
    )
    assert "every generation is accepted" not in found.text
    assert "green in" not in found.text


def test_only_what_was_measured_is_said_to_be(folder: Path) -> None:
    text = shown(folder, {1: [GREEN], 2: [RED]}, rollback=False).text
    assert "Creativity, bias and function were measured: red in generation 2; green in generation 1." in text
    assert "Not measured in generation 1: creativity and bias. Not measured in generation 2: function." in text
    only = replace(AMBER, signals=(TAILS, LOSS))
    text = shown(folder, {1: [only], 2: [only]}).text
    assert "Creativity and function were measured: amber in both generations." in text
    assert "Not measured in both generations: bias, as no attribute is configured." in text


def test_bias_that_a_monitor_measured_is_not_said_to_be_unmeasured(folder: Path) -> None:
    text = shown(folder, {1: [AMBER], 2: [AMBER]}).text
    assert "Bias was measured in unconditional samples of the model" in text
    assert "Bias was not measured" not in text


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_monitors_the_worse_status_counts_and_both_are_shown(folder: Path, turned: bool) -> None:
    said = [RED, replace(GREEN, signals=(LOSS, replace(TAILS, significant=False)))]
    found = shown(folder, {1: [AMBER], 2: said[::-1] if turned else said}, rollback=False)
    assert classes(found) == ["amber", "red"]
    assert "Generation 2, red: creativity: tails" in found.text
    assert "Generation 2, green: nothing drifted" in found.text
    assert "monitor 2: tails lost over generations" in found.text


def test_the_tolerance_is_drawn_over_the_grid(folder: Path) -> None:
    shown(folder, {1: [AMBER], 2: [AMBER]})
    text = write(folder).read_text(encoding="utf-8")
    start = text.index("<svg", text.rindex("panel-title", 0, text.index('id="signal-tails-20lost-desc"')))
    drawing = text[start : text.index("</svg>", start)]
    assert drawing.rindex("var(--rule)") < drawing.index("stroke-dasharray")


def test_consecutive_numbers_become_ranges() -> None:
    assert [number_ranges(each) for each in ([1], [1, 2], [1, 2, 3], [1, 3, 4, 5, 8])] == [
        "1",
        "1 and 2",
        "1 to 3",
        "1, 3 to 5 and 8",
    ]


def test_the_best_is_named_with_its_status(folder: Path) -> None:
    history = RunFolder(folder).generations()
    best = max(history, key=lambda each: score.value if (score := each.score(folders.GOAL)) else 0.0)
    found = shown(folder, {1: [AMBER], 2: [AMBER]}).text
    assert ("the best accepted generation (status: amber)" in found) == bool(best.number)


def test_a_guard_that_measured_nothing_is_named(folder: Path) -> None:
    mute, content = (
        Verdict(True, "not measured: …", "label_precision"),
        Verdict(True, "fine", "regression", {"fall": 0.0}),
    )
    found = shown(folder, {1: [content, mute], 2: [content, mute, Verdict(True, "fine", "./own.py")]}).text
    assert "No guard rejected a generation. label_precision measured nothing in both generations." in found
    assert "regression measured nothing" not in found
    assert "own.py measured nothing" not in found
