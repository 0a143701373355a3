"""Whether a training objective passes over the user's rows so often that the repeats teach almost nothing.

Up to about 4 epochs repeated text is as good as new text, and beyond 16 it adds almost nothing (Muennighoff et al.
2023). The rows of the built-in tasks are no text but problems with one rule behind them, which a small model finds by
seeing them often; their recipes repeat them on purpose (docs/defaults.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from selfsown.batch_size import LARGEST, batch_size_for
from selfsown.files.user_rows import UserRows
from selfsown.holdout import MIN_ROWS
from selfsown.intake import prepared_rows
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import Step
from selfsown.records import Training

MAX_EPOCHS = 16
GAIN = f"beyond {MAX_EPOCHS}, repeats teach almost nothing"


def expected_repeats(recipe: Recipe) -> Iterator[str]:
    """A warning for each objective that will repeat the real rows too often, as far as that is known before a run."""
    share = recipe.mix.option("real_share") or 0.0
    trainings = [(recipe.base_train or recipe.train[0], "base_train" if recipe.base_train else "train", 1.0)]
    trainings += [(step, "train", share) for step in recipe.train if recipe.generate and share]
    held_out = recipe.held_out if recipe.held_out < 1 else 0
    for step, key, real_share in trainings:
        steps, batch = step.option("steps"), step.option("batch_size")
        if not isinstance(steps, int) or not isinstance(batch, int) or not _repeats(recipe, step):
            continue
        enough = steps * (batch or LARGEST) * real_share / MAX_EPOCHS / (1 - held_out)
        texts = _distinct_rows(recipe, enough + (0 if held_out else recipe.held_out))
        if texts < 2 * MIN_ROWS:
            continue  # a run refuses so few
        rows = (texts - (0 if held_out else recipe.held_out)) * (1 - held_out)
        rows = max(1.0, min(rows, recipe.max_train_rows or rows))
        epochs = steps * (batch or batch_size_for(rows / real_share)) * real_share / rows
        epochs = min(epochs, step.option("epochs") or epochs)
        if epochs > MAX_EPOCHS:
            yield f"{key}.{step.method} passes {epochs:,.0f} times over the {rows:,.0f} real rows: {_remedy(step, key)}"


def _distinct_rows(recipe: Recipe, enough: float) -> int:
    """How many different rows there are, counted no further than to `enough`."""
    texts = set[tuple[str, str]]()
    for row in prepared_rows(recipe, recipe.real()):
        texts.add((row.prompt, row.answer))
        if len(texts) >= enough:
            break
    return len(texts)


def repeats_warning(recipe: Recipe, step: Step, training: Training) -> str:
    """The same after the training, "" where it did not repeat rows too often."""
    if training.stopping_rows or training.epochs <= MAX_EPOCHS or not _repeats(recipe, step):
        return ""
    return f"{step.name} passed {training.epochs:,.0f} times over rows: {_remedy(step, 'train')}"


def _repeats(recipe: Recipe, step: Step) -> bool:
    """Whether repeats are of no use: not for a policy's own answers, and not where early stopping sees to it."""
    learns_rows = step.takes("steps") and not step.takes("group_size") and not step.option("early_stopping")
    return learns_rows and isinstance(recipe.real(), UserRows)


def _remedy(step: Step, key: str) -> str:
    option = "early_stopping=0.05" if step.takes("early_stopping") else f"epochs={MAX_EPOCHS}"
    return f"{GAIN}; lower steps, or --set {key}.{step.method}.{option}"
