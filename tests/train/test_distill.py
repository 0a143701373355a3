"""A student learns a teacher's whole distribution, also from a few draws of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from trainer_fixtures import HELD_OUT, REST, alike, blank, mixed, nats, plainly, quiet, taught

from selfsown.models.tiny.model import Tiny, create
from selfsown.models.tiny.objective import sample_batches
from selfsown.models.tiny.trainer import Schedule
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.train import distill, sft
from testing.echo_model import Parrot

SOME = REST[:40]


@pytest.fixture(scope="module")
def teacher() -> Tiny:
    return taught(7)


def naive(student: Tiny, teacher: Tiny, rows: Sequence[Row], temperature: float, hard: float) -> Tensor:
    """The loss, row by row and token by token, as the books write it."""
    losses = []
    for text in student.encode(rows):
        read = torch.tensor([text[:-1]])
        ours, theirs = student.network(read)[0], teacher.network(read)[0].detach()
        for place, token in enumerate(text[1:]):
            wanted = (theirs[place] / temperature).exp() / (theirs[place] / temperature).exp().sum()
            soft = -(wanted * torch.log_softmax(ours[place] / temperature, 0)).sum() * temperature**2
            losses.append((1 - hard) * soft - hard * torch.log_softmax(ours[place], 0)[token])
    return torch.stack(losses).mean()


@pytest.mark.parametrize(("temperature", "hard"), [(1.0, 0.0), (2.0, 0.3)])
def test_the_loss_is_that_of_the_books(teacher: Tiny, temperature: float, hard: float) -> None:
    parent, mixture = blank(1), mixed(SOME)
    rates = {"learning_rate": 0.02, "embedding_learning_rate": 0.003, "weight_decay": 0.1}
    child = distill.train(
        mixture,
        parent,
        4,
        quiet,
        teacher,
        batch_size=7,
        temperature=temperature,
        hard_label_weight=hard,
        steps=3,
        **rates,
    )
    draws = sample_batches(mixture, 3, 7, torch.Generator().manual_seed(4))
    batches = [[SOME[at] for at in draw] for draw in draws.tolist()]
    loss = lambda student, rows: naive(student, teacher, rows, temperature, hard)  # noqa: E731
    assert alike(child, plainly(parent, batches, loss, Schedule(3, *rates.values())), within=1e-4)
    assert not alike(child, parent, within=1e-3)


def test_all_of_it_hard_is_plain_training_and_many_draws_are_the_whole(teacher: Tiny) -> None:
    parent, mixture, how = blank(1), mixed(SOME), {"steps": 3, "batch_size": 8}
    hard = distill.train(mixture, parent, 4, quiet, teacher, hard_label_weight=1.0, **how)
    assert alike(hard, sft.train(mixture, parent, 4, quiet, **how), within=1e-4)
    full, many, one = (
        distill.train(mixture, parent, 4, quiet, teacher, sampled_labels=k, steps=1, batch_size=40)
        for k in (0, 20_000, 1)
    )
    moved = sum(float((a - b).square().sum()) for a, b in _weights(many, full))
    assert moved < 0.05 * sum(float((a - b).square().sum()) for a, b in _weights(one, full))


def _weights(one: Tiny, other: Tiny) -> zip[tuple[Tensor, Tensor]]:
    return zip(one.network.state_dict().values(), other.network.state_dict().values(), strict=True)


def test_the_same_seed_gives_the_same_weights_and_the_teacher_stays_as_it_was(teacher: Tiny) -> None:
    before = teacher.copy()
    first, again, other = (
        distill.train(mixed(SOME), blank(1), seed, quiet, teacher, steps=4, batch_size=9, sampled_labels=3)
        for seed in (2, 2, 3)
    )
    assert alike(first, again)
    assert not alike(first, other)
    assert alike(before, teacher)


def test_a_teacher_with_another_tokenizer_teaches_what_both_know(teacher: Tiny) -> None:
    """The same teacher, its characters turned around, teaches the same."""
    turned = teacher.copy()
    turned.tokenizer = replace(teacher.tokenizer, characters=teacher.tokenizer.characters[::-1])
    order = [0, 1, 2, 3, 4, *range(len(teacher.tokenizer) - 1, 4, -1)]
    with torch.no_grad():
        for weight in (turned.network.tokens.weight, turned.network.head.weight):
            weight.copy_(weight[order].clone())
    how = {"steps": 3, "batch_size": 8}
    same, also = (distill.train(mixed(SOME), blank(1), 4, quiet, each, **how) for each in (teacher, turned))
    assert alike(same, also, within=1e-4)
    more = create([*REST, Row("Ä", "ö")], 1, layers=1, width=32)  # characters that the teacher lacks
    child = distill.train(mixed([*SOME, Row("Ä", "ö")]), more, 4, quiet, teacher, **how)
    assert nats(child, SOME) < nats(more, SOME)


def test_answers_alone_leave_the_prompts_unlearned(teacher: Tiny) -> None:
    whole, answers = (
        distill.train(mixed(REST), blank(1), 0, quiet, teacher, steps=60, batch_size=32, answers_only=each)
        for each in (False, True)
    )
    prompts = [Row("", row.prompt) for row in HELD_OUT]
    assert nats(whole, prompts) < nats(answers, prompts) - 0.3


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (create([Row("", "äöü" * 20)], 0, layers=1, width=16), "knows none of the characters"),
        (create([Row("", "12")], 0, layers=1, width=16), "but the teacher's context is 6"),
        (Parrot(lambda prompt, at: ""), "needs a tiny model as its teacher, for its probabilities, not parrot"),
    ],
)
def test_a_teacher_that_cannot_teach_is_explained(other: Tiny, said: str) -> None:
    with pytest.raises(SelfsownError, match=said):
        distill.train(mixed(SOME), blank(1), 0, quiet, other, steps=1)


def test_a_recipe_without_a_teacher_that_shows_probabilities_is_refused(tmp_path: Path) -> None:
    remote = "teacher={endpoint: {url: http://localhost:1/v1, model: m}}"
    for more in ([], [remote]):
        with pytest.raises(SelfsownError, match="names a saved model"):
            Recipe.load("first", ["train=distill", *more])
    saved = f"teacher={{tiny: {{folder: {tmp_path}}}}}"
    assert Recipe.load("first", ["train=distill", saved]).train[0].method == "distill"


@pytest.mark.slow
def test_distilled_beats_one_hot_on_held_out_rows_in_every_seed_and_a_few_draws_come_close() -> None:
    """A larger teacher that saw 2,100 rows, a smaller student that sees 200. One-hot may choose its stop."""
    teacher = sft.train(mixed(REST), blank(9, 2, 64), 0, quiet, steps=150, batch_size=64)
    for seed in range(3):
        few, student = mixed(random.Random(seed).sample(REST, 200)), blank(seed)
        how = {"batch_size": 64}
        one_hot = min(nats(sft.train(few, student, seed, quiet, steps=n, **how), HELD_OUT) for n in (60, 90, 150))
        full, drawn = (
            nats(distill.train(few, student, seed, quiet, teacher, steps=150, sampled_labels=k, **how), HELD_OUT)
            for k in (0, 4)
        )
        print(round(one_hot, 3), round(full, 3), round(drawn, 3))
        assert full <= one_hot - 0.10
        assert abs(drawn - full) <= 0.10
