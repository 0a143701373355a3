"""The bars of the named systems that need no training pass at every change; the rest is measured by hand."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import acceptance

QUICK = {"gpt", "palmyra"}  # the others take 10 to 30 s each
SYSTEMS = sorted({module.name for module in pkgutil.iter_modules(acceptance.__path__)} - {"__main__", "bars"})


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SYSTEMS]
)
def test_bars_that_need_no_training_pass(name: str, tmp_path: Path) -> None:
    bars = list(importlib.import_module(f"acceptance.{name}").loopback(tmp_path))
    assert bars, f"acceptance/{name}.py yields no bar"
    assert [bar for bar in bars if not bar.passed] == []
