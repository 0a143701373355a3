"""The engine under every trainer: the mean of the last steps."""

from __future__ import annotations

from statistics import mean

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from trainer_fixtures import HELD_OUT, REST, alike, blank, mixed, nats, quiet

from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.objective import sample_batches
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import Schedule, train_steps
from selfsown.train import sft


def trained(seed: int, steps: int, average: float) -> tuple[Tiny, list[Tiny]]:
    """A model, and what it was after each step."""
    model, after = blank(seed), list[Tiny]()
    tokens, draws = pad(model.encode(REST)), sample_batches(mixed(REST), steps, 16, torch.Generator().manual_seed(seed))

    def loss(read: Tensor) -> Tensor:
        return F.cross_entropy(model.network(read[:, :-1]).mT, read[:, 1:], ignore_index=PAD)

    def tick(done: int, of: int) -> None:
        after.append(model.copy())

    pace = Schedule(steps, 0.02, 0.003, 0.1, average)
    train_steps(model.network, ([tokens[draw]] for draw in draws), loss, pace, tick)
    return model, after


@pytest.mark.parametrize(("average", "last"), [(0.3, 3), (0.25, 3), (0.1, 1), (0.0, 1), (1.0, 10)])
def test_the_weights_become_the_mean_of_the_last_steps(average: float, last: int) -> None:
    model, after = trained(0, 10, average)
    expected = blank(0)
    weights = [each.network.state_dict() for each in after[-last:]]
    expected.network.load_state_dict({name: sum(each[name] for each in weights) / last for name in weights[0]})
    assert alike(model, expected, within=1e-6)


def test_the_mean_is_better_than_what_it_is_the_mean_of() -> None:
    for seed in range(3):
        model, after = trained(seed, 40, 0.3)
        assert nats(model, HELD_OUT[:200]) < mean(nats(each, HELD_OUT[:200]) for each in after[-12::3])


def test_average_last_is_an_option_of_a_trainer() -> None:
    options = {"steps": 10, "batch_size": 16}
    mixture = mixed(REST)
    last, averaged = (sft.train(mixture, blank(1), 1, quiet, average_last=share, **options) for share in (0.0, 0.5))
    assert not alike(last, averaged, within=1e-4)
