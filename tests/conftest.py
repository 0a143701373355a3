"""What several rooms of tests need: programs behind walls, where the machine lets anybody build them."""

from __future__ import annotations

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
