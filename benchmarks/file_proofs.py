"""How often does `selfsown prove --synthetic FILE --against REAL` claim what is not so, and does it see what is?

    python -m benchmarks.file_proofs --repeats 5

Real rows are documents (made-up names) or prompts with answers (small programs). The synthetic file holds copies of the
same real rows (no effect: better and worse are both false), other rows of the same source (better), rows with the
answers exchanged or the letters shuffled (not better), or all real rows, those that will be held out too, with a space
or a full stop more (a leak: not better). Exit code 1: any kind is claimed to be better that is not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from random import Random

from selfsown import loop
from selfsown.compare import prove
from selfsown.compare.analysis import analyze
from selfsown.compare.columns import ColumnOptions
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.tasks.programs import Task as Programs

REAL, OTHER = 200, 400
SYLLABLES = ["an", "bel", "cor", "da", "el", "fi", "gre", "ha", "is", "jo", "ka", "lin", "mar", "no", "ri", "sa"]
STUDENT = "student={tiny: {layers: 1, width: 32, heads: 2}}"
NOT_BETTER = ("copies", "shuffled", "leaked")
KINDS = ("copies", "other rows", "shuffled", "leaked")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="proofs of each kind")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each proof")
    parser.add_argument("--jobs", type=int, default=2, help="proofs at a time")
    args = parser.parse_args()
    jobs = list(product(range(args.repeats), ("documents", "answers"), KINDS))
    with tempfile.TemporaryDirectory() as temporary, ProcessPoolExecutor(args.jobs) as pool:
        verdicts = list(pool.map(partial(_verdict, Path(temporary), args.seeds), jobs))
    print("| real rows | synthetic rows | better | worse | inconclusive |\n|---|---|---|---|---|")
    failed = False
    for source, kind in product(("documents", "answers"), KINDS):
        counts = Counter(verdict for job, verdict in zip(jobs, verdicts, strict=True) if job[1:] == (source, kind))
        print(f"| {source} | {kind} | {counts['better']} | {counts['worse']} | {counts['inconclusive']} |")
        failed |= kind in NOT_BETTER and counts["better"] > 0
    sys.exit(failed)


def _verdict(folder: Path, seeds: int, job: tuple[int, str, str]) -> str:
    """The verdict of one proof, of so many seeds."""
    repeat, source, kind = job
    place = folder / f"{source}-{kind.replace(' ', '-')}-{repeat}"
    place.mkdir()
    rows = _rows(source, repeat)
    real, other = rows[:REAL], rows[REAL:]
    synthetic = _synthetic(kind, real, other, Random(repeat))
    for name, content in (("real", real), ("synthetic", synthetic)):
        records = [
            {"prompt": row.prompt, "answer": row.answer} if row.prompt else {"text": row.answer} for row in content
        ]
        (place / f"{name}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    files = str(place / "synthetic.jsonl"), str(place / "real.jsonl")
    experiment = prove.plan_file_proof(*files, ColumnOptions(), [STUDENT], seeds)
    runs = experiment.runs(place / "proof")
    for run in runs:  # in this process: importing torch takes as long as such a run
        loop.run(Recipe.load(run.source, run.changes), run.folder)
    result = prove.prove(experiment, place / "proof", analyze(experiment, runs, {}))
    assert result.proof
    gap = result.proof.difference
    print(f"{place.name}: {gap.verdict} {gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]", flush=True)
    return gap.verdict


def _rows(source: str, seed: int) -> list[Row]:
    """Different rows of one source, in random order."""
    if source == "answers":
        posed = {row.key: row for row in Programs(rows=4000, levels=1).pose(seed)}
        return Random(seed).sample(list(posed.values()), REAL + OTHER)
    texts = sorted({"".join(Random(at).choices(SYLLABLES, k=4)) for at in range(9000)})
    return [Row("", text) for text in Random(seed).sample(texts, REAL + OTHER)]


def _synthetic(kind: str, real: list[Row], other: list[Row], rng: Random) -> list[Row]:
    if kind == "copies":
        return real
    if kind == "leaked":
        return [row.replace_fields(answer=f" {row.answer}" if row.prompt else f"{row.answer}.") for row in real]
    if kind == "other rows":
        return other
    if other[0].prompt:
        answers = rng.sample([row.answer for row in other], len(other))
        return [Row(row.prompt, answer) for row, answer in zip(other, answers, strict=True)]
    return [Row("", "".join(rng.sample(row.answer, len(row.answer)))) for row in other]


if __name__ == "__main__":
    main()
