"""A reward function, as TRL's trainers call it."""

from __future__ import annotations

from typing import Any


def answered(completions: list[str], **_: Any) -> list[float]:
    """1 for a completion with any text."""
    return [float(bool(completion.strip())) for completion in completions]
