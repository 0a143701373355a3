"""What the tests of generators share: a mock server on this machine needs no long waits between two attempts."""

from __future__ import annotations

import pytest

from selfsown.models.endpoint import retry


@pytest.fixture(autouse=True)
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exponential back-off as ever, from a fifth of its first wait."""
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.05)
