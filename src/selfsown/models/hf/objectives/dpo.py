"""Preference optimization of a transformers model by TRL (DPO, Rafailov et al. 2023), with a likelihood term.

The likelihood term (NLL; Pang et al. 2024; Llama 3 weights it 0.2) keeps the better answers from becoming unlikely
along with the worse ones. The reference model is the parent; its probabilities are computed once, before training.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from selfsown.errors import DataError
from selfsown.models.hf import training
from selfsown.models.hf.job import EncodedRow
from selfsown.models.hf.model import HF
from selfsown.models.hf.training import Objective, Schedule
from selfsown.option_types import Count, Natural, NotNegative, Positive, Share
from selfsown.records import JsonObject, Mixture, Row, Training, unreported

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

    beta: the weight of the divergence from the parent. nll_weight: the weight of the likelihood term. The other options
    are those of every objective. Raises DataError where no row that fits is a pair, and ModelError.
    """
    _check_pairs(mixture)
    options: JsonObject = {"beta": beta, "nll_weight": nll_weight}
    objective = Objective("dpo", partial(_encode, parent), options)
    schedule = Schedule(
        steps, epochs, batch_size, micro_batch, max_length, learning_rate, weight_decay, average_last, save_steps
    )
    return training.train(objective, mixture, parent, seed, schedule, work_dir, tick=tick, report=report)


def _encode(parent: HF, row: Row) -> EncodedRow:
    tokens, start = parent.encoder.row(row)
    worse = row.metadata.get("rejected")
    return EncodedRow(tokens, start, [] if worse is None else parent.encoder.row(row, str(worse))[0])


def _check_pairs(mixture: Mixture) -> None:
    if not any("rejected" in row.metadata for row, n in zip(mixture.rows, mixture.weights, strict=True) if n):
        raise DataError(
            "train.dpo: no row that is drawn has a rejected answer; use curate: [preference_pairs, min_score, …] and "
            "base_train: sft, or real rows that have one, with attributes: [rejected]"
        )
