"""The monitor over writers whose truth is known: who drifts is told from who does not, and from who was always so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from signals import toy

from selfsown.guard import monitor
from selfsown.records import Generation, Row, Score, SelfsownError, Verdict
from selfsown.tasks.file import World

HELD_OUT, WRITTEN = 2000, 600


def rows(world: toy.Toy, count: int, seed: int) -> list[Row]:
    texts, groups = world.write(count, seed)
    return [Row("", text, traits={"group": group}, level=0) for text, group in zip(texts, groups, strict=True)]


def narrow() -> toy.Toy:
    """It has forgotten all topics but three."""
    found = toy.Toy()
    weights = np.diff(found.topics, prepend=0) * (np.arange(toy.TOPICS) < 3) + 1e-12
    found.topics = (weights / weights.sum(1, keepdims=True)).cumsum(1)
    return found


REAL, SAME, NARROW = rows(toy.Toy(), HELD_OUT, 1), toy.Toy(), narrow()
BIASED = toy.Toy(shares=(0.75, 0.2, 0.05))


def generation(number: int, loss: float = 4.0, verdict: Verdict | None = None, parent: int = 0) -> Generation:
    scores = (Score("loss", loss, HELD_OUT, loss, loss, better="lower"),)
    return Generation(number, parent, 0, {}, 0.5, scores, (verdict,) if verdict else ())


def said(
    first: toy.Toy,
    now: toy.Toy,
    loss: float = 4.0,
    *,
    history: Sequence[Generation] = (),
    real: Sequence[Row] = (),
    held_out: Sequence[Row] = REAL,
    baselines: Sequence[float] = (4.0, 4.01, 3.99),
    **knobs: Any,
) -> Verdict:
    """What is said of a generation whose model writes as `now`, after a generation 0 that wrote as `first`."""
    past = [generation(0), *history]
    last = generation(len(past), loss, parent=past[-1].number)
    wrote = {0: first, last.number: now}
    theirs = [(replace(last.scores[0], value=value),) for value in baselines]
    return monitor.guard(
        [*past, last],
        real,
        held_out,
        World("rows.jsonl"),
        lambda number, count: rows(wrote[number], min(count, WRITTEN), 10 + number),
        lambda models: theirs[:models],
        **{"attributes": ("group",)} | knobs,
    )


def test_who_writes_as_before_is_green_and_every_signal_says_how_sure_it_is() -> None:
    verdict = said(SAME, SAME)
    assert (verdict.ok, verdict.light) == (True, "green")
    named = {each.name: each for each in verdict.signals if each.family != "gap"}
    assert [*named] == ["tails lost", "Vendi score lost", "shift of group", "log-odds of group=a", "held-out loss"]
    assert {each.unit for each in named.values()} == {"%", "points", "of log-odds"}
    for each in named.values():
        assert each.low <= each.value <= each.high
        assert each.least > 0
        assert each.n in (WRITTEN, HELD_OUT)


def test_fewer_topics_are_amber_and_the_second_time_red() -> None:
    once = said(SAME, NARROW)
    assert (once.ok, once.light) == (True, "amber")
    assert "creativity: tails lost" in once.reason
    twice = said(SAME, NARROW, history=[generation(1, verdict=once)])
    assert (twice.ok, twice.light) == (False, "red")
    assert "for the second generation in a row" in twice.reason


def test_a_generation_that_was_rolled_back_is_not_the_one_before() -> None:
    refused = replace(said(SAME, NARROW), ok=False)
    assert said(SAME, NARROW, history=[generation(1, verdict=refused)]).light == "amber"


def test_another_mix_of_people_is_bias_and_fewer_topics_too_is_red() -> None:
    biased = said(SAME, BIASED)
    assert biased.light == "amber"
    assert "bias: shift of group +" in biased.reason
    both = toy.Toy(shares=BIASED.shares)
    both.topics = NARROW.topics
    assert said(SAME, both).light == "red"


def test_a_difference_to_real_rows_that_was_always_there_is_told_and_alarms_nobody() -> None:
    verdict = said(BIASED, BIASED)
    assert verdict.light == "green"
    gap = next(each for each in verdict.signals if each.name == "shift of group to real rows")
    assert gap.family == "gap"
    assert gap.low > 0.05
    assert not gap.fires


def test_a_worse_score_is_red_by_itself_and_chance_between_models_is_borne() -> None:
    worse = said(SAME, SAME, 4.4)
    assert (worse.ok, worse.light) == (False, "red")
    assert "function: held-out loss +10 [" in worse.reason
    assert said(SAME, SAME, 4.4, baselines=(3.6, 4.0, 4.4)).light == "green", "models of real rows differ as much"
    assert said(SAME, SAME, 4.05).light == "green", "1 % is borne"


def test_too_few_rows_to_say_anything_are_told_with_how_many_it_takes() -> None:
    verdict = said(SAME, NARROW, held_out=REAL[:150], baselines=(4.0,))
    assert (verdict.ok, verdict.light, verdict.signals) == (True, "", ())
    assert "cannot say; creativity and bias not measured: they take 100 texts, and 200 held-out rows" in verdict.reason
    assert (
        "function not measured: it takes a score, and two models trained on real rows alone or more" in verdict.reason
    )


def test_an_attribute_that_no_real_row_shows_is_one_line() -> None:
    with pytest.raises(SelfsownError, match="no real row shows the attribute 'colour'"):
        said(SAME, SAME, attributes=("colour",))


def test_what_leads_nearer_to_real_rows_is_no_bias() -> None:
    verdict = said(BIASED, SAME)
    shift = next(each for each in verdict.signals if each.name == "shift of group")
    assert verdict.light == "green"
    assert shift.value < -0.05
    assert said(toy.Toy(shares=(0.45, 0.4, 0.15)), SAME).light == "green", (
        "the most common value grows to its real share"
    )
    assert said(toy.Toy(shares=(0.45, 0.4, 0.15)), BIASED).light == "amber", "and beyond"
