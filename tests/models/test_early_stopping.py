"""Early stopping: rows that are set aside, when training ends, and which weights it returns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from trainer_fixtures import HELD_OUT, REST, alike, blank, mixed, nats, quiet

from selfsown.models.tiny.early_stopping import MAX_ROWS, MIN_ROWS, RunningMean, set_aside
from selfsown.models.tiny.model import Tiny
from selfsown.models.tiny.objective import draw_batches
from selfsown.records import Mixture, Row, Training
from selfsown.train import distill, sft

FEW = REST[:80]
OPTIONS = {"steps": 300, "batch_size": 16}


@pytest.fixture(scope="module")
def stopped() -> tuple[Tiny, Training]:
    """A model trained on few rows until it was stopped."""
    done: list[Training] = []
    return sft.train(mixed(FEW), blank(0), 0, quiet, done.append, early_stopping=0.2, **OPTIONS), done[0]


def synthetic(count: int) -> list[Row]:
    return [replace(row, origin="synthetic", sample_index=at) for at, row in enumerate(REST[1000 : 1000 + count])]


def drawn(mixture: Mixture) -> list[Row]:
    """The rows that training may draw."""
    return [row for row, weight in zip(mixture.rows, mixture.weights, strict=True) if weight]


def test_the_rows_set_aside_are_real_and_are_the_same_in_every_training_of_a_run() -> None:
    mixture = Mixture([*FEW, *synthetic(40)], np.array([0.5 / 80] * 80 + [0.5 / 40] * 40))
    rest, aside = set_aside(mixture, 0.25)
    assert {row.origin for row in aside} == {"real"}
    assert len(aside) >= 20
    assert set_aside(mixed(FEW), 0.25)[1] == aside, "other rows in the mixture change nothing"
    assert not {row.key for row in aside} & {row.key for row in drawn(rest)}
    assert rest.real_share == pytest.approx(0.5)
    copies = Mixture([*mixture.rows, *(replace(row, origin="synthetic") for row in aside)], np.ones(120 + len(aside)))
    assert not {row.key for row in aside} & {row.key for row in drawn(set_aside(copies, 0.25)[0])}


@pytest.mark.parametrize(
    ("rows", "share", "least", "most"),
    [(80, 0.0, 0, 0), (20, 0.1, 0, 0), (80, 0.05, MIN_ROWS, 20), (2000, 0.5, MAX_ROWS, MAX_ROWS + 20)],
)
def test_so_many_are_set_aside(rows: int, share: float, least: int, most: int) -> None:
    rest, aside = set_aside(mixed(REST[:rows]), share)
    assert least <= len(aside) <= most
    assert len(drawn(rest)) + len(aside) == rows


def test_a_mixture_without_real_rows_says_why_it_does_not_stop_early() -> None:
    done: list[Training] = []
    sft.train(mixed(synthetic(40)), blank(0), 0, quiet, done.append, steps=3, batch_size=8, early_stopping=0.1)
    assert done[0].sentence() == "3 steps, 0.6 epochs; no early stopping, for want of real rows in the mixture"


def test_it_stops_before_few_rows_are_memorised_and_returns_the_best_weights(stopped: tuple[Tiny, Training]) -> None:
    model, done = stopped
    assert 0 < done.best_step < done.steps < 300
    assert done.sentence().startswith(f"stopped early after {done.steps} steps (")
    assert nats(model, HELD_OUT) < nats(sft.train(mixed(FEW), blank(0), 0, quiet, **OPTIONS), HELD_OUT) - 0.1
    again = sft.train(mixed(FEW), blank(0), 0, quiet, early_stopping=0.2, **OPTIONS)
    assert alike(model, again)


def test_a_training_that_only_does_harm_returns_the_model_it_started_from(stopped: tuple[Tiny, Training]) -> None:
    start, _ = stopped
    done: list[Training] = []
    options = {"learning_rate": 5.0, "embedding_learning_rate": 5.0, "early_stopping": 0.2}
    child = sft.train(mixed(FEW), start, 1, quiet, done.append, steps=110, batch_size=16, **options)
    assert alike(child, start)
    assert "no step lowered the loss" in done[0].sentence()


def test_distillation_stops_early_too() -> None:
    teacher = sft.train(mixed(REST[:400]), blank(1), 1, quiet, steps=40, batch_size=32)
    done: list[Training] = []
    distill.train(
        mixed(FEW),
        blank(0),
        0,
        quiet,
        teacher,
        done.append,
        steps=4,
        batch_size=0,
        sampled_labels=2,
        early_stopping=0.2,
    )
    assert done[0].steps == 4
    assert done[0].stopping_rows >= MIN_ROWS


def test_the_running_mean_weights_later_steps_more() -> None:
    model = blank(0)
    mean, weight = RunningMean(model.network), next(model.network.parameters())
    for step in (1, 2, 3):
        weight.data.fill_(float(step))
        mean.update(step)
    expected = sum(step * step * (step + 1) / 2 for step in (1, 2, 3)) / sum(
        step * (step + 1) / 2 for step in (1, 2, 3)
    )
    assert float(mean.mean[0].flatten()[0]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rows", "steps", "epochs", "batch", "expected"),
    [
        (80, 100, 0.0, 8, (100, 8)),
        (80, 100, 2.0, 8, (20, 8)),
        (80, 10, 2.0, 8, (10, 8)),
        (80, 100, 0.0, 0, (100, 16)),
        (2000, 100, 1.0, 0, (65, 31)),
    ],
)
def test_epochs_bound_the_steps_and_the_batch_follows_the_rows(
    rows: int, steps: int, epochs: float, batch: int, expected: tuple[int, int]
) -> None:
    distinct = [Row("", f"text {at}") for at in range(rows)]
    draws = draw_batches(mixed(distinct), steps, epochs, batch, torch.Generator())
    assert draws.steps == expected[0]
    assert draws.indices.shape == expected


def test_an_epoch_is_a_pass_over_the_rows_that_are_repeated_most() -> None:
    real, made = [Row("", str(at)) for at in range(10)], [Row("", f"x{at}", origin="synthetic") for at in range(90)]
    mixture = Mixture([*real, *made], np.array([0.5 / 10] * 10 + [0.5 / 90] * 90))
    assert mixture.epochs(100) == pytest.approx(5.0)
    assert mixed([*real, *real]).epochs(100) == pytest.approx(10.0), "rows with the same text count once"
