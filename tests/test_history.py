"""Which generation is the best is decided on validation rows and reported on test rows, wherever it is shown."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest
from histories import Better, folder, generation, history, refused, score, terminal
from hypothesis import given
from hypothesis import strategies as st

from selfsown.findings import Findings
from selfsown.history import best_of, last_accepted, learned_from_synthetic, trainings
from selfsown.html import report
from selfsown.records import Generation
from selfsown.run_folder import RunFolder

# Generation 2 is the best on validation rows, generation 1 on test rows.
TURNED = [generation(0, 0.50, real=1.0), generation(1, 0.90, 0.60), generation(2, 0.70, 0.80)]
SIMULATED, LAPS, ROWS, TRUTH = 2000, 6, 100, 0.5  # ROWS: in each half of the held-out ones


def test_the_best_is_chosen_on_validation_rows_and_reported_on_test_rows(tmp_path: Path) -> None:
    found = Findings(TURNED, [], "accuracy", "previous", False, "runs/x")
    assert best_of(TURNED, "accuracy").number == found.best.number == found.reported.number == 2
    at = folder(tmp_path / "run", TURNED, [])
    page = report.write(at).read_text(encoding="utf-8")
    for shown in (" ".join(found.sentences()), page, terminal(TURNED, [])):
        assert "0.500 [0.480, 0.520] from real rows alone, 0.700 [0.680, 0.720] in generation 2" in shown
        assert "which the validation rows chose" in shown
    assert "rose from 0.500 to 0.700" in page
    assert "2 (best)" in page


def test_a_best_by_test_rows_alone_is_not_the_best() -> None:
    found = [generation(0, 0.5, 0.5, real=1.0), generation(1, 0.9, 0.4)]
    assert best_of(found, "accuracy").number == 0
    assert Findings(found, [], "accuracy", "previous", False, "runs/x").reported.number == 1, (
        "where it is generation 0, the last accepted"
    )


@pytest.mark.parametrize(("better", "best"), [("higher", 3), ("lower", 1), ("neither", 3)])
def test_the_direction_of_the_goal_decides(better: Better, best: int) -> None:
    found = [generation(at, 0.5, value, better=better) for at, value in enumerate((0.5, 0.3, 0.5, 0.7))]
    assert best_of(found, "accuracy").number == best


def test_of_equals_the_first_and_none_that_was_rolled_back_or_lacks_the_goal() -> None:
    found = [generation(0, 0.5), generation(1, 0.1, 0.6), generation(2, 0.9, 0.6), refused(generation(3, 0.9, 0.9))]
    found.append(Generation(4, 2, 1, {}, 0.5, (score(0.99),), validation_scores=(score(0.99, key="loss"),)))
    assert best_of(found, "accuracy").number == 1
    assert last_accepted(found).number == 4
    assert last_accepted(found[:4]).number == 2


def test_generations_of_before_there_were_validation_rows_are_chosen_by_the_scores_they_have() -> None:
    found = [generation(at, value, validation_scores=()) for at, value in enumerate((0.5, 0.7, 0.6))]
    assert best_of(found, "accuracy").number == 1


@pytest.mark.parametrize(
    ("start", "parents", "wanted"),
    [
        ("previous", [0, 0, 1, 2], [0, 1, 2, 3]),
        ("previous", [0, 0, 0, 2], [0, 1, 1, 2]),
        ("base", [0, 0, 1, 2], [0, 1, 1, 1]),
    ],
)
def test_trainings_are_counted_along_the_parents(start: str, parents: list[int], wanted: list[int]) -> None:
    found = [generation(at, 0.5, parent=parent) for at, parent in enumerate(parents)]
    assert [trainings(found, each, start) for each in found] == wanted


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 1.0 - 1e-15, 1.0])), max_size=6))
def test_synthetic_rows_were_learned_from_where_an_accepted_generation_drew_some(
    laps: list[tuple[bool, float]],
) -> None:
    found = [generation(0, 0.5, real=1.0)]
    for at, (stands, real) in enumerate(laps, 1):
        each = generation(at, 0.5, real=real)
        found.append(each if stands else refused(each))
    for each in found:
        before = laps[: each.number]
        assert learned_from_synthetic(found, each) == any(stands and real < 0.9 for stands, real in before)


def test_the_reported_score_of_equal_generations_is_the_truth_on_average() -> None:
    """All generations are equally good and scores are noise: what chooses the best flatters it, and nothing else."""
    rng = random.Random(0)

    def share(rows: int) -> float:
        return sum(rng.random() < TRUTH for _ in range(rows)) / rows

    reported, flattered = list[float](), list[float]()
    for _ in range(SIMULATED):
        found = [generation(at, share(ROWS), share(ROWS)) for at in range(LAPS)]
        reported.append(Findings(found, [], "accuracy", "previous", False, "runs/x").best.scores[0].value)
        same = [Generation(each.number, 0, 1, {}, 0.5, each.scores) for each in found]
        flattered.append(best_of(same, "accuracy").scores[0].value)
    error = statistics.stdev(reported) / SIMULATED**0.5
    assert abs(statistics.fmean(reported) - TRUTH) < 3 * error
    assert statistics.fmean(flattered) > TRUTH + 20 * error, "chosen and reported on the same rows"


def test_history_on_disk_keeps_both_halves(tmp_path: Path) -> None:
    at = folder(tmp_path / "run", TURNED, history(0.5, 0.6, real=1.0))
    assert RunFolder(at).generations() == TURNED
    assert [each.scores[0].value for each in RunFolder(at).generations("control")] == [0.5, 0.6]
    assert RunFolder(at).generations()[2].pooled("accuracy") == pytest.approx(0.75)
