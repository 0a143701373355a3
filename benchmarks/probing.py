"""Do few samples first put the others where they teach? Additions with and without `probe`, at equal samples.

    python -m benchmarks.probing --simulated     # a solver whose pass rates are known; seconds
    python -m benchmarks.probing                 # the embedded model in a loop, seeds 0 to 7
    python -m benchmarks.probing --seeds 100 101 # those on which the settings were chosen

Simulated: the pass rates of problems are drawn from a beta distribution, and what is counted is where samples fall. In
the loop, both arms of a seed have the same generation 0 and make as many samples in each generation. The share of
samples on problems in the band is measured on generation 1: the model that wrote it answers a random part of its
problems 16 times more.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from selfsown import loop
from selfsown.models import Reply, SamplingParams
from selfsown.models.tiny.model import load
from selfsown.prompting.probing import Band, Probed, Prober
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.stats.intervals import student
from selfsown.tasks.addition import Task

BAND = (0.1, 0.9)
GENERATIONS = 2
ARMS = {
    "plain": "generate=[{solve: {count: 300, n: 6}}]",
    "probe": f"generate=[{{solve: {{count: 300, n: 6, probe: 2, band: [{BAND[0]}, {BAND[1]}]}}}}]",
}
CHANGES = (
    "real={addition: {rows: 700, longer_rows: 150, max_train_digits: 2, max_digits: 5}}",
    "held_out=550",
    "student={tiny: {layers: 2, width: 48, heads: 4}}",
    "base_train.sft.steps=500",
    "train.sft.steps=100",
    "level=4",
    "level_up_accuracy=1",
    f"generations={GENERATIONS}",
    "control=false",
    "rollback=false",
)
MEASURED, SAMPLES = 150, 16  # problems of a run whose pass rate is measured, and samples of each


def share_in_band(rows: Sequence[Row], folder: Path, task: Task) -> float:
    """The share of the rows whose problem lies in the band, by further samples of a random part of the problems."""
    by_prompt: dict[str, list[Row]] = {}
    for row in rows:
        by_prompt.setdefault(row.prompt, []).append(row)
    prompts = random.Random(0).sample(sorted(by_prompt), min(MEASURED, len(by_prompt)))
    groups = load(folder).complete(prompts, SamplingParams(n=SAMPLES, seed=987_654_321))
    inside = total = 0
    for prompt, replies in zip(prompts, groups, strict=True):
        problem = by_prompt[prompt][0]
        rate = sum(task.check(problem, reply.text).score for reply in replies) / SAMPLES
        total += len(by_prompt[prompt])
        inside += len(by_prompt[prompt]) * (BAND[0] <= rate <= BAND[1])
    return inside / total


def simulated_share(right: float, wrong: float, probe: int, seed: int) -> float:
    """The share of samples in the band, where pass rates are drawn from beta(right, wrong)."""
    rng = random.Random(f"{right} {wrong} {seed}")
    rates = {str(place): rng.betavariate(right, wrong) for place in range(300 * 6)}

    def ask(rows: Sequence[Row], params: SamplingParams) -> list[list[Reply]]:
        return [
            [Reply("", "yes" if rng.random() < rates[row.prompt] else "no") for _ in range(params.n)] for row in rows
        ]

    problems = [Row(prompt, "") for prompt in rates]
    band = Band(probe, *BAND)
    prober = Prober(ask, lambda row, reply: reply.text == "yes", band, SamplingParams(n=6, seed=seed), 300)
    probed = prober.run(iter(problems)) if probe else [Probed(row, [Reply("", "")] * 6, 0) for row in problems[:300]]
    samples = [(rates[item.problem.prompt], len(item.replies)) for item in probed]
    return sum(n for rate, n in samples if BAND[0] <= rate <= BAND[1]) / sum(n for _, n in samples)


def simulate(seeds: Sequence[int]) -> None:
    """Print the share of samples in the band for three distributions of pass rates."""
    for right, wrong in ((0.1, 0.1), (0.3, 0.6), (1.0, 1.0)):
        for probe in (0, 1, 2, 3):
            shares = [simulated_share(right, wrong, probe, seed) for seed in seeds]
            low, high = student(shares)
            mean = sum(shares) / len(shares)
            print(f"rates beta({right:g}, {wrong:g}), probe {probe}: {mean:.3f} [{low:.3f}, {high:.3f}] in the band")


def measure(arm: str, seed: int, folder: Path) -> tuple[float, float, float, int]:
    """Share in the band, accuracy on long additions before and after, and the number of samples."""
    recipe = Recipe.load("gpt", [*CHANGES, f"seed={seed}", ARMS[arm]])
    history = loop.run(recipe, folder)
    store = RunFolder(folder)
    rows = store.rows("generation-01/rows") or []
    made = sum(len(store.rows(f"generation-{number:02}/rows") or []) for number in range(1, GENERATIONS + 1))
    accuracy = [
        next(s.value for s in item.scores if s.key == "accuracy[long=yes]") for item in (history[0], history[-1])
    ]
    task = recipe.real()
    assert isinstance(task, Task)
    return share_in_band(rows, folder / "generation-00" / "model", task), accuracy[0], accuracy[1], made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=range(8))
    parser.add_argument("--simulated", action="store_true")
    options = parser.parse_args()
    seeds = list(options.seeds)
    if options.simulated:
        simulate(seeds)
        return
    results: dict[str, list[tuple[float, float, float, int]]] = {arm: [] for arm in ARMS}
    for seed in seeds:
        for arm in ARMS:
            with tempfile.TemporaryDirectory() as folder:
                results[arm].append(measure(arm, seed, Path(folder) / "run"))
            share, before, after, made = results[arm][-1]
            print(
                f"seed {seed} {arm}: in band {share:.3f}, long {before:.3f} -> {after:.3f}, {made} samples", flush=True
            )
    for place, name in ((0, "share in the band"), (2, "accuracy of long additions")):
        changes = [two[place] - one[place] for one, two in zip(results["plain"], results["probe"], strict=True)]
        means = {arm: sum(items[place] for items in found) / len(seeds) for arm, found in results.items()}
        low, high = student(changes) if len(changes) > 1 else (float("nan"),) * 2
        mean = sum(changes) / len(changes)
        print(f"{name}: {means['plain']:.3f} plain, {means['probe']:.3f} probed; {mean:+.3f} [{low:+.3f}, {high:+.3f}]")


if __name__ == "__main__":
    main()
