"""Is a student better after as many samples with `solve: {probe: 4}`? The embedded model learns to add, both ways.

    python -m benchmarks.probing_loop                  # the reported seeds, about two minutes each
    python -m benchmarks.probing_loop --seeds 100 101  # those on which the setting was chosen

Both arms answer as often (count × n answers a generation), keep problems in the band alone, and train as long. Printed:
accuracy on additions longer than any real one, at the end, for each seed; the differences with their paired interval;
and the share of answers to problems in the band.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from selfsown.history import last_accepted
from selfsown.loop import run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import student

BAND = (0.1, 0.9)
CHANGES = (
    *("control=false", "guard=[]", "rollback=false", "held_out=700", "level_up_accuracy=0.3"),
    "base_train.sft.steps=500",
    f"curate=[pass_rate_band: {{min_pass_rate: {BAND[0]}, max_pass_rate: {BAND[1]}}}, min_score, dedup, decontaminate]",
)


def measured(seed: int, count: int, n: int, probe: int) -> tuple[float, float, int]:
    """Accuracy on long additions after the last generation, the share of answers in the band, and the rows kept."""
    solve = f"generate=[{{solve: {{count: {count}, n: {n}, probe: {probe}}}}}]"
    with tempfile.TemporaryDirectory() as folder:
        history = run(Recipe.load("star", [*CHANGES, solve, f"seed={seed}"]), Path(folder) / "run")
        store = RunFolder(Path(folder) / "run")
        made = [row for each in history[1:] for row in store.rows(f"{generation_dir(each.number)}/rows") or []]
    scores = {score.key: score.value for score in last_accepted(history).scores}
    return scores["accuracy[long=yes]"], share_in_band(made), sum(row.status == "kept" for row in made)


def share_in_band(rows: Sequence[Row]) -> float:
    """The share of answers to problems whose pass rate, over all their answers in a generation, is in the band."""
    scores: dict[tuple[int, str], list[float]] = defaultdict(list)
    for row in rows:
        scores[row.generation, row.key].append(row.score)
    inside = [group for group in scores.values() if BAND[0] <= sum(group) / len(group) <= BAND[1]]
    return sum(map(len, inside)) / len(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(8)))
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--n", type=int, default=16)
    parser.add_argument("--probe", type=int, default=4)
    args = parser.parse_args()
    differences = []
    for seed in args.seeds:
        without, probed = (measured(seed, args.count, args.n, probe) for probe in (0, args.probe))
        differences.append(probed[0] - without[0])
        print(
            f"seed {seed}: accuracy {without[0]:.3f} without, {probed[0]:.3f} with; share of answers in the band "
            f"{without[1]:.3f}, {probed[1]:.3f}; kept {without[2]}, {probed[2]}",
            flush=True,
        )
    if len(differences) > 1:
        low, high = student(differences)
        print(f"difference {sum(differences) / len(differences):+.3f} [{low:+.3f}, {high:+.3f}]")


if __name__ == "__main__":
    main()
