"""Measure sampling from a transformers model by selfsown and by a batched `generate` loop, in turn, and print a table.

    python -m benchmarks.hf_sampling FOLDER --prompts PROMPTS.jsonl

FOLDER is a chat model's; PROMPTS has a prompt a line. Both sample the same prompts with the same batches' size, type
of numbers, limit and temperature, on all cores: the loop as torch uses them, selfsown as it does by default. Tokens of
answers and their ends count. The loop is what a user writes: prompts sorted by length, padded on the left.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from selfsown.models import SamplingParams
from selfsown.models.hf import HF, create
from selfsown.models.hf.devices import dtype_for


def own(model: HF, prompts: list[str], n: int) -> int:
    """Tokens of our answers."""
    replies = model.complete(prompts, SamplingParams(n=n, temperature=0.8, seed=1))
    return sum(reply.tokens for group in replies for reply in group)


def loop(model: HF, prompts: list[str], n: int, batch: int) -> int:
    """Tokens of the answers of a batched `generate` loop."""
    encoder, network = model.encoder, model.network
    texts = sorted((encoder.prompt(prompt) for prompt in prompts), key=len, reverse=True)
    size, total = max(1, batch // n), 0
    for chunk in (texts[start : start + size] for start in range(0, len(texts), size)):
        longest = len(chunk[0])
        tokens = torch.tensor([[encoder.end] * (longest - len(text)) + text for text in chunk])
        mask = torch.tensor([[0] * (longest - len(text)) + [1] * len(text) for text in chunk])
        output = network.generate(
            tokens,
            attention_mask=mask,
            do_sample=True,
            temperature=0.8,
            top_k=0,
            top_p=1.0,
            num_return_sequences=n,
            max_new_tokens=model.settings.max_new_tokens,
            eos_token_id=encoder.end,
            pad_token_id=encoder.end,
        )
        for written in output[:, longest:].tolist():
            total += written.index(encoder.end) + 1 if encoder.end in written else len(written)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prompts", required=True)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--n", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--dtype", choices=["auto", "float32", "bfloat16"], default="auto")
    arguments = parser.parse_args()
    lines = Path(arguments.prompts).read_text(encoding="utf-8").splitlines()
    prompts = [json.loads(line)["prompt"] for line in lines][: arguments.count]
    options: dict[str, Any] = {"max_new_tokens": 44, "batch_size": arguments.batch, "dtype": arguments.dtype}
    model = create([], 0, model=arguments.model, device="cpu", **options)
    own(model, prompts[:2], 1)  # the weights are read
    speeds: dict[str, list[tuple[float, float]]] = {"selfsown": [], "generate loop": []}
    for _ in range(arguments.repeat):
        for name in speeds:
            wall, cpu = time.monotonic(), time.process_time()
            if name == "selfsown":
                tokens = own(model, prompts, arguments.n)
            else:
                tokens = loop(model, prompts, arguments.n, arguments.batch)
            speeds[name].append((tokens / (time.monotonic() - wall), tokens / (time.process_time() - cpu)))
    dtype = str(dtype_for(arguments.dtype, torch.device("cpu"))).removeprefix("torch.")
    print(f"{len(prompts)} prompts, {arguments.n} samples each, {dtype}, load {os.getloadavg()[0]:.1f}\n")
    print("| sampling | tokens/s | tokens per CPU-second |\n|---|---:|---:|")
    medians = {name: [statistics.median(c) for c in zip(*pairs, strict=True)] for name, pairs in speeds.items()}
    for name, (per_second, per_cpu) in medians.items():
        print(f"| {name} | {per_second:.1f} | {per_cpu:.1f} |")
    ratios = [ours / theirs for ours, theirs in zip(*medians.values(), strict=True)]
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} |")


if __name__ == "__main__":
    main()
