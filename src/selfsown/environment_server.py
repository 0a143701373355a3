"""What environments on a server have in common: their address, and a reward that becomes a score."""

from __future__ import annotations

from urllib.parse import urlsplit

from selfsown.errors import RecipeError
from selfsown.records import Grade


def check_options(source: str, url: str, low: float, high: float) -> None:
    """RecipeError where the address or the range of rewards does not fit. source: as a recipe names it."""
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise RecipeError(
            f"real.{source}: url is {url!r}; it must be a server's address, such as http://localhost:8000"
        )
    if not low < high:
        raise RecipeError(f"real.{source}: low is {low:g} and high {high:g}; low must be lower")


def reward_grade(reward: float, low: float, high: float) -> Grade:
    """The grade of an episode's reward: 0 at `low` or below, 1 at `high`. A higher reward is a failed grade, since a
    score that is cut off would hide what was rewarded."""
    if reward > high:
        return Grade(0.0, f"its reward is {reward:g}; set high, which is {high:g}", failed=True)
    return Grade(max(0.0, (reward - low) / (high - low)), f"its reward is {reward:g}", evidence="execution")
