"""A finished run, which is not to be changed, and a copy of it to do harm to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import folders
import pytest
from chromium import started
from selenium import webdriver


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders.run(tmp_path_factory.mktemp("report") / "run")


@pytest.fixture
def folder(ran: Path, tmp_path: Path) -> Path:
    """A run's folder of one's own."""
    return shutil.copytree(ran, tmp_path / "run", ignore=shutil.ignore_patterns("report.html"))


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    with started() as driver:
        yield driver
