"""How far training is, as lines of a file that the run reads while its worker writes them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback


class ProgressFile(TrainerCallback):
    """After each step a line with the step, of how many, the loss and the tokens in a second.

    tokens: of each step's rows; empty where only the trainer knows, as for answers that are sampled.
    """

    def __init__(self, path: Path, tokens: list[int]) -> None:
        self.path, self.tokens = path, tokens
        self.since = time.monotonic()
        self.seen = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.since, self.seen = time.monotonic(), int(state.num_input_tokens_seen)

    def on_log(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        logs = rest["logs"]
        if not state.is_world_process_zero or "train_runtime" in logs:
            return
        now, step = time.monotonic(), state.global_step
        count = self.tokens[step - 1] if self.tokens else int(state.num_input_tokens_seen) - self.seen
        line: dict[str, Any] = {
            "step": step,
            "total": state.max_steps,
            "loss": logs.get("loss"),
            "tokens": count,
            "tokens_per_second": round(count / max(now - self.since, 1e-9), 1),
            "cpu_seconds": round(time.process_time(), 3),  # of this process since it began
        }
        if "reward" in logs:
            line["reward"] = logs["reward"]
        self.since, self.seen = now, int(state.num_input_tokens_seen)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
