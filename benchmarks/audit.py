"""How long `selfsown audit` takes and how much memory: synthetic rows of about forty words against real ones.

python benchmarks/audit.py --synthetic 1000000 --real 100000
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


def made(path: Path, rows: int, seed: int) -> None:
    """Rows of words by their rank, as in a language; in two regions."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, WORDS + 1)
    cumulated = (shares / shares.sum()).cumsum()
    with path.open("w", encoding="utf-8") as file:
        for _ in range(0, rows, 10_000):
            drawn = np.searchsorted(cumulated, rng.random((min(10_000, rows), LENGTH)))
            lengths = rng.integers(LENGTH // 2, LENGTH + 1, len(drawn))
            regions = rng.choice(["north", "south"], len(drawn), p=[0.6, 0.4])
            for line, length, region in zip(drawn, lengths, regions, strict=True):
                text = " ".join(f"word{at}" for at in line[:length])
                file.write(json.dumps({"text": text, "region": str(region)}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthetic", type=int, default=20_000)
    parser.add_argument("--real", type=int, default=20_000)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "synthetic.jsonl"), Path(folder, "real.jsonl")
        made(ours, wish.synthetic, 1)
        made(theirs, wish.real, 2)
        order = [sys.executable, "-m", "selfsown", "audit", str(ours), "--against", str(theirs)]
        began = time.monotonic()
        ended = subprocess.run([*order, "--attribute", "region", "--json"], capture_output=True, text=True)
        seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode not in (0, 4, 5):
        sys.exit(ended.stderr)
    cpu = used.ru_utime + used.ru_stime
    print(
        f"{wish.synthetic:,} rows against {wish.real:,}: {seconds:.1f} s, {cpu:.1f} s of CPU, "
        f"{used.ru_maxrss / 1024:,.0f} MB; {json.loads(ended.stdout)['headline']}"
    )


if __name__ == "__main__":
    main()
