"""How often is a difference claimed where there is none? Runs, and proofs, whose synthetic rows cannot matter.

    python benchmarks/equal_arms.py                 # 60 runs with their control
    python benchmarks/equal_arms.py --runs 0 --prove 20

Rows are written, kept and reported as ever, but in the place of them the mix draws copies of the real rows that are
labelled synthetic: both arms learn from the same texts, and only the draws differ. So each run whose page or terminal
says that synthetic rows helped, or did harm, is a false claim, and so is each proof that ends better or worse. Exit
code 1: false claims in more than 5 % of the runs; or in more than 5 % of the proofs beyond chance, for a proof by its
nature errs in up to 5 %.
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

MOST = 0.05  # of false claims
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
MIX = '''"""Copies of the real rows in the place of the synthetic ones; salt shuffles all of them."""
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
class Claimed:
    """effect: as computed from the folder; page, terminal: as said there."""

    recipe: str
    effect: str
    page: str
    terminal: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--prove", type=int, default=0, help="how many proofs of three seeds")
    parser.add_argument("--jobs", type=int, default=2, help="at a time")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(wish.jobs) as pool:
        recipes = [_written(Path(place), name) for name in SIZES]
        runs = list(pool.map(_ran, _numbered(recipes, wish.runs)))
        proofs = list(pool.map(_proved, _numbered(recipes, wish.prove)))
    bad = False
    if runs:
        bad |= _table("effect", [each.effect for each in runs], WORDS)[0] > MOST
        bad |= _table("page", [each.page for each in runs], WORDS.values())[0] > MOST
        bad |= _table("terminal", [each.terminal for each in runs], WORDS.values())[0] > MOST
        idle = sum(each.effect in ("no control", "no synthetic rows") for each in runs)
        print(f"\n{idle} of {len(runs)} runs could not claim anything")
        bad |= any(WORDS.get(each.effect, "") != said for each in runs for said in (each.page, each.terminal))
    if proofs:
        bad |= _table("proof", proofs, WORDS)[1] > MOST
    sys.exit(bad)


def _numbered(recipes: list[Path], many: int) -> list[tuple[Path, int]]:
    return [(recipe, at) for at, recipe in product(range(many), recipes)][:many]


def _written(place: Path, name: str) -> Path:
    """The ready recipe, scaled down, with the mix and the texts that it needs beside it."""
    folder = place / name
    folder.mkdir()
    (folder / "equal.py").write_text(MIX)
    texts = sorted({"".join(Random(at).choices(SYLLABLES, k=3)) for at in range(1500)})
    (folder / "names.txt").write_text("\n".join(texts) + "\n")
    changes = [*TINY, *SIZES[name], *(["real=" + str(folder / "names.txt")] * (name == "names"))]
    tree = Recipe.load(name, changes).dump() | {"mix": "./equal.py", "name": name}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(tree))
    return folder / f"{name}.yaml"


def _ran(wanted: tuple[Path, int]) -> Claimed:
    """One run with its control, and what its page and its terminal say."""
    recipe, seed = wanted
    folder = recipe.parent / f"run-{seed}"
    said = _selfsown("run", recipe, folder, f"seed={seed}")
    found = Findings(RunFolder(folder).generations(), RunFolder(folder).generations(CONTROL), *_goal(recipe))
    page = (folder / "report.html").read_text(encoding="utf-8")
    return Claimed(recipe.stem, found.effect, *(" ".join(dict.fromkeys(CLAIM.findall(text))) for text in (page, said)))


def _proved(wanted: tuple[Path, int]) -> str:
    """The verdict of a proof."""
    recipe, salt = wanted
    folder = recipe.parent / f"proof-{salt}"
    _selfsown("prove", recipe, folder, f"mix={{./equal.py: {{salt: {salt}}}}}", "--seeds", "3", "--jobs", "1")
    return str(json.loads((folder / "compare.json").read_text(encoding="utf-8"))["proof"]["verdict"])


def _goal(recipe: Path) -> tuple[str, str]:
    loaded = Recipe.load(recipe)
    return loaded.goal, loaded.init_from


def _selfsown(command: str, recipe: Path, folder: Path, change: str, *more: str) -> str:
    order = [sys.executable, "-m", "selfsown", command, str(recipe), str(folder), "--set", change, *more]
    done = subprocess.run(order, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    if done.returncode not in (0, 4, 5):
        sys.exit(f"{' '.join(order)}: {done.stderr}")
    return done.stdout


def _table(what: str, found: list[str], claims: object) -> tuple[float, float]:
    """A line for each outcome; the share of claims, and the lower end of its 95 % interval."""
    named = set(claims)  # type: ignore[call-overload]
    print(f"\n| {what} | of {len(found)} | share, % | 95 % interval |\n|---|---|---|---|")
    counts = Counter(found)
    rows = [(outcome or "no claim", n) for outcome, n in counts.most_common()]
    claimed = sum(counts[claim] for claim in named)
    for outcome, n in [*rows, ("**false claims**", claimed)]:
        low, high = share(n, len(found))
        print(f"| {outcome} | {n} | {100 * n / len(found):.1f} | {100 * low:.1f} to {100 * high:.1f} |", flush=True)
    return claimed / len(found), share(claimed, len(found))[0]


if __name__ == "__main__":
    main()
