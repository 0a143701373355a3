"""Green, amber and red."""

from __future__ import annotations

import pytest

from selfsown.records import Family, Signal
from selfsown.signals.status import overall_status


def signal(family: Family, fires: bool = True) -> Signal:
    return Signal(f"a {family}", family, 0.2, 0.1, 0.3, 0.001, 0.1, 0.05, 1000, significant=fires)


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        ([], [], "green"),
        (["creativity"], [], "amber"),
        (["bias"], [], "amber"),
        (["bias"], ["creativity"], "amber"),
        (["bias"], ["bias"], "red"),
        (["creativity"], ["creativity", "bias"], "red"),
        (["creativity", "bias"], [], "red"),
        (["function"], [], "red"),
        ([], ["creativity"], "green"),
    ],
)
def test_what_several_signals_together_say(now: list[Family], before: list[Family], shown: str) -> None:
    families: list[Family] = ["creativity", "bias", "function"]
    found = [signal(family, family in now) for family in families]
    said, why = overall_status(found, [signal(family) for family in before])
    assert said == shown
    assert all((family in why) == (family in now) for family in families)


def test_a_change_that_is_borne_does_not_fire() -> None:
    borne = Signal("a shift", "bias", 0.04, 0.02, 0.06, 0.001, 0.05, 0.03, 1000, significant=True)
    assert overall_status([borne])[0] == "green"
