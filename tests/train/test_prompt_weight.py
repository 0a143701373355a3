"""What a prompt's tokens count in the loss of `sft`."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F
from trainer_fixtures import HELD_OUT, REST, alike, blank, mixed, quiet

from selfsown.evaluate import loss
from selfsown.models.tiny.model import Tiny, pad
from selfsown.models.tiny.tokenizer import PAD
from selfsown.models.tiny.trainer import mask_prompt
from selfsown.train import sft

OPTIONS = {"steps": 40, "batch_size": 32}


def trained(**options: float) -> Tiny:
    return sft.train(mixed(REST), blank(1), 1, quiet, **{**OPTIONS, **options})


@torch.no_grad()
@pytest.mark.parametrize("weight", [0.0, 0.2, 1.0])
def test_the_loss_is_the_weighted_mean_over_the_batch(weight: float) -> None:
    model = blank(2)
    tokens = pad(model.encode([*REST[:7], *REST[1500:1506]]))
    (halves,) = sft._batches(tokens, [torch.arange(len(tokens))], torch.Generator(), prompt_weight=weight)
    found = sum(sft._loss(model.network, half).item() for half in halves)
    targets, answers = tokens[:, 1:], mask_prompt(tokens)[:, 1:]
    each = F.cross_entropy(model.network(tokens[:, :-1]).mT, targets, reduction="none")
    prompts = (targets != PAD) & (answers == PAD)
    sums = each[answers != PAD].sum() + weight * each[prompts].sum()
    assert found == pytest.approx(float(sums / ((answers != PAD).sum() + weight * prompts.sum())), rel=1e-4)


def test_of_weight_0_it_is_answers_only() -> None:
    assert alike(trained(prompt_weight=0.0), trained(answers_only=True), within=0.0)
    assert not alike(trained(prompt_weight=0.2), trained(answers_only=True), within=1e-3)


def test_a_small_weight_favours_answers_and_still_learns_prompts() -> None:
    def bits(model: Tiny, **options: bool) -> float:
        return next(loss.evaluate(model, HELD_OUT, **options)).value

    whole, light, answers = trained(), trained(prompt_weight=0.2), trained(prompt_weight=0.0)
    assert bits(light, answers_only=True) < bits(whole, answers_only=True)
    assert bits(light) < bits(blank(1)) - 1
    assert bits(light) < bits(answers) - 1
