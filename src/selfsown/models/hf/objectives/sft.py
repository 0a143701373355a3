"""Supervised fine-tuning of a transformers model by TRL: answers and the marks of their ends, by cross-entropy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from selfsown.models.hf.job import EncodedRow
from selfsown.models.hf.model import HF
from selfsown.models.hf.training import Plan, encoded, trained
from selfsown.models.tiny.early_stopping import set_aside
from selfsown.models.tiny.trainer import steps_and_batch
from selfsown.option_types import Count, Natural, NotNegative, Share
from selfsown.records import Mixture, Row, Training, unreported


def train(
    mixture: Mixture,
    parent: HF,
    seed: int,
    tick: Callable[[int, int], None],
    work_dir: Path,
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 1000,
    epochs: NotNegative = 2.0,
    batch_size: Natural = 16,
    micro_batch: Natural = 0,
    max_length: Natural = 0,
    learning_rate: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    answers_only: bool = True,
    average_last: Share = 0.0,
    early_stopping: Share = 0.0,
    patience: Count = 5,
    save_steps: Natural = 0,
) -> HF:
    """A copy of the parent, trained on batches of rows drawn by the mixture's weights.

    work_dir: a folder that survives a kill, where an interrupted training goes on. batch_size: rows in a step of
    the optimizer; 0 for a 64th of the rows, from 16 to 128. micro_batch: rows in one pass of the device; 0 for as
    many as fit. max_length: tokens of the longest row; 0 for the model's context; longer rows are left out and
    counted. learning_rate: 0 for one that follows the weights: 1e-4 for 135 million, less for more, 2e-4 for LoRA;
    it warms up, and decays as a cosine. answers_only: prompts are context; a document is learned whole.
    early_stopping, patience: as for the embedded model. save_steps: steps between checkpoints; 0 for one every five
    minutes.

    Raises DataError where no row fits, and ModelError where training fails.
    """

    def encode(row: Row) -> EncodedRow:
        tokens, start = parent.encoder.row(row)
        return EncodedRow(tokens, start)

    rest, aside = set_aside(mixture, early_stopping)
    kept, rows, too_long = encoded(parent, rest, "sft", max_length, encode)
    limit = min(max_length or parent.encoder.context, parent.encoder.context)
    measured = [row for row in map(encode, aside) if len(row.tokens) <= limit]
    steps, batch_size = steps_and_batch(kept, steps, epochs, batch_size)
    plan = Plan(
        "sft", seed, steps, batch_size, learning_rate, weight_decay, average_last, micro_batch, save_steps,
        {"answers_only": answers_only}, patience,
    )  # fmt: skip
    child, done = trained(parent, plan, kept, rows, work_dir, tick, aside=measured)
    taken = int(done["steps"])
    passes, best, none_aside = kept.epochs(taken * batch_size), int(done["best_step"]), early_stopping and not measured
    report(Training(taken, steps, passes, len(measured), best, bool(none_aside), too_long))
    return child
