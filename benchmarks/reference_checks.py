"""What checks learned from known answers notice, and how many right answers they refuse.

    python -m benchmarks.reference_checks gsm8k_train_1000.jsonl --prompt question --answer answer
    python -m benchmarks.reference_checks humaneval.jsonl.gz --prompt prompt --answer canonical_solution

Half of the rows teach the checks, the other half are measured: its answers as they are, and one wrong answer of each
kind made of each.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections import Counter
from pathlib import Path

from selfsown.stats.intervals import share
from selfsown.text.reference_checks.corruptions import Pair, corrupted
from selfsown.text.reference_checks.learning import learn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--prompt", default="prompt")
    parser.add_argument("--answer", default="answer")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pairs = _pairs(options.file, options.prompt, options.answer)
    random.Random(options.seed).shuffle(pairs)
    half = len(pairs) // 2
    learned, measured = learn(pairs[:half], options.seed), pairs[half:]
    for check in learned.checks:
        print(f"  {check.name}: a right answer {check.says}")
    refused = sum(bool(learned.violation(*pair)) for pair in measured)
    low, high = share(refused, len(measured))
    print(f"right answers refused: {refused} of {len(measured)} [{low:.3f}, {high:.3f}]")
    made, noticed = Counter[str](), Counter[str]()
    for kind, prompt, answer in corrupted(measured, options.seed + 1):
        made[kind] += 1
        noticed[kind] += bool(learned.violation(prompt, answer))
    for kind in made:
        print(f"{kind}: {noticed[kind] / made[kind]:.0%} of {made[kind]:,} noticed")


def _pairs(file: Path, prompt: str, answer: str) -> list[Pair]:
    content = file.read_bytes()
    text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
    rows = [json.loads(line) for line in text.splitlines()]
    return [(row[prompt], row[answer]) for row in rows]


if __name__ == "__main__":
    main()
