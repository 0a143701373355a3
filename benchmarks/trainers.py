"""Measure preference and policy training beside TRL's DPO and GRPO trainers, by turns in one run, and print a table.

    python benchmarks/trainers.py
    python benchmarks/trainers.py --only preference --repeat 3 --steps 60

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
import usual
from datasets import Dataset
from engine import TITLES, Lap, measured, rows_of, table
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer

from selfsown.models.tiny.model import Tiny, create
from selfsown.records import Mixture, Row
from selfsown.tasks.programs import Task
from selfsown.train import dpo, grpo, sft

WORLD = Task(rows=4000, levels=1)
BATCH, GROUP, UPDATES = 32, 8, 2
PARTS = ("preference", "policy")
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
    """Graded by the world."""
    return [row if row.status else row.graded(WORLD.check(row, row.answer)) for row in rows]


def theirs_preference(model: Tiny, rows: Sequence[Row], steps: int, folder: str) -> Any:
    """DPO and its anchor, whose reference is reckoned step by step."""
    found, parent = usual.Usual(model), usual.Usual(model)
    records = [
        {"prompt": f"<bos>{row.prompt}<sep>", "chosen": row.answer, "rejected": row.metadata["rejected"]}
        for row in rows
    ]
    config = DPOConfig(
        folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, 0.2],
        **COMMON,
    )
    given = {"args": config, "train_dataset": Dataset.from_list(records), "processing_class": found.tokenizer}
    return DPOTrainer(found.model, parent.model, **given)


def theirs_policy(model: Tiny, rows: Sequence[Row], steps: int, folder: str) -> Any:
    """GRPO, as many tries and updates."""
    found = usual.Usual(model)
    known = {f"<bos>{row.prompt}<sep>": row for row in rows}

    def reward(prompts: list[str], completions: list[str], **_: Any) -> list[float]:
        return [WORLD.check(known[each], said).score for each, said in zip(prompts, completions, strict=True)]

    config = GRPOConfig(
        folder,
        max_steps=steps,
        per_device_train_batch_size=BATCH * GROUP,
        num_generations=GROUP,
        num_iterations=UPDATES,
        max_completion_length=12,
        **COMMON | {"beta": 0.0},
    )
    records = Dataset.from_list([{"prompt": prompt} for prompt in known])
    return GRPOTrainer(found.model, reward, args=config, train_dataset=records, processing_class=found.tokenizer)


def ours(part: str, model: Tiny, rows: Sequence[Row], steps: int, seed: int) -> Tiny:
    """The same by this package."""
    mixture = Mixture(rows, np.ones(len(rows)))
    if part == "preference":
        return dpo.train(mixture, model, seed, quiet, steps=steps, batch_size=BATCH)
    return grpo.train(
        mixture, model, seed, quiet, checked, steps=steps, batch_size=BATCH, group_size=GROUP, updates_per_group=UPDATES
    )


def compared(part: str, model: Tiny, rows: Sequence[Row], repeat: int, steps: int) -> None:
    laps: dict[str, list[Lap]] = {"selfsown": [], "TRL": []}
    for turn in range(-1, repeat):
        lap, _ = measured(partial(ours, part, model, rows, steps, turn + 1))
        with tempfile.TemporaryDirectory() as folder:
            make = theirs_preference if part == "preference" else theirs_policy
            trainer = make(model, rows, steps, folder)
            trainer.remove_callback(PrinterCallback)
            theirs, _ = measured(trainer.train)
        if turn >= 0:  # the turn before only warms up
            laps["selfsown"].append(lap)
            laps["TRL"].append(theirs)
    print(f"\n## {part}: {steps} steps of {BATCH} rows")
    table(
        [title.replace("tokens", "steps") for title in TITLES],
        rows_of(laps, {side: [float(steps)] * repeat for side in laps}),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()
    rows = WORLD.pose(0)
    start = create(rows, 0, context=24)  # a prompt of 12 tokens, and 12 more
    model = sft.train(Mixture(rows, np.ones(len(rows))), start, 0, quiet, steps=150)
    paired = [replace(row, metadata={**row.metadata, "rejected": row.answer[::-1] + "1"}) for row in rows]
    for part in given.only:
        compared(part, model, paired, given.repeat, given.steps)


if __name__ == "__main__":
    main()
