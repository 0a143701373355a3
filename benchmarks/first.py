"""Run the recipe `first` over seeds and variants, and print the tables of docs/measurements.md.

    python benchmarks/first.py FOLDER --seeds 0 1 2
    python benchmarks/first.py FOLDER --seeds 0 1 --arms real base level1 reject vote ungraded third

Each run is a folder below FOLDER; one that is finished is only read, so the command can be given again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ARMS = {
    "first": [],
    "real": ["generate.propose.count=0", "guard="],
    "base": ["start=base"],
    "reject": ["grade.verify.repair=false"],
    "vote": ["grade=vote"],
    "ungraded": ["grade=", "mix=replace", "guard="],
    "level1": ["level=1"],
    "third": ["mix.accumulate.real_share=0.333"],
}
SCORES = ("accuracy[form=induction]", "accuracy[form=deduction]", "accuracy[form=induction, rare=yes]", "loss")
SCORES += ("diversity", "diversity[tail]")


def run(folder: Path, arm: str, seed: int) -> list[dict[str, object]]:
    """The generations of one run, from disk or run now; cost.json beside them says what it took."""
    place = folder / f"{arm}-{seed}"
    if not (place / "result.json").exists():
        changes = [part for change in [*ARMS[arm], f"seed={seed}"] for part in ("--set", change)]
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "selfsown.cli", "run", "first", str(place), *changes]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        cost = {
            "wall": time.monotonic() - start,
            "cpu": cpu,
            "peak_gb": after.ru_maxrss / 1e6,
            "load": os.getloadavg()[1],
        }
        (folder / f"{arm}-{seed}.cost.json").write_text(json.dumps(cost), encoding="utf-8")
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(place.glob("generation-*/generation.json"))]


def value(generation: dict[str, object], key: str) -> float:
    """A score by its key, such as "accuracy[form=induction]"; not a number where it was not measured."""
    name, _, group = key.rstrip("]").partition("[")
    scores: list[dict[str, object]] = generation["scores"]  # type: ignore[assignment]
    found = [score["value"] for score in scores if (score["name"], score["group"]) == (name, group)]
    return float(found[0]) if found else float("nan")  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=["first"])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print("| arm | seed | " + " | ".join(SCORES) + " | rolled back | wall s | CPU s | peak GB |")
    print("|---" * (len(SCORES) + 6) + "|")
    for arm in given.arms:
        ends = []
        for seed in given.seeds:
            history = run(given.folder, arm, seed)
            ends.append([value(history[-1], key) for key in SCORES])
            shown = [f"{value(history[0], key):.3f} → {end:.3f}" for key, end in zip(SCORES, ends[-1], strict=True)]
            rolled = sum(not all(verdict["ok"] for verdict in each["verdicts"]) for each in history)  # type: ignore[attr-defined]
            cost = json.loads((given.folder / f"{arm}-{seed}.cost.json").read_text(encoding="utf-8"))
            took = f"{cost['wall']:.0f} | {cost['cpu']:.0f} | {cost['peak_gb']:.2f}"
            print(f"| {arm} | {seed} | {' | '.join(shown)} | {rolled} | {took} |", flush=True)
        means = [statistics.mean(column) for column in zip(*ends, strict=True)]
        spread = [max(column) - min(column) for column in zip(*ends, strict=True)]
        shown = [f"{mean:.3f} (spread {width:.3f})" for mean, width in zip(means, spread, strict=True)]
        print(f"| **{arm}** | mean | {' | '.join(shown)} | | | | |", flush=True)


if __name__ == "__main__":
    main()
