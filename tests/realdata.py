"""Real data sets that the project does not carry: a test that wants one is skipped where nobody has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("SELFSOWN_DATA") or Path(__file__).parents[2] / "shared" / "data")


def real_data(name: str) -> Path:
    """The file of this name."""
    if not (FOLDER / name).exists():
        pytest.skip(f"the project carries no {name}: name a folder that has it in SELFSOWN_DATA")
    return FOLDER / name
