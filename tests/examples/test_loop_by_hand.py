"""The loop written by hand on one page gives the package's rows, accuracies and weights, bit for bit."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from selfsown import loop
from selfsown.models import tiny
from selfsown.recipe import Recipe

PAGE = Path(__file__).parents[2] / "examples" / "loop_by_hand.py"

SMALL = {"generations": 3, "rows": 300, "held_out": 150, "proposals": 300, "steps": 30, "layers": 1, "width": 32}
SETTINGS: list[Any] = [
    pytest.param({}, id="as it stands", marks=pytest.mark.slow),
    pytest.param({**SMALL, "seed": 1, "levels": 2, "layers": 3, "batch": 33}, id="another seed, two levels"),
    pytest.param({**SMALL, "seed": 2, "errors": 0.0}, id="any fall is rolled back"),
]


@pytest.fixture
def by_hand() -> Iterator[ModuleType]:
    """The example as a module. It sets torch to one thread, which is put back after it."""
    threads = torch.get_num_threads()
    spec = importlib.util.spec_from_file_location("loop_by_hand", PAGE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    torch.set_num_threads(threads)


@pytest.mark.parametrize("constants", SETTINGS)
def test_by_hand_and_package_are_equal_bit_for_bit(
    by_hand: ModuleType, constants: dict[str, Any], tmp_path: Path
) -> None:
    ours = loop.run(Recipe.of(_recipe(by_hand.Recipe(**constants))), tmp_path / "run")
    theirs = by_hand.main(**constants)
    assert len(ours) == len(theirs) == by_hand.Recipe(**constants).generations + 1
    for package, hand in zip(ours, theirs, strict=True):
        counts = {"kept": len(hand.kept), "rejected": hand.rejected, "failed": hand.failed}
        assert {end: package.counts.get(end, 0) for end in counts} == counts
        assert package.counts.get("made", 0) == sum(counts.values())
        for form, accuracy in hand.accuracy.items():
            score = package.score(f"accuracy[form={form}]")
            assert score
            assert score.value == accuracy
        assert package.stands == hand.stands
        saved = tiny.load(tmp_path / "run" / loop.place(package.number) / "model").network
        weights = list(zip(saved.parameters(), hand.model.parameters(), strict=True))
        assert all(torch.equal(one, other) for one, other in weights)
    assert any(generation.kept for generation in theirs), "nothing was kept, so nothing was compared"
    assert "errors" not in constants or {generation.stands for generation in theirs[1:]} == {True, False}


def _recipe(page: Any) -> dict[str, Any]:
    """The page's constants as a recipe. Every knob is given, so that a new default changes nothing here."""
    learn = {"steps": page.steps, "batch": page.batch, "rate": 0.02, "embedding_rate": 0.003, "weight_decay": 0.1}
    size = {"layers": page.layers, "width": page.width, "heads": page.heads, "context": 0}
    return {
        "name": "by_hand",
        "seed": page.seed,
        "real": {"programs": {"rows": page.rows, "levels": page.levels, "length": 4}},
        "held_out": page.held_out,
        "student": {"tiny": size},
        "base": {"tiny": learn},
        "start": "last",
        "generations": page.generations,
        "level": 0,  # the top one from the beginning: none is opened later
        "patience": page.generations + 1,  # the page never gives up
        "generate": [{"propose": {"count": page.proposals, "temperature": 1.0}}],
        "grade": [{"verify": {"repair": True}}],
        "curate": [{"passed": {"least": 0.5}}, "duplicates", "leaks", "restate"],
        "mix": {"accumulate": {"real_share": 1 / 3}},
        "train": {"tiny": learn},
        "evaluate": [{"accuracy": {"by": ["form"]}}],
        "goal": "accuracy[form=induction]",
        "guard": [{"progress": {"errors": page.errors, "tolerance": 0.0}}],
    }
