"""What training a student needs of memory and disk, where its module can say so, as a sentence before the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step

GIGABYTE = 1e9
Estimate = Callable[[Step, list[Step]], tuple[int, int, int] | None]  # bytes of memory, disk, and each saved model


def training_needs(recipe: Recipe) -> Iterator[str]:
    """A sentence, and one more where this machine has less memory."""
    estimate: Estimate | None = getattr(recipe.student.module, "training_needs", None)
    needs = (
        estimate(recipe.student, [step for step in (recipe.base_train, *recipe.train) if step]) if estimate else None
    )
    if not needs:
        return
    memory, disk, model = (number / GIGABYTE for number in needs)
    kept = recipe.generations + 1 if recipe.keep_models == "all" else 3
    yield (
        f"training needs about {memory:.1f} GB of memory and {disk:.1f} GB of disk for its checkpoints; the models "
        f"that stay need {model:.1f} GB each, {kept * model:.1f} GB in all (keep_models: {recipe.keep_models})"
    )
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIGABYTE
    if memory > physical and recipe.student.option("device") in ("auto", "cpu"):
        yield (
            f"this machine has {physical:.0f} GB of memory: without a larger GPU, set train_weights: lora, or take a "
            "smaller model"
        )
