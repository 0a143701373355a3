"""Measure `dpo` and `grpo` and TRL's trainers for them, in turn in one run, and print a table.

    python -m benchmarks.trainers
    python -m benchmarks.trainers --only dpo --repeat 3 --steps 60

The same weights, rows and number of steps; docs/engine.md says what is not equal.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from datasets import Dataset
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

from benchmarks.engine import TITLES, Measurement, measured, rows_of, table
from benchmarks.plain_transformers import PlainModel
from selfsown.models.tiny.model import Tiny, create
from selfsown.records import Mixture, Row
from selfsown.tasks.programs import Task
from selfsown.train import dpo, grpo, sft

TASK = Task(rows=4000, levels=1)
BATCH_SIZE, GROUP_SIZE, UPDATES = 32, 8, 2
PARTS = ("dpo", "grpo")
COMMON: dict[str, Any] = {
    "learning_rate": 1e-4,
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "dataloader_pin_memory": False,
    "report_to": "none",
    "save_strategy": "no",
    "logging_strategy": "no",
    "disable_tqdm": True,
    "beta": 0.1,
}


def quiet(done: int, of: int) -> None: ...


def checked(rows: Sequence[Row]) -> list[Row]:
    """Graded by the task."""
    return [row if row.status else row.graded(TASK.check(row, row.answer)) for row in rows]


def trl_dpo(model: Tiny, rows: Sequence[Row], steps: int, folder: str) -> Any:
    """DPO with its NLL term; the reference model is evaluated in each step."""
    student, parent = PlainModel(model), PlainModel(model)
    records = [
        {"prompt": f"<bos>{row.prompt}<sep>", "chosen": row.answer, "rejected": row.metadata["rejected"]}
        for row in rows
    ]
    config = DPOConfig(
        folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH_SIZE,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, 0.2],
        **COMMON,
    )
    options = {"args": config, "train_dataset": Dataset.from_list(records), "processing_class": student.tokenizer}
    return DPOTrainer(student.model, parent.model, **options)


def trl_grpo(model: Tiny, rows: Sequence[Row], steps: int, folder: str) -> Any:
    """GRPO with the same group size and number of updates."""
    student = PlainModel(model)
    known = {f"<bos>{row.prompt}<sep>": row for row in rows}

    def reward(prompts: list[str], completions: list[str], **_: Any) -> list[float]:
        return [TASK.check(known[prompt], answer).score for prompt, answer in zip(prompts, completions, strict=True)]

    config = GRPOConfig(
        folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH_SIZE * GROUP_SIZE,
        num_generations=GROUP_SIZE,
        num_iterations=UPDATES,
        max_completion_length=12,
        **COMMON | {"beta": 0.0},
    )
    records = Dataset.from_list([{"prompt": prompt} for prompt in known])
    return GRPOTrainer(student.model, reward, args=config, train_dataset=records, processing_class=student.tokenizer)


def ours(part: str, model: Tiny, rows: Sequence[Row], steps: int, seed: int) -> Tiny:
    """The same training by selfsown."""
    mixture = Mixture(rows, np.ones(len(rows)))
    if part == "dpo":
        return dpo.train(mixture, model, seed, quiet, steps=steps, batch_size=BATCH_SIZE)
    return grpo.train(
        mixture,
        model,
        seed,
        quiet,
        checked,
        steps=steps,
        batch_size=BATCH_SIZE,
        group_size=GROUP_SIZE,
        updates_per_group=UPDATES,
    )


def compared(part: str, model: Tiny, rows: Sequence[Row], repeat: int, steps: int) -> None:
    measurements: dict[str, list[Measurement]] = {"selfsown": [], "TRL": []}
    for turn in range(-1, repeat):
        ours_measured, _ = measured(partial(ours, part, model, rows, steps, turn + 1))
        with tempfile.TemporaryDirectory() as folder:
            create_trainer = trl_dpo if part == "dpo" else trl_grpo
            trainer = create_trainer(model, rows, steps, folder)
            trainer.remove_callback(PrinterCallback)
            trl_measured, _ = measured(trainer.train)
        if turn >= 0:  # the first turn is a warm-up
            measurements["selfsown"].append(ours_measured)
            measurements["TRL"].append(trl_measured)
    print(f"\n## {part}: {steps} steps of {BATCH_SIZE} rows")
    table(
        [title.replace("tokens", "steps") for title in TITLES],
        rows_of(measurements, {side: [float(steps)] * repeat for side in measurements}),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args()
    rows = TASK.pose(0)
    start = create(rows, 0, context=24)  # a prompt of 12 tokens, and 12 more
    model = sft.train(Mixture(rows, np.ones(len(rows))), start, 0, quiet, steps=150)
    paired = [replace(row, metadata={**row.metadata, "rejected": row.answer[::-1] + "1"}) for row in rows]
    for part in args.only:
        compared(part, model, paired, args.repeat, args.steps)


if __name__ == "__main__":
    main()
