"""The loop written by hand on one page gives the package's counts, accuracies and weights, bit for bit."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from selfsown import loop
from selfsown.models.tiny import model
from selfsown.models.tiny.transformer import Network
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import generation_dir

PAGE = Path(__file__).parents[2] / "examples" / "loop_by_hand.py"
SMALL = {"generations": 3, "rows": 300, "held_out": 150, "proposals": 300, "steps": 30, "layers": 1, "width": 32}
SETTINGS: list[Any] = [
    pytest.param({}, id="as it stands", marks=pytest.mark.slow),
    pytest.param({**SMALL, "seed": 1, "levels": 2, "layers": 3, "batch": 33}, id="two levels, uneven halves"),
    pytest.param({**SMALL, "seed": 5, "generations": 6, "errors": 0.0}, id="any fall is rolled back"),
]


@pytest.fixture
def by_hand() -> Iterator[ModuleType]:
    """The example as a module. It sets torch to one thread; afterwards there are as many as before."""
    threads = torch.get_num_threads()
    spec = importlib.util.spec_from_file_location("loop_by_hand", PAGE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("constants", SETTINGS)
def test_by_hand_and_by_package_are_equal_bit_for_bit(
    by_hand: ModuleType, constants: dict[str, Any], tmp_path: Path
) -> None:
    page = by_hand.Recipe(**constants)
    by_package = loop.run(Recipe.of(_recipe(page)), tmp_path / "run")
    history = by_hand.main(**constants)
    assert len(by_package) == len(history) == page.generations + 1
    for ours, theirs in zip(by_package, history, strict=True):
        counts = {"kept": len(theirs.kept), "rejected": theirs.rejected, "failed": theirs.failed}
        assert {end: ours.counts.get(end, 0) for end in counts} == counts
        assert {form: _accuracy(ours, form) for form in theirs.accuracy} == theirs.accuracy
        assert ours.accepted == theirs.stands
        saved = model.load(tmp_path / "run" / generation_dir(ours.number) / "model").network
        for weight, same in zip(_weights(saved), [*theirs.model.matrices, *theirs.model.others], strict=True):
            assert torch.equal(weight, same)
    assert history[-1].kept, "nothing was kept in the end, so little was compared"
    if "errors" in constants:
        assert {theirs.stands for theirs in history} == {True, False}, "this setting shows no rollback any more"


def _accuracy(generation: Any, form: str) -> float | None:
    score = generation.score(f"accuracy[form={form}]")
    return score.value if score else None


def _weights(network: Network) -> Iterator[torch.Tensor]:
    """In the page's order, where each weight of a block is one of all blocks."""
    for part in ("attention_in", "attention_out", "feed_in", "feed_out"):
        yield torch.stack([getattr(block, part).weight for block in network.blocks])
    yield network.tokens.weight
    yield network.positions.weight
    for part in ("before_attention", "before_feed"):
        yield torch.stack([getattr(block, part).weight for block in network.blocks])
    yield network.last.weight
    yield network.head.weight


def _recipe(page: Any) -> dict[str, Any]:
    """The page's constants as a recipe. Every option is given, so that another default changes nothing here."""
    learn = {"steps": page.steps, "batch_size": page.batch, "learning_rate": 0.02}
    learn |= {"embedding_learning_rate": 0.003, "weight_decay": 0.1}
    size = {"layers": page.layers, "width": page.width, "heads": page.heads, "context": 0}
    return {
        "name": "by_hand",
        "seed": page.seed,
        "real": {"programs": {"rows": page.rows, "levels": page.levels, "length": 4}},
        "held_out": page.held_out,
        "student": {"tiny": size},
        "base_train": {"sft": learn},
        "init_from": "previous",
        "generations": page.generations,
        "level": 0,  # the top one from the beginning: none is opened later
        "patience": page.generations + 1,  # the page never gives up
        "generate": [{"propose": {"count": page.proposals, "temperature": 1.0}}],
        "grade": [{"verify": {"correct": True}}],
        "curate": [{"min_score": {"min_score": 0.5}}, "dedup", "decontaminate", "restate"],
        "mix": {"accumulate": {"real_share": 1 / 3}},
        "train": {"sft": learn},
        "evaluate": [{"accuracy": {"by": ["form"]}}],
        "goal": "accuracy[form=induction]",
        "guard": [{"regression": {"std_errors": page.errors, "tolerance": 0.0}}],
    }
