"""TRL's trainers that sample: GRPO, and distillation, which may be given the answers instead.

A prompt is the index of its row here, since its tokens come from the job and not from a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset
from trl import DistillationConfig, DistillationTrainer, GRPOConfig, GRPOTrainer

from selfsown.models.hf.devices import dtype_for
from selfsown.models.hf.files import adapter_base
from selfsown.models.hf.grading import grading_client
from selfsown.models.hf.job import EncodedRow, Job
from selfsown.models.hf.worker_model import device_of, frozen_model, trained_model


class _TokenizedGRPO(GRPOTrainer):  # type: ignore[misc]
    """GRPO on prompts that are tokens."""

    prompts: Sequence[list[int]]

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        return [self.prompts[int(index)] for index in prompts], None, {}


class _TokenizedDistillation(DistillationTrainer):  # type: ignore[misc]
    """Distillation on the answers of rows, or on the student's own."""

    rows: Sequence[EncodedRow]
    starts: Sequence[int]
    on_policy: bool
    hard_label_weight: float
    drawn: list[int]

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        self.drawn = [int(index) for index in prompts]
        return [self.rows[index].tokens[: self.starts[index]] for index in self.drawn], None, {}

    def _generate_single_turn(self, prompt_ids: Any, *rest: Any, **options: Any) -> Any:
        if self.on_policy:
            return super()._generate_single_turn(prompt_ids, *rest, **options)
        return [self.rows[index].tokens[self.starts[index] :] for index in self.drawn]

    def _compute_loss(self, unwrapped_student: Any, inputs: Any, num_items_in_batch: Any) -> Any:
        loss, entropy, count = super()._compute_loss(unwrapped_student, inputs, num_items_in_batch)
        loss = (1 - self.hard_label_weight) * self.temperature**2 * loss  # keeps the scale of the gradients
        if self.hard_label_weight:
            loss = loss + self.hard_label_weight * _hard_loss(unwrapped_student, inputs, num_items_in_batch)
        return loss, entropy, count


def _hard_loss(model: Any, inputs: Any, count: Any) -> Any:
    """The cross-entropy with the answers' own tokens, a sum divided by the count of the whole batch."""
    import torch
    from torch.nn import functional as F

    tokens = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
    mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
    width = inputs["completion_ids"].shape[1]
    logits = model(input_ids=tokens, attention_mask=mask, logits_to_keep=width + 1, use_cache=False).logits[:, :-1]
    targets = inputs["completion_ids"].masked_fill(inputs["completion_mask"] == 0, -100)
    return F.cross_entropy(logits.float().mT, targets, ignore_index=-100, reduction="sum") / count


def grpo_trainer(job: Job, rows: Sequence[EncodedRow], common: dict[str, Any], tokenizer: Any, folder: Path) -> Any:
    """Policy optimization by the run's graders, which the worker asks (Shao et al. 2024)."""
    group, updates = job.options["group_size"], job.options["updates_per_group"]
    arguments = GRPOConfig(
        num_generations=group,
        num_iterations=updates,
        steps_per_generation=common["gradient_accumulation_steps"],
        beta=job.options["kl_weight"],
        epsilon=job.options["clip_range"],
        temperature=job.options["temperature"],
        top_p=job.options["top_p"],
        top_k=job.options["top_k"],
        max_completion_length=job.max_new,
        shuffle_dataset=False,
        **common,
    )
    grade, ends = grading_client(), set(job.ends)

    def reward(completions: list[str], completion_ids: list[list[int]], row: list[int], **_: Any) -> list[float | None]:
        ended = [bool(tokens) and tokens[-1] in ends for tokens in completion_ids]
        return grade(row, [text.strip() for text in completions], ended)

    model, lora = trained_model(job, folder)
    model.generation_config.eos_token_id = job.ends
    indices = list(range(len(rows)))
    data = Dataset.from_dict({"prompt": [str(index) for index in indices], "row": [row.start for row in rows]})
    trainer = _TokenizedGRPO(
        model, reward_funcs=reward, args=arguments, train_dataset=data, processing_class=tokenizer, peft_config=lora
    )
    trainer.prompts = [row.tokens for row in rows]
    return trainer


def distillation_trainer(
    job: Job, rows: Sequence[EncodedRow], common: dict[str, Any], tokenizer: Any, folder: Path
) -> Any:
    """Distillation: the forward divergence on rows, the reverse one on the student's own answers."""
    on_policy = bool(job.options["on_policy"])
    arguments = DistillationConfig(
        beta=1.0 if on_policy else 0.0,
        temperature=job.options["temperature"],
        max_completion_length=job.max_new,
        shuffle_dataset=False,
        **common,
    )
    model, lora = trained_model(job, folder)
    model.generation_config.eos_token_id = job.ends
    base = adapter_base(Path(job.teacher))
    teacher = frozen_model(base or job.teacher, job.teacher if base else "", dtype_for(job.dtype, device_of(job)))
    data = Dataset.from_dict({"prompt": [str(index) for index in range(len(rows))]})
    trainer = _TokenizedDistillation(
        model=model, teacher_model=teacher, args=arguments, train_dataset=data, processing_class=tokenizer,
        peft_config=lora,
    )  # fmt: skip
    answers_only = on_policy or bool(job.options["answers_only"])
    trainer.rows, trainer.on_policy = rows, on_policy
    trainer.starts = [row.start if answers_only else 1 for row in rows]
    trainer.hard_label_weight = job.options["hard_label_weight"]
    return trainer
