"""The page of a run or of a comparison: its numbers are the folder's, and nobody's row can break it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import folders
import pytest
from pages import Page, page

from selfsown.history import best_of
from selfsown.html import row_flow
from selfsown.html.report import write
from selfsown.html.run_data import GeneratedRows, RunData
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder

HOSTILE = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=alert(1)> & \"quoted\" 'too' {{ 7 * 7 }}",
    "before\x00\x1b[31mafter",
    "\u202eright to left\u202c שלום עולם",
    "x" * 10_000,
    "$\\frac{1}{0}$",
)


def test_the_numbers_of_the_page_are_those_of_the_folder(ran: Path) -> None:
    found, history = page(ran).text, RunFolder(ran).generations()
    for generation in history:
        for score in generation.scores:
            assert f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]" in found
    counts = {end: sum(g.counts.get(end, 0) for g in history) for end in ("made", "kept", "rejected", "failed")}
    parts = " + ".join(f"{counts[end]:,} {end}" for end in ("kept", "rejected", "failed"))
    assert f"{counts['made']:,} generated = {parts}." in found
    assert "Inconsistent" not in found
    first = history[0].score(folders.GOAL)
    assert first
    assert f"on {first.n:,} test rows" in found


def test_a_rise_is_said_only_where_the_intervals_do_not_overlap_and_is_credited_to_nothing(folder: Path) -> None:
    file = folder / "generation-02" / "generation.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    headlines = {}
    for low in (0.9, 0.0):
        for score in said["scores"] + said["validation_scores"]:
            if score["name"] == "accuracy":
                score |= {"value": 0.95, "low": low, "high": 0.99}
        file.write_text(json.dumps(said), encoding="utf-8")
        headlines[low] = page(folder).text
    assert "Accuracy, finding the program, on " in headlines[0.9]
    assert "0053 becomes 1164, then 4611" in headlines[0.9]
    assert re.search(r"Accuracy rose from 0\.\d+ to 0\.950, without a control\.", headlines[0.9])
    assert "No change of accuracy beyond noise." in headlines[0.0]
    assert not any("helped" in text or "got better" in text for text in headlines.values())


def test_every_row_shown_is_of_the_folder_with_its_end_and_reason(ran: Path) -> None:
    rows = {row.id: row for at in (1, 2) for row in RunFolder(ran).rows(f"generation-0{at}/rows") or []}
    text = write(ran).read_text(encoding="utf-8")
    items = re.findall(r'<li data-status="(\w+)"[^>]* data-generation="(\d+)"[^>]*>(.*?)</li>', text, re.DOTALL)
    assert len(items) == len(rows)
    assert [end for end, _, _ in items] == sorted(
        (end for end, _, _ in items), key=("kept", "rejected", "failed").index
    )
    best = best_of(RunFolder(ran).generations(), folders.GOAL).number
    assert int(items[0][1]) == (best or 2)
    for end, number, body in items:
        row = rows[re.findall(r'<code class="id" dir="ltr">(\w{16})</code>', body)[0]]
        assert (row.status, row.generation) == (end, int(number))
        assert row.reason in Page(body).text


def test_the_page_is_one_document_that_loads_nothing(ran: Path) -> None:
    found = page(ran)
    assert [found.count(tag) for tag in ("h1", "main", "header", "footer", "link")] == [1, 1, 1, 1, 1]
    links = ("src", "href", "xlink:href", "srcset", "data", "action")
    named = [value or "" for _, attributes in found.elements for name, value in attributes.items() if name in links]
    assert all(value.startswith(("#", "data:")) for value in named)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = [attributes["aria-labelledby"] or "" for tag, attributes in found.elements if tag == "svg"]
    assert labels
    assert set(" ".join(labels).split()) <= set(ids)
    assert found.count("figure") == found.count("figcaption") > 3


def test_the_same_folder_gives_the_same_bytes(ran: Path) -> None:
    first = write(ran).read_bytes()
    order = [sys.executable, "-m", "selfsown", "report", str(ran)]
    done = subprocess.run(order, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", str(ran / "report.html"))
    assert (ran / "report.html").read_bytes() == first
    assert not list(ran.glob(".*.partial"))


def test_hostile_rows_are_inert(folder: Path) -> None:
    store = RunFolder(folder)
    rows = store.rows("generation-01/rows") or []
    for at, text in enumerate(HOSTILE):
        row = Row(text, text, origin="synthetic", method=text, source=text, generation=1, sample_index=10_000 + at)
        rows[at] = row.rejected(f"{text}: {text}")
    store.write_rows("generation-01/rows", rows)
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace("a pupil learns by heart", HOSTILE[0]))
    text = write(folder).read_text(encoding="utf-8")
    found = Page(text)
    assert [found.count(tag) for tag in ("script", "img")] == [1, 0]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert "before␀␛[31mafter" in text
    assert "⟨U+202E⟩right to left" in text
    assert "{{ 7 * 7 }}" in found.text
    assert "x" * 4_001 not in text
    assert "x" * 4_000 in text
    assert "Texts are cut at 4,000 characters." in found.text


def test_a_page_of_many_long_rows_is_no_heavier_than_three_megabytes(folder: Path) -> None:
    long = Row("字" * 5_000, "字" * 3_000, origin="synthetic", generation=1).rejected("字" * 5_000)
    RunFolder(folder).write_rows("generation-01/rows", [replace(long, sample_index=at) for at in range(400)])
    assert write(folder).stat().st_size < 3_000_000


def test_rows_that_differ_from_the_counts_are_inconsistent(folder: Path) -> None:
    store = RunFolder(folder)
    store.write_rows("generation-02/rows", (store.rows("generation-02/rows") or [])[1:])
    assert "Inconsistent: the rows on disk differ from the counts of the run." in page(folder).text


def test_a_rolled_back_generation_is_named_with_its_guard(folder: Path) -> None:
    file = folder / "generation-02" / "generation.json"
    said = json.loads(file.read_text(encoding="utf-8"))
    said["verdicts"] = [{"passed": False, "reason": "too plain", "guard": "./plain.py", "metrics": {}}]
    file.write_text(json.dumps(said), encoding="utf-8")
    found = page(folder).text
    assert "Rolled back: generation 2 by ./plain.py." in found
    assert "2 (rolled back by ./plain.py)" in found
    assert "too plain" in found


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_run_that_is_not_finished_says_so(folder: Path, left: int) -> None:
    (folder / "result.json").unlink()
    for number in range(left, 3):
        (folder / f"generation-{number:02d}" / "generation.json").unlink()
    with (folder / "log.jsonl").open("a") as log:
        log.write('{"time": 1, "gener')
    found = page(folder).text
    if not left:
        assert "Nothing is measured yet." in found
        return
    assert f"This run is not finished: {left - 1} of 2 generations are done." in found
    assert f"Generation {left} has rows, but no scores yet." in found


@pytest.mark.parametrize("file", ["recipe.yaml", "generation-01/generation.json", "generation-01/rows.parquet"])
@pytest.mark.parametrize("harm", [b"", b"[1, 2]", b"\xff\x00{"])
def test_a_damaged_folder_is_one_line_and_no_page(folder: Path, file: str, harm: bytes) -> None:
    (folder / file).write_bytes(harm)
    with pytest.raises(SelfsownError, match="damaged"):
        write(folder)
    assert not (folder / "report.html").exists()


def test_a_folder_without_a_run_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match=r"neither the folder of a run nor of a comparison: it has no recipe\.yaml"):
        write(tmp_path)
    with pytest.raises(SelfsownError, match="it does not exist"):
        write(tmp_path / "nowhere")


def test_a_missing_package_is_named_in_one_line(ran: Path) -> None:
    program = "import sys; sys.modules['matplotlib'] = None; from selfsown.cli import main; main()"
    order = [sys.executable, "-c", program, "report", str(ran)]
    done = subprocess.run(order, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.strip() == "selfsown: a report needs matplotlib; pip install 'selfsown[report]'"


def test_a_comparison_has_its_sentences_arms_and_data_efficiency(tmp_path: Path) -> None:
    folder = folders.comparison(tmp_path / "compared")
    found, result = page(folder), json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    for said in (*result["sentences"], *result["data_efficiency"]["cost"]["sentences"], "1.6× [1.2, 2.2]", "1.61×"):
        assert said in found.text
    for arm in result["arms"]:
        mean = arm["scores"][folders.GOAL]
        assert f"{mean['mean']:.3f} [{mean['low']:.3f}, {mean['high']:.3f}]" in found.text
        assert f"{arm['name']}: collapse triggered in generations 1 and 2 of seed 1" in found.text
    assert "No significant difference between graded and any other arm." in found.text
    assert found.count("h1") == 1


@pytest.mark.parametrize("make", [folders.comparison, folders.proof])
def test_a_comparison_names_the_strata_of_its_task_in_words(make: Callable[[Path], Path], tmp_path: Path) -> None:
    text = page(make(tmp_path / "compared")).text
    assert "accuracy, finding the program" in text
    assert "accuracy, running the program" in text
    assert "form=" not in text


def test_a_comparison_whose_runs_are_gone_is_shown_from_its_numbers(tmp_path: Path) -> None:
    folder = folders.comparison(tmp_path / "compared")
    for arm in ("graded", "replace"):
        shutil.rmtree(folder / arm)
    assert "Scores over the generations" not in page(folder).text


def test_a_damaged_comparison_is_one_line(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"recipe": "first"}'):
        (tmp_path / "compare.json").write_text(text, encoding="utf-8")
        with pytest.raises(SelfsownError, match=r"compare\.json is damaged"):
            write(tmp_path)


def test_an_alarm_that_is_not_acted_on_is_no_rollback(folder: Path) -> None:
    file = folder / "generation-01" / "generation.json"
    said = json.loads(file.read_text(encoding="utf-8")) | {"rollback_enabled": False}
    said["verdicts"] = [{"passed": False, "reason": "too plain", "guard": "collapse", "metrics": {}}]
    file.write_text(json.dumps(said), encoding="utf-8")
    with (folder / "recipe.yaml").open("a", encoding="utf-8") as recipe:
        recipe.write("rollback: false\n")
    found = page(folder).text
    assert "Guards raised alarms, without rollback: generation 1 by collapse." in found
    assert "1 (alarm by collapse)" in found
    assert "rolled back" not in found.lower()


def test_bias_is_shown_as_its_guard_measured_it_or_said_not_to_be(ran: Path, tmp_path: Path) -> None:
    assert "Bias was not measured" in page(ran).text
    watched = folders.run(tmp_path / "run", guard=[{"bias": {"attributes": ["style"], "tolerance": 0.75}}])
    found = page(watched).text.replace("\N{NO-BREAK SPACE}", " ")
    shifts = [g.verdicts[0].metrics["style"] for g in RunFolder(watched).generations()[1:] if g.verdicts[0].metrics]
    assert "The guard triggers above 75 %" in found
    assert shifts
    assert all(f"{100 * shift:.0f} %" in found for shift in shifts if shift >= 0.1)


def test_the_names_of_methods_are_whole_in_the_flow_of_rows() -> None:
    names = ("resample_to_real", "decontaminate", "principle_violations")
    flows = {("document_qa", ("rejected", name)): 9 for name in names} | {("document_qa", ("kept", "")): 1_000_000}
    run = RunData("runs/x", {}, {}, 9, 9, [], [], [GeneratedRows(1, flows, {}, frozenset(), {})], [], {}, None)
    drawn = row_flow.figure(run)
    assert drawn
    for panel in (drawn.panels[0].svg, drawn.panels[0].wide):
        assert all(f">{name}</text>" in str(panel) for name in names)
        assert "9 rejected" in str(panel)
