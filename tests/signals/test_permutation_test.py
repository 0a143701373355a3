"""A change is told from chance, and not more often than it should be."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from selfsown.records import Signal
from selfsown.signals.measures import (
    log_odds_change,
    log_odds_error,
    most_common,
    rare_ngrams_lost,
    shift,
    shift_error,
    vendi_lost,
)
from selfsown.signals.permutation_test import MeasureSpec, drift, with_significance
from selfsown.signals.reference import ReferenceCorpus
from testing.toy_documents import GROUP_SHARES, ToyDocuments

TOY = ToyDocuments()
ANCHOR = ReferenceCorpus.of(TOY.write(2000, 1)[0])


def compared(before: tuple[list[str], list[str]], now: tuple[list[str], list[str]], seed: int = 0) -> dict[str, Signal]:
    """All signals between two sets of texts and their groups."""
    texts, groups = before[0] + now[0], before[1] + now[1]
    wanted = {
        "tails": MeasureSpec(rare_ngrams_lost(ANCHOR, texts), "creativity", 0.1),
        "vendi": MeasureSpec(vendi_lost(ANCHOR, texts), "creativity", 0.1),
        "shift": MeasureSpec(shift(groups), "bias", 0.05, "points"),
        "odds": MeasureSpec(log_odds_change(groups, "a"), "bias", 0.2, "of log-odds"),
    }
    return {each.name: each for each in drift(wanted, len(before[0]), len(now[0]), seed)}


def test_nothing_is_found_where_nothing_changed() -> None:
    found = compared(TOY.write(500, 2), TOY.write(500, 3))
    assert not any(each.significant for each in found.values())
    assert all(each.low <= 0 <= each.high for name, each in found.items() if name != "shift")


def test_texts_of_few_topics_lie_closer_and_say_fewer_rare_things() -> None:
    few = ToyDocuments()
    few.topics = few.topics.copy()
    few.topics[:] = np.eye(30)[0].cumsum()
    found = compared(TOY.write(500, 2), few.write(500, 3))
    assert found["vendi"].is_alarm
    assert found["tails"].is_alarm
    assert not found["shift"].significant


def test_the_same_texts_again_and_again_say_fewer_rare_things() -> None:
    texts, groups = TOY.write(500, 3)
    again = [random.Random(at).randrange(50) for at in range(500)]
    found = compared(TOY.write(500, 2), ([texts[at] for at in again], [groups[at] for at in again]))
    assert found["tails"].is_alarm


def test_what_is_rarest_is_missed_when_it_is_left_out() -> None:
    texts, groups = TOY.write(2200, 3)
    rare = np.bincount(ANCHOR.rare_ngrams(texts)[0], minlength=len(texts))
    common = sorted(np.argsort(rare, kind="stable")[:2000])
    found = compared(TOY.write(2000, 2), ([texts[at] for at in common], [groups[at] for at in common]))
    assert found["tails"].significant
    assert found["tails"].value > 0.02


def test_rare_words_count_as_much_as_the_many_more_rare_pairs() -> None:
    """The rarest half of the words is said no more; others take their places, in as many rare pairs as before."""
    rng, shares = np.random.default_rng(0), 1 / np.arange(1, 3001)

    def said(count: int, words: int) -> list[str]:
        drawn = rng.choice(words, (count, 20), p=shares[:words] / shares[:words].sum())
        return [" ".join(f"w{at}" for at in line) for line in drawn]

    anchor, real, fewer = ReferenceCorpus.of(said(1500, 3000)), said(1500, 3000), said(1500, 1000)
    assert anchor.pairs.sum() > 10 * (~anchor.pairs).sum()
    (found,) = drift({"tails": MeasureSpec(rare_ngrams_lost(anchor, [*real, *fewer]), "creativity", 0.1)}, 1500, 1500)
    assert found.value > 0.4


def test_texts_without_spaces_are_taken_apart_by_characters() -> None:
    assert ReferenceCorpus.of(["我们今天去公园，看花，喝茶，聊天，回家。"]).grams("看花喝") == [
        "\x02看花",
        "看花喝",
        "花喝\x03",
    ]


@pytest.mark.parametrize("attributes", [1, 3, 12])
def test_an_alarm_is_to_be_had_however_many_signals_are_looked_at(attributes: int) -> None:
    values = ["a"] * 300 + ["b"] * 300
    wanted = {"shift": MeasureSpec(shift(values), "bias", 0.05)}
    found = drift(wanted, 300, 300, other_tests=2 * attributes)
    others = [replace(found[0], name=str(at), p=0.9) for at in range(2 * attributes)]
    assert with_significance([*found, *others])[0].is_alarm
    assert drift(wanted, 300, 300, draws=19, other_tests=2)[0].mde > 0.99, "too few divisions to tell anything"


def test_how_far_from_the_truth_the_shares_of_real_rows_may_lie() -> None:
    rng, truth = np.random.default_rng(0), {"a": 0.7, "b": 0.3}
    near = 0
    for _ in range(400):
        real = list(rng.choice(["a", "b"], 500, p=[0.7, 0.3]))
        off = abs(real.count("a") / 500 - truth["a"])
        grown = abs(math.log(real.count("a") / real.count("b")) - math.log(0.7 / 0.3))
        near += (off <= shift_error(real)) + (grown <= log_odds_error(real, "a"))
    assert 0.93 <= near / 800 <= 0.97


def test_the_interval_of_a_distance_holds_it() -> None:
    """Of ten values as common on both sides, and of ten of which one has gained ten points."""
    rng, even = np.random.default_rng(0), np.full(10, 0.1)
    for truth, now in ((0.0, even), (0.1, np.r_[0.2, np.full(9, 0.8 / 9)])):
        held = 0
        for seed in range(60):
            values = [str(each) for each in (*rng.choice(10, 1000, p=even), *rng.choice(10, 1000, p=now))]
            (found,) = drift({"shift": MeasureSpec(shift(values), "bias", 0.05)}, 1000, 1000, seed)
            held += found.low <= truth <= found.high
        assert held >= 51


@pytest.mark.slow
def test_few_of_120_trials_without_a_change_alarm() -> None:
    alarms = sum(
        any(signal.significant for signal in compared(TOY.write(250, seed), TOY.write(250, seed + 1), seed).values())
        for seed in range(100, 340, 2)
    )
    assert alarms <= 11  # the 97.5 % quantile of Binomial(120, 0.05), as Holm's correction allows 5 % of the trials


@pytest.mark.slow
def test_a_group_that_gained_five_points_is_found_with_2000_texts() -> None:
    grown = ToyDocuments(shares=(0.65, 0.26, 0.09))
    found = [compared(TOY.write(2000, at), grown.write(2000, at + 1), at) for at in range(1000, 1040, 2)]
    # 2.5 % quantile of Binomial(20, 0.8): such a change should be found in four cases of five
    assert sum(each["odds"].significant or each["shift"].significant for each in found) >= 12
    assert all(each["odds"].value > 0 for each in found)


def test_the_smallest_drift_that_can_be_seen_shrinks_with_the_root_of_the_texts() -> None:
    few, many = (compared(TOY.write(n, 2), TOY.write(n, 3))["odds"].mde for n in (250, 1000))
    assert few / many == pytest.approx(2, rel=0.25)
    share = GROUP_SHARES[0]
    known = (2.2414 + 0.8416) * (2 / (1000 * share * (1 - share))) ** 0.5  # four signals: Holm's first is at 1.25 %
    assert many == pytest.approx(known, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["odds", "shift"])
def test_the_smallest_change_is_seen_in_four_cases_of_five_though_holm_s_correction_asks_for_more(kind: str) -> None:
    """One of five attributes changes, in each trial by what was said to be seen; the others stay."""
    rng, n = np.random.default_rng(0), 500

    def found(share: float, seed: int) -> Signal:
        shares = np.asarray([share, 0.5, 0.5, 0.5, 0.5])
        held = rng.random((2 * n, 5)) < np.where(np.arange(2 * n)[:, None] < n, 0.5, shares)
        values = ["ab"[int(each)] for each in held.T.ravel()]
        each = [values[at : at + 2 * n] for at in range(0, 10 * n, 2 * n)]
        measures = [log_odds_change(value, "b") if kind == "odds" else shift(value) for value in each]
        return drift({str(at): MeasureSpec(measure, "bias", 0.1) for at, measure in enumerate(measures)}, n, n, seed)[0]

    least = float(np.mean([found(0.5, seed).mde for seed in range(5)]))
    share = 1 / (1 + math.exp(-least)) if kind == "odds" else 0.5 + least
    assert 0.7 <= np.mean([found(share, seed).significant for seed in range(100)]) <= 0.9


def signal(p: float) -> Signal:
    return Signal("one", "bias", 1.0, 0.5, 1.5, p, 0.1, 0.1, 100)


@pytest.mark.parametrize(
    ("chances", "significant"),
    [
        ([0.01, 0.04, 0.03], [True, False, False]),  # 0.01 <= 0.05 / 3, but 0.03 > 0.05 / 2
        ([0.01, 0.02, 0.04], [True, True, True]),
        ([0.02, 0.001], [True, True]),
        ([0.06], [False]),
    ],
)
def test_holm_s_correction(chances: Sequence[float], significant: list[bool]) -> None:
    assert [each.significant for each in with_significance([signal(p) for p in chances])] == significant


def test_the_most_common_value_is_the_first_of_equals() -> None:
    assert most_common(["b", "a", "b", "a", "c"]) == "a"


def test_short_texts_are_taken_apart_by_characters() -> None:
    anchor = ReferenceCorpus.of(["anna", "maria", "otto"] * 2)
    assert "ann" in anchor.rare
    assert ReferenceCorpus.of(["the cat sat on the mat"]).grams("The cat") == ["the", "cat", "the cat"]


def test_texts_of_nothing_are_no_error() -> None:
    assert ANCHOR.embed([""]).shape == (1, 24)
    assert not any(each.is_alarm for each in compared(([""] * 150, ["a"] * 150), ([""] * 150, ["a"] * 150)).values())
