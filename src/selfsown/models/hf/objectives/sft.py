"""Supervised fine-tuning of a transformers model by TRL: answers and the marks of their ends, by cross-entropy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from selfsown.models.hf import training
from selfsown.models.hf.job import EncodedRow
from selfsown.models.hf.model import HF
from selfsown.models.hf.training import Objective, Schedule
from selfsown.models.tiny.early_stopping import set_aside
from selfsown.option_types import Count, Natural, NotNegative, Share
from selfsown.records import JsonObject, Mixture, Training, unreported


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
    start_share: Share = 0.0,
    early_stopping: Share = 0.0,
    patience: Count = 5,
    save_steps: Natural = 0,
) -> HF:
    """A copy of the parent, trained on batches of rows drawn by the mixture's weights.

    answers_only: prompts are context; a document is learned whole. start_share: the share of the weights before
    training in the result, which loses less of what the model could do (Wortsman et al. 2022); 0 for none.
    The other options are those of every objective. Raises DataError where no row fits, and ModelError.
    """
    rest, aside = set_aside(mixture, early_stopping)
    options: JsonObject = {"answers_only": answers_only, "start_share": start_share}
    objective = Objective("sft", lambda row: EncodedRow(*parent.encoder.row(row)), options, 0, aside, patience)
    schedule = Schedule(
        steps, epochs, batch_size, micro_batch, max_length, learning_rate, weight_decay, average_last, save_steps
    )

    def reported(done: Training) -> None:
        report(replace(done, no_real_rows=bool(early_stopping and not done.stopping_rows)))

    return training.train(objective, rest, parent, seed, schedule, work_dir, tick=tick, report=reported)
