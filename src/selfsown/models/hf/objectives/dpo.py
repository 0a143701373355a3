"""Preference optimization of a transformers model by TRL (DPO, Rafailov et al. 2023), with a likelihood term.

The likelihood term (NLL; Pang et al. 2024; Llama 3 weights it 0.2) keeps the better answers from becoming unlikely
along with the worse ones. The reference model is the parent; its probabilities are computed once, before training.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from selfsown.errors import DataError
from selfsown.models.hf.job import EncodedRow
from selfsown.models.hf.model import HF
from selfsown.models.hf.training import Plan, encoded, trained
from selfsown.models.tiny.trainer import steps_and_batch
from selfsown.option_types import Count, Natural, NotNegative, Positive, Share
from selfsown.records import Mixture, Row, Training, unreported

REQUIRES = {"preference_pairs"}


def train(
    mixture: Mixture,
    parent: HF,
    seed: int,
    tick: Callable[[int, int], None],
    work_dir: Path,
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 250,
    epochs: NotNegative = 1.0,
    batch_size: Count = 16,
    micro_batch: Natural = 0,
    max_length: Natural = 0,
    learning_rate: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    average_last: Share = 0.0,
    beta: Positive = 0.1,
    nll_weight: NotNegative = 0.2,
    save_steps: Natural = 0,
) -> HF:
    """A copy of the parent, trained on pairs: rows with the metadata "rejected", as curate.preference_pairs makes them.
    Any other row that is drawn is trained on by the likelihood term alone.

    beta: the weight of the divergence from the parent. nll_weight: the weight of the likelihood term. learning_rate: 0
    for one that follows the weights: 5e-6 for 135 million, less for more, 5e-5 for LoRA. The other options are those of
    sft for this student. A pair is left out where either text is too long.

    Raises DataError where no row that fits is a pair, and ModelError where training fails.
    """

    def encode(row: Row) -> EncodedRow:
        tokens, start = parent.encoder.row(row)
        worse = row.metadata.get("rejected")
        return EncodedRow(tokens, start, [] if worse is None else parent.encoder.row(row, str(worse))[0])

    kept, rows, too_long = encoded(parent, mixture, "dpo", max_length, encode)
    if not any(row.rejected for row in rows):
        raise DataError(
            "train.dpo: no row that is drawn has a rejected answer; use curate: [preference_pairs, min_score, …] and "
            "base_train: sft, or real rows that have one, with attributes: [rejected]"
        )
    steps, batch_size = steps_and_batch(kept, steps, epochs, batch_size)
    plan = Plan(
        "dpo", seed, steps, batch_size, learning_rate, weight_decay, average_last, micro_batch, save_steps,
        {"beta": beta, "nll_weight": nll_weight},
    )  # fmt: skip
    child, done = trained(parent, plan, kept, rows, work_dir, tick)
    report(Training(int(done["steps"]), steps, kept.epochs(steps * batch_size), too_long=too_long))
    return child
