"""The page of `make` and `preview`: its numbers are the folder's, and no row can break it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import made
import pytest
from command import run_in_process
from pages import Page, landmarks, page
from test_report import HOSTILE

from selfsown.cost import read_cost
from selfsown.html.formatting import evidence_sentence
from selfsown.html.report import write
from selfsown.html.row_counts import quotas
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.text.chat import answer_metadata, message_text, messages_metadata, messages_text
from testing.mock_server import Server

MAX_PAGE_BYTES = 3_000_000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real folder, made from a server's replies, with what the command printed beside it."""
    at = tmp_path_factory.mktemp("made")
    with Server(say=made.say) as server:
        made.recipe(at, server)
        done = run_in_process(at, "make", "mine.yaml")
    assert done.returncode == 0, done
    (at / "stdout").write_text(done.stdout, encoding="utf-8")
    return at / "made" / "mine"


def rows_on(text: str) -> list[dict[str, str]]:
    """The attributes of each row of the page."""
    return [dict(re.findall(r'data-(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<li data-status[^>]*>", text)]


def test_make_ends_with_a_page_whose_numbers_are_those_of_the_folder(finished: Path) -> None:
    assert f"The report is made/mine/{'report.html'}\n" in (finished.parent.parent / "stdout").read_text("utf-8")
    text = (finished / "report.html").read_text(encoding="utf-8")
    found, rows = Page(text), RunFolder(finished).rows("rows") or []
    counts = {status: sum(row.status == status for row in rows) for status in ("kept", "rejected", "failed")}
    assert min(counts.values()) > 0
    spent = read_cost(finished)
    assert spent
    (headline,) = re.findall(r"<h1>(.*?)</h1>", text)
    assert headline == f"{counts['kept']} of 40 rows kept; ${spent.total.known_usd:.2f} spent"
    assert len(headline.split()) <= 8
    parts = " + ".join(f"{number} {status}" for status, number in counts.items())
    for said in (
        f"40 rows = {parts}",
        "rejected: judge",
        "failed: an empty answer",
        "1 real row set aside",
        "blank",
    ):
        assert said in found.text
    assert f"judge: {40 - counts['failed']} rows, mean" in found.text
    assert "generate.sample" in found.text
    assert f"{spent.total.requests:,}" in found.text
    assert "prompts.jsonl:41" in found.text
    assert "All 40 rows." in found.text


def test_every_row_has_its_texts_grades_reason_and_id(finished: Path) -> None:
    text = (finished / "report.html").read_text(encoding="utf-8")
    items = [Page(body).text for body in re.findall(r"<li data-status.*?</li>", text, re.DOTALL)]
    rows = {row.id: row for row in RunFolder(finished).rows("rows") or []}
    assert len(items) == len(rows)
    for item in items:
        (row_id,) = re.findall(r"\b[0-9a-f]{16}\b", item)
        row = rows[row_id]
        for said in (row.status, row.prompt, row.answer or "(empty)", row.reason, f"region={row.metadata['region']}"):
            assert said in item
        assert all(
            f"graded {grade.score:.3g} by {grade.grader} (judge): {grade.reason}" in item for grade in row.grades
        )


def test_the_rows_can_be_narrowed_by_status_reason_and_attribute(finished: Path) -> None:
    found = page(finished)
    selects = [attributes["id"] for tag, attributes in found.elements if tag == "select"]
    assert selects == ["by-status", "by-cause", "by-attribute"], "one method and one generation are no choice"
    labels = [attributes for tag, attributes in found.elements if tag == "label"]
    assert len(labels) == len(selects) + 1
    assert [attributes["label"] for tag, attributes in found.elements if tag == "optgroup"] == ["region"]
    (count,) = [attributes for _, attributes in found.elements if attributes.get("id") == "count"]
    assert count["aria-live"] == "polite"
    first = [row["status"] for row in rows_on(write(finished).read_text("utf-8"))]
    assert first == sorted(first, key=("kept", "rejected", "failed").index)


def test_the_page_loads_nothing_and_names_each_landmark_once(finished: Path, ran: Path) -> None:
    for found in (page(finished), page(ran)):
        assert [found.count(tag) for tag in ("h1", "main", "script", "link")] == [1, 1, 1, 1]
        links = ("src", "href", "xlink:href", "srcset", "data", "action")
        named = [value or "" for _, attributes in found.elements for name, value in attributes.items() if name in links]
        assert all(value.startswith(("#", "data:")) for value in named)
        ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert len(landmarks(found)) == len(set(landmarks(found)))


def test_report_writes_the_same_page_and_needs_no_matplotlib(finished: Path) -> None:
    program = "import sys; sys.modules['matplotlib'] = None; from selfsown.cli import main; main()"
    order = [sys.executable, "-c", program, "report", "mine"]
    done = subprocess.run(order, cwd=finished.parent.parent, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "made/mine/report.html"), done.stderr
    first = (finished / "report.html").read_bytes()
    assert run_in_process(finished.parent.parent, "report", "made/mine").returncode == 0
    assert (finished / "report.html").read_bytes() == first


def test_no_report_writes_none(tmp_path: Path) -> None:
    with Server(say=made.say) as server:
        made.recipe(tmp_path, server)
        done = run_in_process(tmp_path, "make", "mine.yaml", "--no-report")
    assert done.returncode == 0
    assert "The report" not in done.stdout
    assert not (tmp_path / "made/mine/report.html").exists()


def test_a_folder_that_make_did_not_finish_has_a_page_of_what_was_paid(tmp_path: Path) -> None:
    with Server(say=made.say) as server:
        made.recipe(tmp_path, server, budget={"requests": 10})
        stopped = run_in_process(tmp_path, "make", "mine.yaml")
    assert stopped.returncode == 3
    done = run_in_process(tmp_path, "report", "mine")
    assert (done.returncode, done.stdout) == (0, "made/mine/report.html\n"), done.stderr
    text = Page((tmp_path / "made/mine/report.html").read_text("utf-8")).text
    assert re.search(r"Not finished: \$[\d.]+ so far", text)
    assert "The same command resumes it and does not pay again" in text
    assert "41 real rows = 40 used + 1 set aside (1 blank)." in text
    assert "generate.sample" in text


def test_preview_writes_a_page_of_its_rows_which_explain_knows(tmp_path: Path) -> None:
    with Server(say=made.say) as server:
        made.recipe(tmp_path, server)
        for bad in ("p.txt", "nowhere/p.html"):
            refused = run_in_process(tmp_path, "preview", "mine.yaml", "--html", bad)
            assert (refused.returncode, refused.stderr.count("\n"), len(server.bodies)) == (2, 1, 0)
        done = run_in_process(tmp_path, "preview", "mine.yaml", "--rows", "4", "--html", "p.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("The page is p.html\n")
    text = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "<h1>Preview: 3 of 4 rows kept" in text
    ids = re.findall(r'<code class="id" dir="ltr">(\w{16})</code>', text)
    assert len(ids) == 4
    assert all(row_id in done.stdout for row_id in ids)
    told = run_in_process(tmp_path, "explain", "mine", ids[0])
    assert told.stdout.startswith(f"synthetic row {ids[0]}"), told
    assert "Preview: 3 of 4 rows kept" in page(tmp_path / "made" / "mine").text


def test_make_replaces_the_rows_of_a_preview_and_no_file_of_the_user(tmp_path: Path) -> None:
    with Server(say=made.say) as server:
        made.recipe(tmp_path, server)
        done = run_in_process(tmp_path, "preview", "mine.yaml", "--rows", "2")
        (tmp_path / "made/mine/preview.html").write_text("mine", encoding="utf-8")
        assert (done.returncode, run_in_process(tmp_path, "make", "mine.yaml").returncode) == (0, 0)
    assert not list((tmp_path / "made/mine").glob("preview*.parquet"))
    assert (tmp_path / "made/mine/preview.html").exists()


def test_hostile_rows_are_inert(tmp_path: Path) -> None:
    texts = [*HOSTILE, "👩‍👩‍👧‍👦 🇺🇦" * 50, "a" * 100_000]
    rows = [
        made.judged(index, index % 2, text, prompt=text, answer=text, metadata={"kind": text[:30], text[:20]: "x"})
        for index, text in enumerate(texts)
    ]
    rows += [row.failed(row.reason) for row in (made.row(100 + index, answer=text) for index, text in enumerate(texts))]
    folder = made.folder(tmp_path / "made", rows, description=HOSTILE[0], name=HOSTILE[1])
    text = write(folder).read_text(encoding="utf-8")
    found = Page(text)
    assert [found.count(tag) for tag in ("script", "img")] == [1, 0]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert "⟨U+202E⟩right to left" in text
    assert "{{ 7 * 7 }}" in found.text
    assert "👩‍👩‍👧‍👦" in text
    assert "a" * 4_001 not in text
    assert "Texts are cut at 4,000 characters." in found.text


def test_a_conversation_is_shown_with_its_system_message_turns_and_tools(tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "find_order", "arguments": '{"order": 7}'}}
    messages = [
        {"role": "system", "content": "You are the help desk."},
        {"role": "user", "content": "Where is order 7?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "in Bergen"},
    ]
    answer = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "I look again."}
    tools = json.dumps([{"type": "function", "function": {"name": "find_order"}}])
    metadata = {**messages_metadata(messages), **answer_metadata(answer), "tools": tools}
    row = made.judged(1, prompt=messages_text(messages), answer=message_text(answer), metadata=metadata)
    text = page(made.folder(tmp_path / "made", [row])).text
    for said in ("You are the help desk.", "Where is order 7?", "in Bergen", 'find_order({"order": 7})', tools):
        assert said in text
    assert "I look again." in text
    assert text.count("You are the help desk.") == 1


def test_of_twenty_thousand_rows_every_reason_is_shown_within_three_megabytes(tmp_path: Path) -> None:
    texts = ["long answer " * 150, "字" * 800, "short"]
    rows = [
        made.judged(index, float(index % 3 > 0), f"reason {index % 7}", answer=texts[index % 3])
        for index in range(19_990)
    ]
    rows += [made.row(20_000 + index).failed(f"server error {index}") for index in range(10)]
    folder = made.folder(tmp_path / "made", rows)
    path = write(folder)
    assert path.stat().st_size < MAX_PAGE_BYTES
    shown = rows_on(path.read_text(encoding="utf-8"))
    assert 500 < len(shown) <= 2_000
    text = Page(path.read_text("utf-8")).text
    assert f"{len(shown):,} of 20,000 rows: drawn at random, with rows of every reason." in text
    assert {row["cause"] for row in shown} == {"", "judge", *(f"server error {index}" for index in range(10))}
    kept = sum(row["status"] == "kept" for row in shown) / len(shown)
    assert kept == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path) -> None:
    peaks = []
    for count in (4_000, 40_000):
        rows = (made.judged(index, answer="long answer " * 100) for index in range(count))
        folder = made.folder(tmp_path / str(count), rows)
        program = (
            "import resource, sys; from pathlib import Path; from selfsown.html.report import write; "
            "write(Path(sys.argv[1])); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 60, f"megabytes: {peaks}"


@pytest.mark.parametrize("file", ["recipe.yaml", "rows.parquet", "real.json"])
def test_a_damaged_folder_is_one_line_and_no_page(tmp_path: Path, file: str) -> None:
    folder = made.folder(tmp_path / "made" / "mine", [made.judged(1)])
    (folder / file).write_bytes(b"[1, 2]")
    done = run_in_process(tmp_path, "report", "mine")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "damaged" in done.stderr
    assert not (folder / "report.html").exists()


def test_a_sample_is_proportional_and_leaves_no_group_out() -> None:
    drawn = quotas({"many": 90_000, "some": 9_000, "few": 5}, 1_000)
    assert sum(drawn.values()) <= 1_000
    assert drawn["few"] == 5
    assert 8 < drawn["many"] / drawn["some"] < 10
    assert quotas({"a": 3, "b": 4}, 10) == {"a": 3, "b": 4}
    crowd: dict[int, int] = dict.fromkeys(range(200), 1_000)
    assert set(quotas(crowd, 300).values()) == {1}


def test_a_folder_without_a_kept_row_says_so(tmp_path: Path) -> None:
    rows: list[Row] = [replace(made.judged(index, 0.0)) for index in range(3)]
    assert "<h1>No row kept of 3</h1>" in write(made.folder(tmp_path / "made", rows)).read_text("utf-8")


def test_what_grades_rest_on_is_a_phrase() -> None:
    assert evidence_sentence(["judge", "rule"]).startswith("Grades rest on a judge and rules, not on known answers")
