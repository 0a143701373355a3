"""What the tests of trainers share: a small world, its models, and a training step written the plain way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from selfsown.evaluate import accuracy
from selfsown.models.tiny.model import Tiny, create
from selfsown.models.tiny.trainer import Schedule, train_steps
from selfsown.records import Mixture, Row
from selfsown.tasks.programs import Task
from selfsown.train import sft

WORLD = Task(rows=6500, levels=1)
ROWS = WORLD.pose(0)
HELD_OUT, REST = ROWS[:400], ROWS[400:2500]
ASKED, EXAM = ROWS[2500:5500], ROWS[5500:]  # prompts to try answers to, and to measure accuracy on

# Changes of the recipe `first` for a run of seconds whose base model answers some prompts right and others wrong.
SMALL_RUN = (
    "real.programs.rows=240",
    "real.programs.levels=1",
    "held_out=60",
    "student.tiny.layers=1",
    "student.tiny.width=32",
    "base_train.sft.steps=60",
    "generations=1",
    "prompts_per_generation=60",
    "evaluate=[accuracy]",
    "guard=[]",
    "control=false",
)


def quiet(done: int, of: int) -> None: ...


def mixed(rows: Sequence[Row]) -> Mixture:
    return Mixture(rows, np.ones(len(rows)))


def blank(seed: int, layers: int = 1, width: int = 32) -> Tiny:
    return create(REST, seed, layers=layers, width=width)


@cache
def _taught(seed: int) -> Tiny:
    return sft.train(mixed(REST), blank(seed), seed, quiet, steps=60, batch_size=32)


def taught(seed: int) -> Tiny:
    """One that knows a little: a copy, for it is trained once."""
    return _taught(seed).copy()


@cache
def begun(seed: int) -> Tiny:
    """One that answers some four held-out prompts in ten, and may learn from its own tries."""
    return sft.train(mixed(REST[:1000]), blank(seed, 2, 48), seed, quiet, steps=250, batch_size=32, learning_rate=0.01)


def right(model: Tiny) -> float:
    """The share of held-out prompts that it answers right."""
    (score,) = accuracy.evaluate(model, EXAM, WORLD)
    return score.value


def plainly(parent: Tiny, batches: Sequence[object], loss: Callable[[Tiny, object], Tensor], pace: Schedule) -> Tiny:
    """A child after these batches, each whole and on one thread."""
    child = parent.copy()
    train_steps(child.network, [[batch] for batch in batches], lambda batch: loss(child, batch), pace, quiet)
    return child


def alike(one: Tiny, other: Tiny, *, within: float = 0.0) -> bool:
    """Whether all weights are the same."""
    ours, theirs = one.network.state_dict(), other.network.state_dict()
    return all(torch.allclose(ours[name], theirs[name], rtol=0, atol=within) for name in ours)


def nats(model: Tiny, rows: Sequence[Row]) -> float:
    """Nats per character."""
    bits, characters = zip(*model.bits(rows), strict=True)
    return math.log(2) * sum(bits) / sum(characters)
