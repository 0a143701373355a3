"""Measure training a transformers model with selfsown and with plain TRL, in turn in one run, and print a table.

    python -m benchmarks.hf FOLDER
    python -m benchmarks.hf FOLDER --steps 6 --repeat 3 --threads 1

FOLDER is a chat model's, such as SmolLM2-135M-Instruct's. Both sides train the same rows in the same order with the
same settings, each in a process of its own; the start of the process and the first step are not counted. On a busy
machine tokens per second of the processor are steadier than per second of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from selfsown.models.hf import HF, create, training
from selfsown.models.hf.job import PROGRESS, read_rows
from selfsown.models.hf.objectives import sft
from selfsown.records import Mixture, Row

BATCH = 8
WORDS = [
    "the",
    "a",
    "of",
    "model",
    "row",
    "answer",
    "data",
    "real",
    "good",
    "small",
    "large",
    "red",
    "reads",
    "one",
    "two",
]


def rows(count: int) -> list[Row]:
    """Rows of about ninety tokens."""
    draw = random.Random(0)
    return [Row(" ".join(draw.choices(WORDS, k=15)), " ".join(draw.choices(WORDS, k=40))) for _ in range(count)]


def own(model: HF, mixture: Mixture, folder: Path, steps: int) -> list[dict[str, float]]:
    """Lines of progress of our training."""
    options: dict[str, Any] = {"steps": steps, "epochs": 0.0, "batch_size": BATCH, "micro_batch": BATCH}
    sft.train(mixture, model, 0, lambda done, total: None, folder, learning_rate=1e-4, **options)
    return lines(folder / PROGRESS)


def plain(model: HF, mixture: Mixture, folder: Path, steps: int, threads: int) -> list[dict[str, float]]:
    """Lines of progress of plain TRL, on the rows that ours trained on, in their order."""
    _, order = read_rows(folder)
    texts = {tuple(model.encoder.row(row)[0]): row for row in mixture.rows}
    encoded, _ = read_rows(folder)
    drawn = [texts[tuple(encoded[index].tokens)] for index in order]
    job = {
        "model": str(model.folder), "weights": model.settings.train_weights, "steps": steps, "threads": threads,
        "bf16": model.settings.dtype == "bfloat16",
        "rows": [[row.prompt, row.answer] for row in drawn], "lengths": [len(encoded[index].tokens) for index in order],
        "progress": str(folder / "plain.jsonl"),
    }  # fmt: skip
    path = folder / "plain.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    with (folder / "plain.log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.hf", "--plain", str(path)], check=True, stdout=log, stderr=log
        )
    return lines(folder / "plain.jsonl")


def train_plainly(path: Path) -> None:
    """What a user of TRL writes."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    job = json.loads(path.read_text(encoding="utf-8"))
    torch.set_num_threads(job["threads"])

    class Times(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            step = state.global_step
            line = {"tokens": sum(job["lengths"][(step - 1) * BATCH : step * BATCH]), "at": time.monotonic()}
            with Path(job["progress"]).open("a", encoding="utf-8") as file:
                file.write(json.dumps({**line, "cpu_seconds": time.process_time()}) + "\n")

    def message(role: str, text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": text}]

    data = Dataset.from_list(
        [{"prompt": message("user", prompt), "completion": message("assistant", end)} for prompt, end in job["rows"]]
    )
    arguments = SFTConfig(
        str(path.parent / "plain"), max_steps=job["steps"], per_device_train_batch_size=BATCH, learning_rate=1e-4,
        train_sampling_strategy="sequential", bf16=job["bf16"], use_cpu=True, gradient_checkpointing=False,
        save_strategy="no", report_to="none", disable_tqdm=True, lr_scheduler_type="cosine", warmup_steps=1,
    )  # fmt: skip
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32), arguments, train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(job["model"]), callbacks=[Times()],
        peft_config=lora if job["weights"] == "lora" else None,
    )  # fmt: skip
    trainer.train()


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def speeds(done: list[dict[str, float]]) -> tuple[float, float]:
    """(tokens per second, per second of the processor), without the first step."""
    tokens = sum(line["tokens"] for line in done[1:])
    if "at" in done[0]:
        seconds = done[-1]["at"] - done[0]["at"]
    else:
        seconds = sum(line["tokens"] / line["tokens_per_second"] for line in done[1:])
    return tokens / seconds, tokens / (done[-1]["cpu_seconds"] - done[0]["cpu_seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--plain", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--weights", choices=["full", "lora"], default="full")
    arguments = parser.parse_args()
    if arguments.plain:
        train_plainly(Path(arguments.plain))
        return
    if not arguments.model:
        parser.error("name the folder of a model")
    training.threads = lambda: arguments.threads
    model = create([], 0, model=arguments.model, device="cpu", dtype=arguments.dtype, train_weights=arguments.weights)
    mixture = Mixture(rows(64), np.ones(64))
    results: dict[str, list[tuple[float, float]]] = {"selfsown": [], "plain TRL": []}
    for _ in range(arguments.repeat):
        with tempfile.TemporaryDirectory() as folder:
            results["selfsown"].append(speeds(own(model, mixture, Path(folder), arguments.steps)))
            done = plain(model, mixture, Path(folder), arguments.steps, arguments.threads)
            results["plain TRL"].append(speeds(done))
        print({name: f"{pairs[-1][0]:.1f}, {pairs[-1][1]:.1f}" for name, pairs in results.items()}, flush=True)
    print(f"{arguments.weights}, {arguments.dtype}, {arguments.threads} threads, load {os.getloadavg()[0]:.1f}\n")
    print("| training | tokens/s | tokens per CPU-second |\n|---|---:|---:|")
    medians = {
        name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in results.items()
    }
    for name, (wall, cpu) in medians.items():
        print(f"| {name} | {wall:.1f} | {cpu:.1f} |")
    ratios = [ours / theirs for ours, theirs in zip(*medians.values(), strict=True)]
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} |")


if __name__ == "__main__":
    main()
