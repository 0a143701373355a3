"""Distillation of a transformers model by TRL: the whole distribution of a stronger teacher at each token of an answer.

Source: Hinton et al. 2015; on the student's own answers, Agarwal et al. 2024. The loss is (1 - hard_label_weight) times
the divergence from the teacher's distribution, both at the temperature, times the squared temperature, plus
hard_label_weight times the cross-entropy with the answer's own tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from selfsown.errors import ModelError
from selfsown.models.hf import training
from selfsown.models.hf.job import EncodedRow
from selfsown.models.hf.model import HF
from selfsown.models.hf.training import Objective, Schedule
from selfsown.option_types import Count, Natural, NotNegative, Positive, Share
from selfsown.records import JsonObject, Mixture, Row, Training, unreported

REQUIRES = {"local_teacher"}


def train(
    mixture: Mixture,
    parent: HF,
    seed: int,
    work_dir: Path,
    teacher: HF,
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 1000,
    epochs: NotNegative = 2.0,
    batch_size: Count = 16,
    micro_batch: Natural = 0,
    max_length: Natural = 0,
    learning_rate: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    temperature: Positive = 1.0,
    hard_label_weight: Share = 0.0,
    on_policy: bool = False,
    answers_only: bool = True,
    average_last: Share = 0.0,
    save_steps: Natural = 0,
) -> HF:
    """A copy of the parent, trained to match a teacher with the same tokenizer on the mixture's rows.

    temperature: softens both distributions. hard_label_weight: the weight of the answer's own tokens. on_policy: learn
    on answers that the student samples, by the reverse divergence; else on those of the rows, by the forward one. The
    other options are those of every objective. Raises ModelError where the teacher has another tokenizer or is no
    model of this kind, and DataError where no row fits.
    """
    _check_teacher(parent, teacher)
    options: JsonObject = {
        "temperature": temperature, "hard_label_weight": hard_label_weight, "on_policy": on_policy,
        "answers_only": answers_only,
    }  # fmt: skip
    room, encode = (parent.settings.max_new_tokens, _encode_prompt) if on_policy else (0, _encode)
    objective = Objective("distill", partial(encode, parent), options, room, teacher=str(teacher.folder.resolve()))
    schedule = Schedule(
        steps, epochs, batch_size, micro_batch, max_length, learning_rate, weight_decay, average_last, save_steps
    )
    return training.train(objective, mixture, parent, seed, schedule, work_dir, report=report)


def _encode(parent: HF, row: Row) -> EncodedRow:
    return EncodedRow(*parent.encoder.row(row))


def _encode_prompt(parent: HF, row: Row) -> EncodedRow:
    tokens = parent.encoder.prompt(row.full_prompt if row.prompt else "")
    return EncodedRow(tokens, len(tokens))


def _check_teacher(parent: HF, teacher: HF) -> None:
    if not isinstance(teacher, HF):
        raise ModelError(
            f"train.distill needs the weights of its teacher, and {teacher.name} is a {type(teacher).__name__}; write "
            "teacher: {hf: {model: FOLDER}}"
        )
    if parent.encoder.tokenizer.get_vocab() != teacher.encoder.tokenizer.get_vocab():
        raise ModelError(
            f"train.distill: {teacher.name} has another tokenizer than {parent.name}, so their probabilities cannot be "
            "compared; take a teacher of the same family, or let it write rows: generate: sample with train: sft"
        )
