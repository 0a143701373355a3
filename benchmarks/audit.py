"""Time and memory of `selfsown audit`: synthetic rows of 20 to 40 words, compared with real ones.

python -m benchmarks.audit --synthetic 1000000 --real 100000
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

WORDS, LENGTH = 20_000, 40


def write_rows(path: Path, rows: int, seed: int) -> None:
    """Write rows of words, frequent by rank as in a language, from two regions."""
    rng = np.random.default_rng(seed)
    frequencies = 1 / np.arange(1, WORDS + 1)
    cumulated = (frequencies / frequencies.sum()).cumsum()
    with path.open("w", encoding="utf-8") as file:
        for _ in range(0, rows, 10_000):
            drawn = np.searchsorted(cumulated, rng.random((min(10_000, rows), LENGTH)))
            lengths = rng.integers(LENGTH // 2, LENGTH + 1, len(drawn))
            regions = rng.choice(["north", "south"], len(drawn), p=[0.6, 0.4])
            for ranks, length, region in zip(drawn, lengths, regions, strict=True):
                text = " ".join(f"word{word}" for word in ranks[:length])
                file.write(json.dumps({"text": text, "region": str(region)}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthetic", type=int, default=20_000)
    parser.add_argument("--real", type=int, default=20_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        synthetic, real = Path(folder, "synthetic.jsonl"), Path(folder, "real.jsonl")
        write_rows(synthetic, args.synthetic, 1)
        write_rows(real, args.real, 2)
        command = [sys.executable, "-m", "selfsown", "audit", str(synthetic), "--against", str(real)]
        start = time.monotonic()
        process = subprocess.run([*command, "--attribute", "region", "--json"], capture_output=True, text=True)
        seconds = time.monotonic() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 4, 5):
        sys.exit(process.stderr)
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{args.synthetic:,} rows against {args.real:,}: {seconds:.1f} s, {cpu:.1f} s of CPU, "
        f"{usage.ru_maxrss / 1024:,.0f} MB; {json.loads(process.stdout)['headline']}"
    )


if __name__ == "__main__":
    main()
