"""Documents: every format gives chunks with source and section, and what cannot be read is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfsown.records import Row, SelfsownError
from selfsown.tasks.documents import Task

MARKDOWN = "# Guide\n\nWelcome, naïve 東京.\n\n## Install\n\nRun `it`. " + "Then wait a little. " * 60 + "\n"


def posed(path: Path, **knobs: object) -> list[Row]:
    return list(Task(str(path), **knobs).pose(0))  # type: ignore[arg-type]


def refused(path: Path, **knobs: object) -> str:
    with pytest.raises(SelfsownError) as caught:
        posed(path, **knobs)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def docx(path: Path) -> Path:
    document = pytest.importorskip("docx").Document()
    document.add_heading("Guide", 1)
    document.add_paragraph("Welcome, naïve 東京.")
    document.add_heading("Install", 2)
    document.add_paragraph("Run *it*, with an under_score.")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "left", "right"
    document.save(str(path))
    return path


def pdf(path: Path, *pages: str, password: str = "") -> Path:
    written = pytest.importorskip("fpdf").FPDF()
    if password:
        written.set_encryption("owner", password)
    for page in pages:
        written.add_page()
        if page:
            written.set_font("helvetica")
            written.multi_cell(0, text=page)
    written.output(str(path))
    return path


def test_markdown_is_cut_at_headings_and_each_chunk_says_where_it_stood(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text(MARKDOWN, encoding="utf-8")
    rows = posed(tmp_path, chunk_chars=400)
    assert [row.source for row in rows] == [f"guide.md#{at}" for at in range(1, len(rows) + 1)]
    assert [row.sample_index for row in rows] == list(range(len(rows)))
    assert {row.metadata["source"] for row in rows} == {"guide.md"}
    assert [row.metadata["section"] for row in rows] == ["Guide", *["Guide > Install"] * (len(rows) - 1)]
    assert all((row.prompt, row.origin, row.target) == ("", "real", row.answer) for row in rows)
    assert "".join("".join(row.answer.split()) for row in rows) == "".join(MARKDOWN.split())


def test_web_pages_lose_what_is_no_text_of_theirs(tmp_path: Path) -> None:
    page = (
        "<?xml version='1.0'?><html><head><title>No</title></head><body><nav>menu</nav><main><h1>Guide</h1>"
        "<p>Read <a href='x'>this</a> &amp; that.</p><h2>Code</h2><pre>a\n  b_c</pre><script>no()</script></main>"
        "<footer>imprint</footer></body></html>"
    )
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    rows = posed(tmp_path / "page.html")
    assert [row.answer for row in rows] == ["# Guide\n\nRead this & that.", "## Code\n\n```\na\n  b_c\n```"]
    assert [row.metadata["section"] for row in rows] == ["Guide", "Guide > Code"]


def test_a_page_in_an_older_encoding_is_read_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "page.htm").write_bytes(b"<meta charset='iso-8859-1'><p>na\xefve</p>")
    assert [row.answer for row in posed(tmp_path)] == ["naïve"]


def test_word_documents_keep_headings_and_tables(tmp_path: Path) -> None:
    rows = posed(docx(tmp_path / "guide.docx"))
    assert [row.metadata["section"] for row in rows] == ["Guide", "Guide > Install"]
    assert rows[0].answer == "# Guide\n\nWelcome, naïve 東京."
    assert "Run *it*, with an under_score." in rows[1].answer
    assert "left | right" in rows[1].answer


def test_pdf_pages_are_read_in_order(tmp_path: Path) -> None:
    rows = posed(pdf(tmp_path / "book.pdf", "The first page, résumé.", "The second page."))
    assert [row.answer.split("\n\n") for row in rows] == [["The first page, résumé.", "The second page."]]
    assert rows[0].metadata == {"source": "book.pdf"}


def test_a_folder_is_read_in_order_without_what_is_hidden_or_of_another_kind(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt", ".git/d.txt", "a/.e.txt", "f.png", "g.rst"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert [row.answer for row in posed(tmp_path)] == ["a/c.txt", "b.txt"]
    assert [row.source for row in posed(tmp_path, pattern="*.rst")] == ["g.rst#1"]


def test_a_pattern_that_meets_nothing_says_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "f.png").write_bytes(b"x")
    assert "available: .png" in refused(tmp_path)
    assert "available: none" in refused(tmp_path, pattern="*.md")
    assert "use a pattern such as **/*.md" in refused(tmp_path, pattern="/etc/*")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.txt", None, ["no file or folder", "gone.txt"]),
        ("latin.txt", b"one\nna\xefve", ["latin.txt:2", "not UTF-8"]),
        ("empty.md", b"\n", ["empty.md", "no text"]),
        ("bad.pdf", b"%PDF-1.4 no", ["bad.pdf", "cannot be read as PDF"]),
        ("bad.docx", b"PK no", ["bad.docx", "cannot be read as DOCX"]),
    ],
)
def test_what_cannot_be_read_is_named(name: str, content: bytes | None, said: list[str], tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    message = refused(tmp_path / name)
    assert all(part in message for part in said), message


def test_encrypted_and_scanned_pages_are_named_and_may_be_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    locked, scan = pdf(tmp_path / "locked.pdf", "secret", password="x"), pdf(tmp_path / "scan.pdf", "")
    assert "locked.pdf is encrypted" in refused(locked)
    assert "scan.pdf contains images but no text" in refused(scan)
    assert "skip" in refused(tmp_path)
    (tmp_path / "a.txt").write_text("open", encoding="utf-8")
    for _ in range(2):
        assert [row.answer for row in posed(tmp_path, skip_bad=True)] == ["open"]
    told = [record.getMessage() for record in caplog.records]
    assert [("locked.pdf" in words, "scan.pdf" in words) for words in told] == [(True, False), (False, True)]


def test_an_overlap_of_more_than_half_is_refused() -> None:
    with pytest.raises(SelfsownError, match=r"overlap_chars is 60; .* chunk_chars, 100"):
        Task("x", chunk_chars=100, overlap_chars=60)


def test_a_missing_converter_is_one_line_that_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    code = f"""
import sys
sys.modules["pypdf"] = None
from selfsown.records import SelfsownError
from selfsown.tasks.documents import Task
try:
    list(Task({str(tmp_path / "a.pdf")!r}).pose(0))
except SelfsownError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'selfsown[documents]'" in said
