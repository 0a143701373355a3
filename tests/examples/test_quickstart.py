"""The notebook runs from top to bottom and prints what it says it prints."""

from __future__ import annotations

import json
import linecache
from pathlib import Path

import pytest

pytest.importorskip("torch")
NOTEBOOK = Path(__file__).parents[2] / "examples" / "quickstart.ipynb"


@pytest.mark.slow
def test_every_cell_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    cells = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        source, file = "".join(cell["source"]), f"<cell {number}>"
        linecache.cache[file] = (len(source), None, cell["source"], file)  # as a notebook does, for inspect.getsource
        exec(compile(source, file, "exec"), names)
        printed = capsys.readouterr().out
        assert bool(printed) == bool(cell["outputs"]), f"cell {number}"
    assert (tmp_path / "runs" / "quickstart" / "best").exists()
