"""How varied a model writes, against as many real rows."""

from __future__ import annotations

import random
import statistics

import pytest

from selfsown.evaluate import diversity
from selfsown.models import Reply
from selfsown.records import Row, Score, SelfsownError
from selfsown.tasks.programs import Task
from testing.echo_model import Parrot, replaying

WORLD = Task(rows=1600)
ROWS = WORLD.pose(0)
HELD_OUT, OTHERS = ROWS[:800], [row for row in ROWS[800:] if row.metadata["form"] == "deduction"]


def scores(model: Parrot, count: int = 400) -> dict[str, Score]:
    return {score.key: score for score in diversity.evaluate(model, HELD_OUT, WORLD, 1, count=count)}


def test_other_real_rows_are_as_varied_as_real_rows() -> None:
    found = scores(replaying(OTHERS))
    assert set(found) == {"diversity", "diversity[tail]", "diversity[distinct]"}
    for score in found.values():
        assert score.value == pytest.approx(1.0, abs=0.1)
        assert score.low <= score.value <= score.high
        assert score.n == 200


def test_a_model_that_repeats_one_text_is_not_varied() -> None:
    for score in scores(replaying(OTHERS[:1])).values():
        assert score.value < 0.05


def test_a_model_that_repeats_a_few_texts_lies_between() -> None:
    few, many = scores(replaying(OTHERS[:20])), scores(replaying(OTHERS[:100]))
    for key in few:
        assert scores(replaying(OTHERS[:1]))[key].value < few[key].value < many[key].value < 1


def test_a_model_that_never_writes_what_is_rare_has_lost_some_of_the_tail() -> None:
    common = [row for row in OTHERS if row.metadata["rare"] == "no"]
    assert scores(replaying(common))["diversity[tail]"].high < 1


def test_the_same_seed_measures_the_same() -> None:
    assert scores(replaying(OTHERS)) == scores(replaying(OTHERS))


def test_replies_that_failed_are_not_counted() -> None:
    rows = OTHERS
    half = Parrot(lambda prompt, at: Reply(rows[at].prompt, rows[at].answer, failure="cut off" if at % 2 else ""))
    assert scores(half)["diversity"].n == 100
    silent = Parrot(lambda prompt, at: Reply(prompt, "", failure="cut off"))
    assert all((score.value, score.n) == (0.0, 0) for score in scores(silent).values())


def test_noise_does_not_write_what_is_rare_in_real_rows() -> None:
    rng = random.Random(0)
    noise = Parrot(lambda prompt, at: Reply("", "".join(rng.choices("αβγδεζηθικλμνξοπ", k=10))))
    assert scores(noise)["diversity[tail]"].value < 0.05


def test_n_grams_longer_than_every_real_row_are_explained() -> None:
    with pytest.raises(SelfsownError, match="size"):
        list(diversity.evaluate(replaying(OTHERS), HELD_OUT, WORLD, 1, count=50, ngram_size=200))


def test_documents_are_measured_whole() -> None:
    documents = [Row("", f"document number {at}") for at in range(100)]

    class Plain(Task):
        def opening(self, level: int) -> str:
            return ""

    found = list(diversity.evaluate(replaying(documents), documents, Plain(), 0))
    assert found[0].value == pytest.approx(1.0, abs=0.1)
    assert found[0].n == 50


def test_the_interval_is_as_wide_as_repetition_shows() -> None:
    """Texts and held-out rows drawn afresh twenty times: the values scatter about as much as each one says. A standard
    deviation of twenty values is good to a sixth, so the bounds are three of its errors away."""
    rng = random.Random(3)
    pool = [row for row in Task(rows=3000).pose(9) if row.metadata["form"] == "deduction"]
    found = []
    for _ in range(20):
        drawn = rng.sample(pool, 400)
        (first, *_) = diversity.evaluate(replaying(drawn[200:]), drawn[:200], WORLD, rng.randrange(10**6), count=200)
        found.append(first)
    scatter = statistics.stdev(score.value for score in found)
    said = statistics.mean((score.high - score.low) / 3.92 for score in found)
    assert 0.6 < said / scatter < 1.7


def test_where_nothing_is_written_there_is_no_score() -> None:
    assert scores(Parrot(lambda prompt, at: Reply(prompt, "", failure="cut off"))) == {}
