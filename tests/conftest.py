"""What all tests share: the sandbox, if the machine has one, one thread for linear algebra, and no token of Ray."""

from __future__ import annotations

import os

# Before NumPy is imported, here and in processes that tests start: its threads only wait for each other where several
# workers of pytest share the cores, which makes the small matrices of the tests several times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Clusters of Ray that tests start at the same time would write one token over another's; and their workers, which Ray
# makes wait for everything else, would wait for other tests.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("RAY_worker_niceness", "0")

import pytest

from selfsown.records import SelfsownError
from selfsown.sandbox.sandbox import Sandbox


@pytest.fixture(scope="session")
def walled() -> None:
    """Tests that run programs are skipped where no sandbox can be had (another system than Linux, an old kernel, no
    namespaces for users), with what it says itself: it runs nothing without its walls."""
    try:
        Sandbox(workers=1).close()
    except SelfsownError as error:
        pytest.skip(str(error))
