"""How often is a difference claimed where there is none? Runs, and proofs, whose synthetic rows have no effect.

    python -m benchmarks.equal_arms                 # 60 runs with their control
    python -m benchmarks.equal_arms --runs 0 --prove 20

Rows are generated, kept and reported as usual, but the mix draws copies of the real rows, labelled as synthetic, in
their place: both arms train on the same texts, and only the draws differ. So each run whose page or terminal says that
synthetic rows helped or did harm is a false claim, and so is each proof with the verdict better or worse. Exit code 1:
false claims in more than 5 % of the runs, or in significantly more than 5 % of the proofs, since a proof by its
definition errs in up to 5 %.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

import yaml

from selfsown.findings import Findings
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import CONTROL, RunFolder
from selfsown.stats.intervals import share

MAX_FALSE_CLAIMS = 0.05  # share
SYLLABLES = [
    "an",
    "bel",
    "cor",
    "da",
    "el",
    "fi",
    "gre",
    "ha",
    "is",
    "jo",
    "ka",
    "lin",
    "mar",
    "no",
    "ri",
    "sa",
    "to",
    "vi",
]
MIX = '''"""Copies of the real rows in place of the synthetic ones; salt shuffles all of them."""
import random
import numpy as np
from selfsown.records import Mixture
def mix(real, synthetic, *, salt: int = 0):
    rows = list(real)
    if synthetic:
        rows += [row.replace_fields(origin="synthetic", sample_index=at + 1) for at, row in enumerate(real)]
    random.Random(salt).shuffle(rows)
    return Mixture(rows, np.ones(len(rows)))
'''
TINY = ["student={tiny: {layers: 1, width: 32, heads: 2}}", "generations=3", "control=true"]
SIZES = {
    "names": [
        "held_out=400",
        "evaluate=loss",
        "guard=[regression: {tolerance: 0.02}]",
        "grade=[]",
        "curate=[min_score]",
        "generate.propose.count=50",
        "base_train.sft.steps=80",
        "train.sft.steps=40",
    ],
    "first": [
        "real.programs.rows=900",
        "real.programs.levels=1",
        "held_out=400",
        "evaluate=[accuracy]",
        "goal=accuracy",
        "guard=[regression]",
        "grade=[]",
        "curate=[min_score]",
        "generate.propose.count=100",
        "base_train.sft.steps=60",
        "train.sft.steps=40",
    ],
}
CLAIM = re.compile(r"in this run the synthetic rows (helped|did harm)")
WORDS = {"better": "helped", "worse": "did harm"}


@dataclass(frozen=True)
class Claims:
    """What a run claims. effect: as computed from the folder; page, terminal: as written there."""

    recipe: str
    effect: str
    page: str
    terminal: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--prove", type=int, default=0, help="number of proofs, of three seeds each")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(args.jobs) as pool:
        recipes = [_write_recipe(Path(temporary), name) for name in SIZES]
        runs = list(pool.map(_run, _numbered(recipes, args.runs)))
        proofs = list(pool.map(_prove, _numbered(recipes, args.prove)))
    failed = False
    if runs:
        failed |= _table("effect", [run.effect for run in runs], WORDS)[0] > MAX_FALSE_CLAIMS
        failed |= _table("page", [run.page for run in runs], WORDS.values())[0] > MAX_FALSE_CLAIMS
        failed |= _table("terminal", [run.terminal for run in runs], WORDS.values())[0] > MAX_FALSE_CLAIMS
        without_claim = sum(run.effect in ("no control", "no synthetic rows") for run in runs)
        print(f"\n{without_claim} of {len(runs)} runs could not claim anything")
        failed |= any(WORDS.get(run.effect, "") != claim for run in runs for claim in (run.page, run.terminal))
    if proofs:
        failed |= _table("proof", proofs, WORDS)[1] > MAX_FALSE_CLAIMS
    sys.exit(failed)


def _numbered(recipes: list[Path], count: int) -> list[tuple[Path, int]]:
    return [(recipe, seed) for seed, recipe in product(range(count), recipes)][:count]


def _write_recipe(folder: Path, name: str) -> Path:
    """The ready recipe, scaled down, with its mix and its texts next to it."""
    folder = folder / name
    folder.mkdir()
    (folder / "equal.py").write_text(MIX)
    texts = sorted({"".join(Random(seed).choices(SYLLABLES, k=3)) for seed in range(1500)})
    (folder / "names.txt").write_text("\n".join(texts) + "\n")
    changes = [*TINY, *SIZES[name], f"real={folder / 'names.txt'}"] if name == "names" else [*TINY, *SIZES[name]]
    tree = Recipe.load(name, changes).dump() | {"mix": "./equal.py", "name": name}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(tree))
    return folder / f"{name}.yaml"


def _run(job: tuple[Path, int]) -> Claims:
    """One run with its control, and what its page and its terminal claim."""
    recipe, seed = job
    folder = recipe.parent / f"run-{seed}"
    output = _selfsown("run", recipe, folder, f"seed={seed}")
    findings = Findings(RunFolder(folder).generations(), RunFolder(folder).generations(CONTROL), *_goal(recipe))
    page = (folder / "report.html").read_text(encoding="utf-8")
    return Claims(
        recipe.stem, findings.effect, *(" ".join(dict.fromkeys(CLAIM.findall(text))) for text in (page, output))
    )


def _prove(job: tuple[Path, int]) -> str:
    """The verdict of a proof."""
    recipe, salt = job
    folder = recipe.parent / f"proof-{salt}"
    _selfsown("prove", recipe, folder, f"mix={{./equal.py: {{salt: {salt}}}}}", "--seeds", "3", "--jobs", "1")
    return str(json.loads((folder / "compare.json").read_text(encoding="utf-8"))["proof"]["verdict"])


def _goal(recipe: Path) -> tuple[str, str]:
    loaded = Recipe.load(recipe)
    return loaded.goal, loaded.init_from


def _selfsown(command: str, recipe: Path, folder: Path, change: str, *arguments: str) -> str:
    full_command = [sys.executable, "-m", "selfsown", command, str(recipe), str(folder), "--set", change, *arguments]
    process = subprocess.run(full_command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    if process.returncode not in (0, 4, 5):
        sys.exit(f"{' '.join(full_command)}: {process.stderr}")
    return process.stdout


def _table(what: str, outcomes: list[str], claims: object) -> tuple[float, float]:
    """Print a line per outcome; the share of false claims, and the lower end of its 95 % interval."""
    false = set(claims)  # type: ignore[call-overload]
    print(f"\n| {what} | of {len(outcomes)} | share, % | 95 % interval |\n|---|---|---|---|")
    counts = Counter(outcomes)
    rows = [(outcome or "no claim", n) for outcome, n in counts.most_common()]
    false_count = sum(counts[claim] for claim in false)
    for outcome, n in [*rows, ("**false claims**", false_count)]:
        low, high = share(n, len(outcomes))
        print(f"| {outcome} | {n} | {100 * n / len(outcomes):.1f} | {100 * low:.1f} to {100 * high:.1f} |", flush=True)
    return false_count / len(outcomes), share(false_count, len(outcomes))[0]


if __name__ == "__main__":
    main()
