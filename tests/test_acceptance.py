"""What the named systems' recipes must show without training holds at every change; the rest is measured by hand."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SYSTEMS = sorted({each.name for each in pkgutil.iter_modules([str(ROOT / "acceptance")])} - {"__main__", "bars"})


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_s_bars_that_need_no_training_hold(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    found = list(importlib.import_module(f"acceptance.{name}").loopback(tmp_path))
    assert found, f"acceptance/{name}.py yields no bar"
    assert [bar for bar in found if not bar.holds] == []
