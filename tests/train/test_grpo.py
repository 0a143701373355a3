"""A student learns from the grades of its own tries, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_dpo import said
from torch import Tensor
from trainer_fixtures import ASKED, REST, SMALL_RUN, WORLD, alike, begun, blank, mixed, plainly, quiet, right, taught

from selfsown import loop
from selfsown.grade import verify
from selfsown.models.tiny.model import Tiny
from selfsown.models.tiny.trainer import Schedule
from selfsown.recipe.recipe import Recipe
from selfsown.records import Grade, Row, SelfsownError
from selfsown.stats.intervals import student
from selfsown.train import grpo

RATES = {"learning_rate": 0.02, "embedding_learning_rate": 0.003, "weight_decay": 0.1}


def checked(rows: Sequence[Row]) -> list[Row]:
    """Graded by the world."""
    live = [row for row in rows if not row.status]
    graded = iter([row.graded(grade) for row, grade in zip(live, verify.grade(live, WORLD), strict=True)])
    return [row if row.status else next(graded) for row in rows]


class Watcher:
    """Grades by the letters of the answer, some of them not at all, and keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[list[Row]] = []

    def __call__(self, rows: Sequence[Row]) -> list[Row]:
        found = [row if row.status else self.grade(row) for row in rows]
        self.seen.append(found)
        return found

    def grade(self, row: Row) -> Row:
        if row.answer.endswith("7"):
            return row.failed("unknown")
        return row.graded(Grade((sum(map(ord, row.answer)) % 5) / 4))


def advantages(rows: Sequence[Row], group: int) -> list[float]:
    found = []
    for at in range(0, len(rows), group):
        some = rows[at : at + group]
        scores = [0.0 if row.status else row.score for row in some if row.reason != "unknown"]
        mean = sum(scores) / len(scores)
        spread = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5
        for row in some:
            score = mean if row.reason == "unknown" else 0.0 if row.status else row.score
            found.append((score - mean) / (spread + 1e-4))
    return found


def naive(model: Tiny, parent: Tiny, rows: Sequence[Row], clip: float, kl: float) -> Tensor:
    """The loss, try by try and token by token, as the papers write it."""
    losses = []
    for row, advantage in zip(rows, advantages(rows, 4), strict=True):
        for now, old in zip(said(model, row), said(parent, row).detach(), strict=True):
            ratio = torch.exp(now - old)
            gain = min(ratio * advantage, torch.clamp(ratio, 1 - clip, 1 + clip) * advantage)
            losses.append(kl * (torch.exp(old - now) - (old - now) - 1) - gain)
    return torch.stack(losses).mean()


@pytest.mark.parametrize(("clip", "kl"), [(0.2, 0.0), (0.05, 0.5)])
def test_the_loss_is_that_of_the_papers(clip: float, kl: float) -> None:
    parent, watcher = taught(1), Watcher()
    child = grpo.train(
        mixed(REST[:20]),
        parent,
        4,
        quiet,
        watcher,
        batch_size=5,
        group_size=4,
        steps=3,
        updates_per_group=3,
        clip_range=clip,
        kl_weight=kl,
        **RATES,
    )
    (rows,) = watcher.seen
    assert len({row.prompt for row in rows[:4]}) == 1
    assert {row.reason for row in rows} >= {"", "unknown"}
    loss = lambda model, rows: naive(model, parent, rows, clip, kl)  # noqa: E731
    assert alike(child, plainly(parent, [rows] * 3, loss, Schedule(3, *RATES.values())), within=1e-4)
    assert not alike(child, parent, within=1e-3)


def test_samples_are_new_rows_of_the_prompt_and_drawn_again_for_each_group() -> None:
    watcher = Watcher()
    grpo.train(
        mixed([row.kept() for row in REST[:20]]), taught(1), 0, quiet, watcher, steps=3, batch_size=6, group_size=3
    )
    assert [len(rows) for rows in watcher.seen] == [18, 18]  # two updates each
    known = {row.id: row for row in REST[:20]}
    for row in watcher.seen[0]:
        assert (row.origin, row.method, row.prompt) == ("synthetic", "grpo", known[row.parents[0]].prompt)
        assert row.status in ("", "failed")
    assert [row.answer for row in watcher.seen[0]] != [row.answer for row in watcher.seen[1]]


def test_equal_grades_have_no_effect() -> None:
    parent = taught(1)
    child = grpo.train(mixed(REST), parent, 0, quiet, lambda rows: [replace(row, status="") for row in rows], steps=2)
    assert alike(child, parent)


def test_the_same_seed_gives_the_same_weights_and_the_parent_stays_as_it_was() -> None:
    parent = taught(1)
    before = parent.copy()
    first, again, other = (
        grpo.train(mixed(REST), parent, seed, quiet, checked, steps=4, batch_size=5, group_size=6) for seed in (2, 2, 3)
    )
    assert alike(first, again)
    assert not alike(first, other)
    assert alike(before, parent)


def test_rows_without_prompts_and_recipes_without_graders_are_refused() -> None:
    with pytest.raises(SelfsownError, match="no row has a prompt"):
        grpo.train(mixed([Row("", "emma")]), blank(1), 0, quiet, checked)
    with pytest.raises(SelfsownError, match="no grader is named"):
        Recipe.load("first", ["train=grpo", "grade=[]", "curate=[]", "control=false"])


def test_the_loop_lends_its_graders(tmp_path: Path) -> None:
    changes = ["generate=[]", "curate=[]", "train={grpo: {steps: 3, batch_size: 4}}"]
    for name in ("one", "other"):
        loop.run(Recipe.load("first", [*SMALL_RUN, *changes]), tmp_path / name)
    models = (("one", 1), ("other", 1), ("one", 0))
    one, other, base = (
        tmp_path / name / f"generation-0{number}" / "model" / "model.safetensors" for name, number in models
    )
    assert one.read_bytes() == other.read_bytes() != base.read_bytes()


@pytest.mark.slow
def test_accuracy_rises_over_its_start() -> None:
    """Over five seeds, by the interval of their mean."""
    gains = []
    for seed in range(5):
        base = begun(seed)
        child = grpo.train(mixed(ASKED), base, seed, quiet, checked, steps=150)
        gains.append(right(child) - right(base))
    print([round(gain, 3) for gain in gains], student(gains))
    assert student(gains)[0] > 0
