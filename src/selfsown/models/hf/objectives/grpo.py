"""Train a transformers model by TRL on grades of its own samples, each compared with its group (GRPO).

Source: Shao et al. 2024. The worker samples, and this process's graders grade. An answer without an end scores 0; one
that a grader failed on is left out. Answers that score above their group become likelier; they are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from selfsown.errors import DataError
from selfsown.files.row_sequences import rows_at
from selfsown.models.hf import training
from selfsown.models.hf.job import EncodedRow
from selfsown.models.hf.model import HF
from selfsown.models.hf.sampling import NO_END
from selfsown.models.hf.training import Objective, Schedule
from selfsown.option_types import Count, Natural, NotNegative, Positive, Share
from selfsown.records import JsonObject, Mixture, Row, Training, unreported

REQUIRES = {"grader"}

GroupSize = Annotated[int, Field(ge=2)]  # a single answer has nothing to be compared with


def train(
    mixture: Mixture,
    parent: HF,
    seed: int,
    work_dir: Path,
    grader: Callable[[Sequence[Row]], Sequence[Row]],
    report: Callable[[Training], None] = unreported,
    *,
    steps: Count = 100,
    epochs: NotNegative = 0.0,
    batch_size: Count = 8,
    micro_batch: Natural = 0,
    group_size: GroupSize = 8,
    updates_per_group: Count = 1,
    clip_range: Positive = 0.2,
    kl_weight: NotNegative = 0.0,
    temperature: Positive = 1.0,
    max_length: Natural = 0,
    learning_rate: NotNegative = 0.0,
    weight_decay: NotNegative = 0.0,
    average_last: Share = 0.0,
    save_steps: Natural = 0,
) -> HF:
    """A copy of the parent, trained on its own graded answers to the prompts of the mixture.

    batch_size: prompts in a batch. micro_batch: answers in one pass of the device. group_size: answers to each prompt.
    updates_per_group: steps on the same answers. clip_range: how far the probability ratio may be from 1. kl_weight:
    the weight of the divergence from the parent. temperature: of the samples. The other options are those of every
    objective. Raises DataError where no row has a prompt that fits, and ModelError.
    """
    prompts = _with_prompts(mixture)
    objective = _objective(prompts, parent, grader)
    objective.options.update(
        group_size=group_size, updates_per_group=updates_per_group, clip_range=clip_range, kl_weight=kl_weight,
        temperature=temperature,
    )  # fmt: skip
    schedule = Schedule(
        steps, epochs, batch_size, micro_batch, max_length, learning_rate, weight_decay, average_last, save_steps
    )
    return training.train(objective, prompts, parent, seed, schedule, work_dir, report=report)


def _objective(prompts: Mixture, parent: HF, grader: Callable[[Sequence[Row]], Sequence[Row]]) -> Objective:
    numbers = {id(row): index for index, row in enumerate(prompts.rows)}

    def encode(row: Row) -> EncodedRow:
        return EncodedRow(parent.encoder.prompt(row.full_prompt), numbers[id(row)])

    def grade(indices: list[int], answers: list[str], ended: list[bool]) -> list[float | None]:
        return _scores(grader, _samples(parent.name, prompts, indices, answers, ended))

    options: JsonObject = {"top_p": parent.settings.top_p, "top_k": parent.settings.top_k}
    return Objective("grpo", encode, options, parent.settings.max_new_tokens, grade=grade)


def _with_prompts(mixture: Mixture) -> Mixture:
    indices = [index for index, row in enumerate(mixture.rows) if row.prompt and mixture.weights[index]]
    if not indices:
        raise DataError("train.grpo: no row has a prompt to answer; use train: sft")
    return Mixture(rows_at(mixture.rows, indices), mixture.weights[indices])


def _samples(
    name: str, prompts: Mixture, indices: Sequence[int], answers: Sequence[str], ended: Sequence[bool]
) -> list[Row]:
    """The answers as rows that can be graded; one without its end has failed."""
    samples, seen = [], dict[int, int]()
    for index, answer, complete in zip(indices, answers, ended, strict=True):
        row, number = prompts.rows[index], seen.get(index, 0)
        seen[index] = number + 1
        sample = replace(
            row, origin="synthetic", source=name, method="grpo", parents=(row.id,), grades=(), status="",
            answer=answer, sample_index=number,
        )  # fmt: skip
        samples.append(sample if complete else sample.failed(NO_END))
    return samples


def _scores(grader: Callable[[Sequence[Row]], Sequence[Row]], samples: Sequence[Row]) -> list[float | None]:
    """Each sample's score; None of one that a grader failed on."""
    return [
        None if row.status == "failed" and row.reason != NO_END else 0.0 if row.status else float(row.score)
        for row in grader(samples)
    ]
