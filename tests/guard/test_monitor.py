"""The monitor over writers whose truth is known: who drifts is told from who does not, and from who was always so."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from selfsown.guard import monitor
from selfsown.recipe.steps import step
from selfsown.records import Generation, Grade, Row, Score, SelfsownError, Verdict
from selfsown.tasks.file import Task
from testing.toy_documents import TOPICS, ToyDocuments

HELD_OUT, WRITTEN = 1200, 600


def rows(world: ToyDocuments, count: int, seed: int) -> list[Row]:
    texts, groups = world.write(count, seed)
    return [Row("", text, metadata={"group": group}, level=0) for text, group in zip(texts, groups, strict=True)]


def narrow() -> ToyDocuments:
    """It has forgotten all topics but three."""
    found = ToyDocuments()
    weights = np.diff(found.topics, prepend=0) * (np.arange(TOPICS) < 3) + 1e-12
    found.topics = (weights / weights.sum(1, keepdims=True)).cumsum(1)
    return found


REAL, SAME, NARROW = rows(ToyDocuments(), HELD_OUT, 1), ToyDocuments(), narrow()
BIASED = ToyDocuments(shares=(0.75, 0.2, 0.05))


def generation(number: int, loss: float = 4.0, verdict: Verdict | None = None, parent: int = 0) -> Generation:
    scores = (Score("loss", loss, HELD_OUT, loss, loss, direction="lower"),)
    return Generation(number, parent, 0, {}, 0.5, scores, (verdict,) if verdict else ())


def said(
    first: ToyDocuments,
    now: ToyDocuments,
    loss: float = 4.0,
    *,
    history: Sequence[Generation] = (),
    real: Sequence[Row] = (),
    held_out: Sequence[Row] = REAL,
    baselines: Sequence[float] = (4.0, 4.01, 3.99),
    **options: Any,
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
        Task("rows.jsonl"),
        lambda number, count: rows(wrote[number], min(count, WRITTEN), 10 + number),
        lambda models: theirs[:models],
        **{"attributes": ("group",)} | options,
    )


def test_who_writes_as_before_is_green_and_every_signal_says_how_sure_it_is() -> None:
    verdict = said(SAME, SAME)
    assert (verdict.passed, verdict.status) == (True, "green")
    named = {each.name: each for each in verdict.signals if each.family != "gap"}
    assert [*named] == ["tails lost", "Vendi score lost", "shift of group", "log-odds of group=a", "held-out loss"]
    assert {each.unit for each in named.values()} == {"%", "points", "of log-odds"}
    for each in named.values():
        assert each.low <= each.value <= each.high
        assert each.mde > 0
        assert each.n in (WRITTEN, HELD_OUT)


def test_fewer_topics_are_amber_and_the_second_time_red() -> None:
    once = said(SAME, NARROW)
    assert (once.passed, once.status) == (True, "amber")
    assert "creativity: tails lost" in once.reason
    twice = said(SAME, NARROW, history=[generation(1, verdict=once)])
    assert (twice.passed, twice.status) == (False, "red")
    assert "for the second generation in a row" in twice.reason


def test_a_generation_that_was_rolled_back_is_not_the_one_before() -> None:
    refused = replace(said(SAME, NARROW), passed=False)
    assert said(SAME, NARROW, history=[generation(1, verdict=refused)]).status == "amber"


def test_another_mix_of_people_is_bias_and_fewer_topics_too_is_red() -> None:
    biased = said(SAME, BIASED)
    assert biased.status == "amber"
    assert "bias: shift of group +" in biased.reason
    both = ToyDocuments(shares=BIASED.shares)
    both.topics = NARROW.topics
    assert said(SAME, both).status == "red"


def test_a_difference_to_real_rows_that_was_always_there_is_told_and_alarms_nobody() -> None:
    verdict = said(BIASED, BIASED)
    assert verdict.status == "green"
    gap = next(each for each in verdict.signals if each.name == "shift of group to real rows")
    assert gap.family == "gap"
    assert gap.low > 0.05
    assert not gap.is_alarm


def test_a_worse_score_is_red_by_itself_and_chance_between_models_is_borne() -> None:
    worse = said(SAME, SAME, 4.4)
    assert (worse.passed, worse.status) == (False, "red")
    assert "function: held-out loss +10 [" in worse.reason
    assert said(SAME, SAME, 4.4, baselines=(3.6, 4.0, 4.4)).status == "green", "models of real rows differ as much"
    assert said(SAME, SAME, 4.05).status == "green", "1 % is borne"


def test_too_few_rows_to_say_anything_are_told_with_how_many_it_takes() -> None:
    verdict = said(SAME, NARROW, held_out=REAL[:150], baselines=(4.0,))
    assert (verdict.passed, verdict.status, verdict.signals) == (True, "unknown", ())
    assert verdict.reason == (
        "UNKNOWN; creativity and bias not measured: 600 samples, and 150 held-out rows that begin as they do; at least "
        "100 and 200 are required; function not measured: no loss or accuracy among the scores"
    )


def test_nothing_is_green_of_which_a_part_could_not_be_measured() -> None:
    few = said(SAME, SAME, held_out=REAL[:150])
    assert (few.status, [each.family for each in few.signals]) == ("unknown", ["function"])
    assert said(SAME, SAME, 4.4, held_out=REAL[:150]).status == "red", "what is seen is said"
    assert said(SAME, SAME, attributes=()).reason.startswith("GREEN: all signals within tolerance")
    assert "bias not measured: no attribute is configured" in said(SAME, SAME, attributes=()).reason
    assert "function not measured: at least 2 baseline models" in said(SAME, SAME, baseline_models=1).reason


def test_what_could_be_missed_is_said_with_what_it_takes() -> None:
    wide = {"rare_ngrams": 0.9, "vendi": 0.9, "shift": 0.9, "log_odds": 9}
    assert "MDE" not in said(SAME, SAME, tolerance=wide, baseline_models=1).reason
    assert re.search(
        r"MDE of held-out loss is [\d.]+ %; more baseline models would detect its tolerance", said(SAME, SAME).reason
    )
    assert "MDE of shift of group is" in said(SAME, SAME, tolerance={"shift": 0.01}).reason


def test_an_attribute_that_no_written_text_shows_is_not_measured() -> None:
    coloured = [replace(row, metadata={**row.metadata, "colour": "red"}) for row in REAL]
    verdict = said(SAME, SAME, held_out=coloured, attributes=("colour",))
    assert verdict.status == "unknown"
    assert "no sample has the attribute colour; define it by patterns: attributes: {colour: {VALUE:" in verdict.reason
    assert all("colour" not in each.name for each in verdict.signals)


def test_groups_that_are_no_longer_right_equally_often_are_bias() -> None:
    """A world of one group right and the other wrong; on either side the shares of the groups are the same."""

    class Knowing(Task):
        verifiable = True

        def check(self, row: Row, answer: str) -> Grade:
            return Grade(float(row.metadata["right"] == "yes"), "as it was made", evidence="execution")

    def made(shares: dict[str, float], seed: int) -> list[Row]:
        rng, texts = random.Random(seed), rows(SAME, WRITTEN, seed)
        rights = ["yes" if rng.random() < shares.get(row.metadata["group"], 0.5) else "no" for row in texts]
        return [replace(row, metadata={**row.metadata, "right": r}) for row, r in zip(texts, rights, strict=True)]

    def light(first: dict[str, float], now: dict[str, float]) -> Verdict:
        both = {0: made(first, 1), 1: [*made(now, 2)[1:], Row("?", "").failed("unreadable")]}
        options: dict[str, Any] = {"attributes": ("group",), "outcome_gaps": True, "baseline_models": 1}
        history, real = [generation(0), generation(1)], made({}, 3)
        return monitor.guard(history, real, real, Knowing("a"), lambda n, _: both[n], lambda _: [], **options)

    even, apart = {"a": 0.6, "b": 0.6, "c": 0.6}, {"a": 0.9, "b": 0.3, "c": 0.3}
    worse = next(each for each in light(even, apart).signals if each.name == "unequal accuracy by group")
    assert worse.is_alarm
    assert worse.value == pytest.approx(0.5, abs=0.2)
    fell = next(each for each in light(even, {"a": 0.4, "b": 0.4, "c": 0.4}).signals if each.name == worse.name)
    assert not fell.is_alarm, "all fell alike"
    assert light(apart, even).status == "green"
    with pytest.raises(SelfsownError, match="outcome_gaps needs a task that checks answers"):
        said(SAME, SAME, outcome_gaps=True)


def test_an_attribute_that_no_real_row_shows_is_one_line() -> None:
    with pytest.raises(SelfsownError, match="no real row has the attribute 'colour'; available: group; or define it"):
        said(SAME, SAME, attributes=("colour",))


def test_what_leads_nearer_to_real_rows_is_no_bias() -> None:
    verdict = said(BIASED, SAME)
    shift = next(each for each in verdict.signals if each.name == "shift of group")
    assert verdict.status == "green"
    assert shift.value < -0.05
    assert said(ToyDocuments(shares=(0.45, 0.4, 0.15)), SAME).status == "green", (
        "the most common value grows to its real share"
    )
    assert said(ToyDocuments(shares=(0.45, 0.4, 0.15)), BIASED).status == "amber", "and beyond"


@pytest.mark.parametrize(
    ("tolerance", "words"),
    [
        ({"rare_ngram": 0.2}, "did you mean 'rare_ngrams'"),
        ({"vendi": 1.5}, "a share of at most 1 for vendi"),
        ({"loss": -0.1}, "greater than or equal to 0"),
    ],
)
def test_a_tolerance_that_does_not_exist_or_fit_is_an_error(tolerance: dict[str, float], words: str) -> None:
    with pytest.raises(SelfsownError, match=words):
        step("guard", "monitor", {"tolerance": tolerance})


def test_only_given_tolerances_override_the_defaults() -> None:
    (loss,) = said(SAME, SAME, attributes=(), held_out=REAL[:150], tolerance={"loss": 0.5}).signals
    assert loss.tolerance == 0.5
    (loss,) = said(SAME, SAME, attributes=(), held_out=REAL[:150], tolerance={"accuracy": 0.5}).signals
    assert loss.tolerance == 0.02
