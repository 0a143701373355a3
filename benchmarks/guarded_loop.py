"""A whole loop with its monitor: does a guarded loop stay healthy, and is an unguarded one detected?

    python -m benchmarks.guarded_loop                                 # the built-in task
    python -m benchmarks.guarded_loop --names names.txt               # short lines of your own, unverified
    python -m benchmarks.guarded_loop --arms guarded "no resampling"  # the effect of one guard

Each arm is the ready recipe with the changes below. The monitor's verdicts are recorded but not acted on, so that all
generations can be seen; it uses only what the models write and score.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from selfsown.loop import run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.signals.attributes import valued

STEPS = "min_score, restate, dedup, decontaminate"
RESAMPLE, QUOTA = "resample_to_real", "{balance: {attributes: [style], tolerance: 0.01}}"
ENDINGS = {"vowel": "[aeiouy]$", "other": "[^aeiouy]$"}


def _curate(*more: str) -> str:
    return f"curate=[{', '.join([STEPS, *more])}]"


REPLACE = ("mix=replace", "grade=[]", "curate=[restate, decontaminate]")
# What each arm changes in the ready recipe: it removes one safeguard, or all of them.
BUILT_IN: Mapping[str, Sequence[str]] = {
    "guarded": [],
    "no resampling": [_curate(QUOTA)],
    "diverse": [_curate("k_center", QUOTA)],
    "no quota": [_curate(RESAMPLE)],
    "no accumulation": ["mix={replace: {real_share: 0.34}}"],
    "a tenth real": ["mix={accumulate: {real_share: 0.1}}"],
    "cool": ["generate=[{propose: {count: 12000, temperature: 0.7}}]"],
    "unverified": ["grade=[]", f"curate=[restate, dedup, decontaminate, {RESAMPLE}, {QUOTA}]"],
    "replace": [*REPLACE, "generate=[{propose: {count: 12000, temperature: 0.8}}]"],
    "replace at 1": REPLACE,
}
FIXED_STEPS = (  # so that the arms are trained for as long, whatever their rows
    "base_train={sft: {steps: 1000, batch_size: 256}}",
    "train={sft: {steps: 200, batch_size: 256, learning_rate: 0.005, embedding_learning_rate: 0.001}}",
)
NAMES: Mapping[str, Sequence[str]] = {
    "guarded": [],
    "replace": ["mix=replace", "grade=[]", "curate=[decontaminate]"],
}


def cells(history: Sequence[Generation], folder: Path, attribute: str, patterns: Mapping[str, str]) -> Iterator[str]:
    """The table cells of one run: the status of each generation, then its end relative to real rows or to its start."""
    yield "".join(
        verdict.status[0].upper() for generation in history[1:] for verdict in generation.verdicts if verdict.status
    )
    yield f"{_score(history[-1], 'diversity'):.2f}"
    yield f"{_score(history[0], 'diversity[tail]'):.2f} → {_score(history[-1], 'diversity[tail]'):.2f}"
    run_folder = RunFolder(folder)
    real = [*(run_folder.rows("real") or []), *(run_folder.rows("held_out") or [])]
    written = [
        row for row in run_folder.rows(f"{generation_dir(history[-1].number)}/rows") or [] if row.status != "failed"
    ]
    shares = _shares([row for row in written if row.method == "propose"], attribute, patterns)
    real_shares = _shares(real, attribute, patterns)
    yield f"{100 * max(abs(shares.get(value, 0) - share) for value, share in real_shares.items()):.1f}"
    goal = "accuracy" if history[0].score("accuracy") else "loss"
    values = [_score(generation, goal) for generation in history]
    best = max(values) if goal == "accuracy" else min(values)
    yield f"{goal} {values[0]:.3f} → {values[-1]:.3f} (best {best:.3f})"


def _shares(rows: Sequence[Row], attribute: str, patterns: Mapping[str, str]) -> dict[str, float]:
    counts = Counter(valued(rows, attribute, {attribute: patterns}))
    return {value: count / len(rows) for value, count in counts.items()}


def _score(generation: Generation, key: str) -> float:
    value = generation.pooled(key)
    return float("nan") if value is None else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="a file of short lines, instead of the built-in task")
    parser.add_argument("--arms", nargs="*", help="of: " + ", ".join(BUILT_IN))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where the runs are kept (default: they are deleted)")
    args = parser.parse_args()
    arms, recipe, common = BUILT_IN, "guarded", list[str]()
    watched: tuple[str, dict[str, str]] = ("style", {})
    if args.names:
        arms, recipe, watched = NAMES, "names", ("ending", ENDINGS)
        common = [
            f"real={args.names.resolve()}",
            *FIXED_STEPS,
            f"guard=[{{monitor: {{attributes: {{ending: {ENDINGS}}}}}}}]",
        ]
    print("| arm | seed | status | diversity vs. real | rare n-grams vs. real | points from real | goal |")
    print("|---" * 7 + "|")
    with tempfile.TemporaryDirectory() as temporary:
        for name in args.arms or ("guarded", "replace"):
            for seed in range(args.first_seed, args.first_seed + args.seeds):
                folder = (args.folder or Path(temporary)) / f"{recipe}-{name.replace(' ', '-')}-{seed}"
                overrides = [*common, *arms[name], f"seed={seed}", f"generations={args.generations}"]
                overrides += ["rollback=false", "control=false"]
                history = run(Recipe.load(recipe, overrides), folder)
                print(f"| {name} | {seed} | {' | '.join(cells(history, folder, *watched))} |", flush=True)


if __name__ == "__main__":
    main()
