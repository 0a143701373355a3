"""A student learns to prefer the better of two answers, and does not unlearn it on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import FIRST
from torch import Tensor
from trainer_fixtures import ASKED, REST, SMALL_RUN, WORLD, alike, begun, blank, mixed, plainly, quiet, right, taught

from selfsown import loop
from selfsown.curate import min_score, preference_pairs
from selfsown.generate import sample
from selfsown.grade import verify
from selfsown.models.tiny.model import Tiny
from selfsown.models.tiny.objective import sample_batches
from selfsown.models.tiny.tokenizer import SEP
from selfsown.models.tiny.trainer import Schedule
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.stats.intervals import student
from selfsown.train import dpo

PAIRED = [replace(row, metadata={"rejected": row.answer[::-1] + "1" * (at % 3)}) for at, row in enumerate(REST[:30])]
MIXED = [*PAIRED, *REST[30:40]]


def said(model: Tiny, row: Row) -> Tensor:
    """The logarithms of the probabilities of the tokens of the answer, one by one."""
    (text,) = model.encode([row])
    logits = model.network(torch.tensor([text[:-1]]))[0]
    places = range(text.index(SEP), len(text) - 1)
    return torch.stack([torch.log_softmax(logits[at], 0)[text[at + 1]] for at in places])


def fork(one: str, other: str) -> int:
    """The first place where the two differ; their end is a token, too."""
    return next(at for at, pair in enumerate(zip(one + "$", other + "$", strict=False)) if pair[0] != pair[1])


def naive(model: Tiny, parent: Tiny, rows: Sequence[Row], beta: float, anchor: float, pivot: bool) -> Tensor:
    """The loss, pair by pair, as the papers write it."""
    losses, likely = [], []
    for row in rows:
        likely.append(said(model, row))
        if "rejected" in row.metadata:
            worse = replace(row, answer=row.metadata["rejected"])
            at = fork(row.answer, worse.answer)
            told = slice(at, at + 1) if pivot else slice(None)
            ours = said(model, row)[told].sum() - said(model, worse)[told].sum()
            theirs = said(parent, row)[told].sum() - said(parent, worse)[told].sum()
            losses.append(-torch.sigmoid(beta * (ours - theirs.detach())).log())
    return torch.stack(losses).mean() - anchor * torch.cat(likely).mean()


@pytest.mark.parametrize(("beta", "anchor", "pivot"), [(0.1, 0.2, False), (2.0, 0.0, False), (2.0, 0.2, True)])
def test_the_loss_is_that_of_the_papers(beta: float, anchor: float, pivot: bool) -> None:
    parent, mixture = taught(1), mixed(MIXED)
    rates = {"learning_rate": 0.02, "embedding_learning_rate": 0.003, "weight_decay": 0.1}
    child = dpo.train(
        mixture, parent, 4, quiet, batch_size=9, beta=beta, nll_weight=anchor, pivotal_only=pivot, steps=3, **rates
    )
    draws = sample_batches(mixture, 3, 9, torch.Generator().manual_seed(4))
    batches = [[MIXED[at] for at in draw] for draw in draws.tolist()]
    loss = lambda model, rows: naive(model, parent, rows, beta, anchor, pivot)  # noqa: E731
    assert alike(child, plainly(parent, batches, loss, Schedule(3, *rates.values())), within=1e-4)
    assert not alike(child, parent, within=1e-3)


def test_better_answers_become_likelier_than_worse_ones_and_stay_likely() -> None:
    parent = taught(1)
    child = dpo.train(mixed(PAIRED), parent, 0, quiet, steps=20, batch_size=16)
    better = [float((said(child, row).sum() - said(parent, row).sum()).detach()) for row in PAIRED]
    others = [replace(row, answer=row.metadata["rejected"]) for row in PAIRED]
    worse = [float((said(child, row).sum() - said(parent, row).sum()).detach()) for row in others]
    assert sum(better) > 0 > sum(worse)


def test_the_same_seed_gives_the_same_weights_and_the_parent_stays_as_it_was() -> None:
    parent = taught(1)
    before = parent.copy()
    first, again, other = (dpo.train(mixed(MIXED), parent, seed, quiet, steps=4, batch_size=9) for seed in (2, 2, 3))
    assert alike(first, again)
    assert not alike(first, other)
    assert alike(before, parent)


def test_rows_without_a_pair_are_refused_where_there_is_no_other() -> None:
    with pytest.raises(SelfsownError, match="no row that is drawn has a rejected answer"):
        dpo.train(mixed(REST), blank(1), 0, quiet, steps=1)


def test_a_recipe_that_starts_with_dpo_must_set_base_train_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    recipe = Recipe.load(
        "first",
        [
            *(change for change in FIRST if "train" not in change and "base" not in change),
            "train=dpo",
            "base_train=null",
        ],
    )
    with pytest.raises(SelfsownError, match="set base_train: sft"):
        loop.run(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pairs_come_from_the_loop_and_survive_in_the_store(tmp_path: Path) -> None:
    changes = [
        "generate=[{sample: {n: 8}}]",
        "curate=[preference_pairs, min_score, decontaminate]",
        "grade=verify",
    ]
    changes += ["mix=replace", "train={dpo: {steps: 3, batch_size: 8}}"]
    recipe = Recipe.load("first", [*SMALL_RUN, *changes])
    loop.run(recipe, tmp_path / "run")
    rows = {row.id: row for row in RunFolder(tmp_path / "run").rows("generation-01/rows") or []}
    made = [row for row in rows.values() if row.method == "preference_pairs" and row.status == "kept"]
    assert made
    for row in made:
        chosen, worse = (rows[parent] for parent in row.parents)
        assert (row.answer, row.metadata["rejected"]) == (chosen.answer, worse.answer)
        assert (chosen.score, worse.score, worse.status) == (1.0, 0.0, "rejected")
        assert worse.reason.startswith("verify: ")


@pytest.mark.slow
def test_it_learns_from_its_own_right_and_wrong_tries_in_every_seed() -> None:
    gains = []
    for seed in range(5):
        base = begun(seed)
        tried = [row for row in sample.generate(ASKED, base, WORLD, seed) if not row.status]
        graded = (row.graded(grade) for row, grade in zip(tried, verify.grade(tried, WORLD), strict=True))
        found = [
            row
            for row in min_score.curate(preference_pairs.curate(list(graded), []), WORLD)
            if not row.status and row.method == "preference_pairs"
        ]
        child = dpo.train(mixed(found), base, seed, quiet, steps=120, batch_size=32)
        gains.append(right(child) - right(base))
    print([round(gain, 3) for gain in gains], student(gains))
    assert student(gains)[0] > 0
