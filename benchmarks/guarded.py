"""A whole loop under watch: does the guarded one stay varied, unbiased and able, and is an unguarded one seen?

    python benchmarks/guarded.py                                 # the embedded world
    python benchmarks/guarded.py --names names.txt               # short lines of your own, unverified
    python benchmarks/guarded.py --arms guarded "no resampling"  # what one guard does

Every arm is the ready recipe with the changes below. The monitor's word is recorded and not acted on, so that all
generations are seen; it knows of nothing but what the models write and score.
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

STEPS = "passed, restate, duplicates, leaks"
RESAMPLE, QUOTA = "resample", "{balance: {attributes: [style], tolerance: 0.01}}"
ENDINGS = {"vowel": "[aeiouy]$", "other": "[^aeiouy]$"}


def _curate(*more: str) -> str:
    return f"curate=[{', '.join([STEPS, *more])}]"


REPLACE = ("mix=replace", "grade=[]", "curate=[restate, decontaminate]")
# What each arm changes in the ready recipe: it leaves one guard out, or all of them.
EMBEDDED: Mapping[str, Sequence[str]] = {
    "guarded": [],
    "no resampling": [_curate(QUOTA)],
    "diverse": [_curate("diverse", QUOTA)],
    "no quota": [_curate(RESAMPLE)],
    "no accumulation": ["mix={replace: {real_share: 0.34}}"],
    "a tenth real": ["mix={accumulate: {real_share: 0.1}}"],
    "cool": ["generate=[{propose: {count: 12000, temperature: 0.7}}]"],
    "unverified": ["grade=[]", f"curate=[restate, dedup, decontaminate, {RESAMPLE}, {QUOTA}]"],
    "replace": [*REPLACE, "generate=[{propose: {count: 12000, temperature: 0.8}}]"],
    "replace at 1": REPLACE,
}
NAMES: Mapping[str, Sequence[str]] = {
    "guarded": [],
    "replace": ["mix=replace", "grade=[]", "curate=[decontaminate]"],
}


def told(history: Sequence[Generation], folder: Path, attribute: str, patterns: Mapping[str, str]) -> Iterator[str]:
    """The cells of one run: its lights, then its end against real rows or against its start."""
    yield "".join(verdict.status[0].upper() for each in history[1:] for verdict in each.verdicts if verdict.status)
    yield f"{_score(history[-1], 'diversity'):.2f}"
    yield f"{_score(history[0], 'diversity[tail]'):.2f} → {_score(history[-1], 'diversity[tail]'):.2f}"
    store = RunFolder(folder)
    real = [*(store.rows("real") or []), *(store.rows("held_out") or [])]
    wrote = [row for row in store.rows(f"{generation_dir(history[-1].number)}/rows") or [] if row.status != "failed"]
    ours = _shares([row for row in wrote if row.method == "propose"], attribute, patterns)
    theirs = _shares(real, attribute, patterns)
    yield f"{100 * max(abs(ours.get(value, 0) - share) for value, share in theirs.items()):.1f}"
    goal = "accuracy" if history[0].score("accuracy") else "loss"
    values = [_score(each, goal) for each in history]
    best = max(values) if goal == "accuracy" else min(values)
    yield f"{goal} {values[0]:.3f} → {values[-1]:.3f} (best {best:.3f})"


def _shares(rows: Sequence[Row], attribute: str, patterns: Mapping[str, str]) -> dict[str, float]:
    found = Counter(valued(rows, attribute, {attribute: patterns}))
    return {value: count / len(rows) for value, count in found.items()}


def _score(generation: Generation, key: str) -> float:
    value = generation.pooled(key)
    return float("nan") if value is None else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, help="a file of short lines, instead of the embedded world")
    parser.add_argument("--arms", nargs="*", help="of: " + ", ".join(EMBEDDED))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where the runs are kept; none: nowhere")
    wish = parser.parse_args()
    arms, recipe, own, watched = EMBEDDED, "guarded", list[str](), ("style", {})
    if wish.names:
        arms, recipe, watched = NAMES, "names", ("ending", ENDINGS)
        own = [f"real={wish.names.resolve()}", f"guard=[{{monitor: {{attributes: {{ending: {ENDINGS}}}}}}}]"]
    print("| arm | seed | lights | variety to real | rare n-grams to real | points from real | goal |")
    print("|---" * 7 + "|")
    with tempfile.TemporaryDirectory() as nowhere:
        for name in wish.arms or ("guarded", "replace"):
            for seed in range(wish.first_seed, wish.first_seed + wish.seeds):
                folder = (wish.folder or Path(nowhere)) / f"{recipe}-{name.replace(' ', '-')}-{seed}"
                wishes = [*own, *arms[name], f"seed={seed}", f"generations={wish.generations}"]
                wishes += ["rollback=false", "control=false"]
                history = run(Recipe.load(recipe, wishes), folder)
                print(f"| {name} | {seed} | {' | '.join(told(history, folder, *watched))} |", flush=True)


if __name__ == "__main__":
    main()
