"""Any system: is it the grader that makes the loop work, and does the guard stop what goes wrong?

The arms differ in one thing each. Grader on, off, and its grades shuffled; real rows kept, and dropped.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from planted import Known, capitals, file, functions, programs, sums, words
from server import Server

from acceptance.bars import Bar, Mean, course, last
from selfsown.loop import run
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Mixture, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import share
from selfsown.tasks.programs import Task

WRONG = 0.4  # of a planted teacher's answers
FAULTS = {"busy": 0.05, "error": 0.03, "reset": 0.02, "malformed": 0.02}
FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
SMALL = (
    "real.programs.levels=1",
    "real.programs.rows=600",
    "held_out=400",
    "student.tiny.layers=2",
    "student.tiny.width=32",
    "base_train.sft.steps=100",
    "generations=3",
    "generate.propose.count=1500",
    "train.sft.steps=150",
    "evaluate=[{accuracy: {by: [form]}}, loss]",
    "goal=accuracy",
    "rollback=false",
)
ARMS = {
    "on": [],
    "off": ["grade=[]"],
    "shuffled": ["curate=[shuffle_grades, min_score, restate, dedup, decontaminate]"],
}
WORDS = (
    "held_out=300",
    "student.tiny.layers=2",
    "student.tiny.width=32",
    "base_train={sft: {steps: 300, batch_size: 64}}",
    "init_from=base",  # what changes is the rows alone
    "generations=4",
    "generate=[{propose: {count: 1500, temperature: 0.8}}]",
    "grade=[]",
    "curate=[]",
    "train={sft: {steps: 100, batch_size: 64, learning_rate: 0.005, embedding_learning_rate: 0.001}}",
    "guard=[regression, {collapse: {tolerance: 0.25}}]",
    "rollback=false",
)
POLICIES = {"replace": "mix=replace", "accumulate": "mix={accumulate: {real_share: 0.5}}"}
SOON = 2  # generations, within which the guard must have spoken where real rows are dropped


def learned(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """What needs training: the grader's part, and what becomes of a loop without one."""
    runs = {arm: [course(folder, "first", arm, at, [*SMALL, *change]) for at in seeds] for arm, change in ARMS.items()}
    ends = {arm: last(courses, "accuracy") for arm, courses in runs.items()}
    start = Mean.of(value for courses in runs["off"] if (value := courses[0].pooled("accuracy")))
    seen = f"start {start}; on {ends['on']}; off {ends['off']}; shuffled {ends['shuffled']}"
    yield Bar("accuracy on held-out real rows", "–", seen, True)
    gain = ends["on"] - ends["off"]
    yield Bar("grader on less grader off", "interval above 0", str(gain), gain.low > 0)
    gain = ends["on"] - start
    yield Bar("grader on less the start", "interval above 0", str(gain), gain.low > 0)
    gain = ends["off"] - start
    yield Bar("grader off less the start", "interval below +0.050", str(gain), gain.high < 0.05)
    gain = ends["shuffled"] - ends["off"]
    yield Bar("grades shuffled less grader off", "interval holds 0 or is below", str(gain), gain.low <= 0)
    real = sum(_new_real(folder / f"{arm}-{seed}") for arm in ARMS for seed in seeds)
    yield Bar("real rows among those made in three generations, all arms", "0", str(real), not real)
    tokens = [[_tokens(folder / f"{arm}-{seed}") for arm in ARMS] for seed in seeds]
    apart = max(max(each) / min(each) - 1 for each in tokens)
    yield Bar("tokens trained on: the arm with most over that with fewest", "≤ 5 % more", f"{apart:.1%}", apart <= 0.05)
    yield from _collapse(folder, seeds)


def _collapse(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """Words that nobody checks, written at temperature 0.8."""
    changes = [f"real={words(folder / 'words.txt')}", *WORDS]
    for policy, change in POLICIES.items():
        courses = [course(folder, "names", policy, seed, [*changes, change]) for seed in seeds]
        left, first = Mean.of(map(_variety, courses)), [next(iter(_refused(each)), 0) for each in courses]
        if policy == "replace":
            soon = sum(0 < number <= SOON for number in first)
            yield Bar("`replace`: variety left", "interval below 0.75", str(left), left.high < 0.75)
            asked, seen = f"by generation {SOON} in every seed", f"in {soon} of {len(first)}, generations {first}"
            yield Bar("`replace`: the guard `collapse` speaks", asked, seen, soon == len(first))
        else:
            seen = f"in {len(first) - first.count(0)} of {len(first)}"
            yield Bar("`accumulate`: variety left", "interval above 0.75", str(left), left.low > 0.75)
            yield Bar("`accumulate`: the guard `collapse` speaks", "in no seed", seen, not any(first))


def _variety(generations: Sequence[Generation]) -> float:
    """The least of the diversities, of the last generation as a share of generation 0's."""
    ends = (((score.key, score.value) for score in each.scores if score.name == "diversity") for each in generations)
    first, *_, final = map(dict, ends)
    return min(final[key] / first[key] for key in first)


def _refused(generations: Sequence[Generation]) -> list[int]:
    return [each.number for each in generations if "collapse" in {verdict.guard for verdict in each.rejections}]


def _new_real(folder: Path) -> int:
    """Rows of any generation that are no model's."""
    store, found = RunFolder(folder), 0
    for generation in store.generations()[1:]:
        found += sum(row.origin != "synthetic" for row in store.rows(f"{generation_dir(generation.number)}/rows") or [])
    return found


def _tokens(folder: Path) -> float:
    """What training is expected to draw of prompts and answers, over all generations."""
    store, past, found = RunFolder(folder), list[Row](), 0.0
    recipe = Recipe.of(store.recipe())
    for number in range(len(store.generations())):
        past += [row for row in store.rows(f"{generation_dir(number)}/rows") or [] if row.status == "kept"]
        mixture = recipe.mix.one(Mixture, real=store.rows("real"), synthetic=past)
        sizes = [len(row.prompt) + len(row.answer) for row in mixture.rows]
        knobs = ((recipe.base_train or recipe.train[0]) if number == 0 else recipe.train[0]).options
        drawn = float((mixture.weights * sizes).sum() / mixture.weights.sum())
        found += drawn * knobs["steps"] * knobs.get("batch", 64)
    return found


def loopback(folder: Path) -> Iterator[Bar]:
    """What needs no training: planted faults that must be found, by teachers and judges on the loopback."""
    for way, plant in {"verify": programs, "exact": capitals, "maths": sums, "execute": functions}.items():
        real, known = plant(folder)
        made = _planted(folder / way, way, real, known)
        kept = [row for row in made if row.status == "kept"]
        good, hits = (sum(row.answer in known[row.prompt][0] for row in rows) for rows in (made, kept))
        precision, recall = share(hits, len(kept)), share(hits, good)
        seen = f"{precision[0]:.3f} and {recall[0]:.3f}; of {len(made)} answers {1 - good / len(made):.0%} are wrong"
        fits = precision[0] >= 0.98 and recall[0] >= 0.95 and good < 0.65 * len(made)
        yield Bar(f"`{way}`: precision and recall of what passes, lower 95 % bounds", "≥ 0.98, ≥ 0.95", seen, fits)
    yield from _position(folder / "pairwise")
    yield from _bias(folder)


def _planted(folder: Path, way: str, real: Any, known: Known) -> list[Row]:
    """What a teacher answered who is wrong in four of ten answers, graded; without what ended in the wire's faults."""

    def say(prompt: str, body: dict[str, Any]) -> str:
        chance = random.Random(repr((prompt, body.get("seed"))))
        return chance.choice(known[prompt][chance.random() < WRONG])

    with Server(say=say, faults=FAULTS, wait="0.01") as server:
        teacher = {"endpoint": {"url": server.url, "model": "m", "retries": 10}}
        tree = {"real": real, "teacher": teacher, "generate": [{"sample": {"n": 2}}], "grade": [way]}
        make(Recipe.of({**tree, "curate": ["min_score"]}), folder)
    return RunFolder(folder).rows("rows") or []


def _position(folder: Path) -> Iterator[Bar]:
    """A judge that gives three judgements in ten to the first place, whatever stands there."""
    pairs, firsts = 1500, list[float]()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"prompt": f"A number above {at}?", "answer": str(at)} for at in range(pairs)]

    def say(prompt: str, body: dict[str, Any]) -> str:
        chance = random.Random(repr((prompt, body.get("seed"))))
        if not prompt.startswith("Compare"):
            return str(chance.randrange(10**6))
        one, other = (int(text) for _, text in FENCE.findall(prompt)[-2:])
        first = one > other or chance.random() < 0.3
        firsts.append(first - (one > other))
        return json.dumps({"reason": "it is larger", "better": "first" if first else "second"})

    with Server(say=say) as server:
        named = {"endpoint": {"url": server.url, "model": "m", "in_flight": 64}}
        tree = {"real": file(folder / "numbers.jsonl", rows), "teacher": named, "generate": [{"sample": {"n": 2}}]}
        make(Recipe.of({**tree, "grade": ["pairwise"], "curate": []}), folder / "out")
    families: dict[str, list[Row]] = {}
    for row in RunFolder(folder / "out").rows("rows") or []:
        if row.grades:  # where the judge says something else when the order is turned, there is no verdict
            families.setdefault(row.prompt, []).append(row)
    ahead = [min(both, key=lambda row: row.id) for both in families.values()]  # shown first in the first order
    better = [max(both, key=lambda row: int(row.answer)) for both in families.values()]
    left = abs(sum(row.score - (row is best) for row, best in zip(ahead, better, strict=True)) / len(ahead))
    planted = sum(firsts) / len(firsts)
    seen, fits = f"{left:.3f} is left of {planted:.3f}, {len(ahead)} pairs", left <= 0.02 and planted > 0.1
    yield Bar("`pairwise`: a judge's planted preference for the first place", "≤ 0.02 is left", seen, fits)


def _bias(folder: Path) -> Iterator[Bar]:
    """A teacher who knows the programs, and writes nine in ten in a style that seven in ten real rows have."""
    answers = {row.prompt: row.answer for row in Task(rows=1200).pose(0)}

    def say(prompt: str, body: dict[str, Any]) -> str:
        style = "a" if random.Random(prompt).random() < 0.9 else "b"
        return style + answers[prompt][1:] if prompt[0] == "|" else "I cannot run programs."

    tree = Recipe.load("first", [*SMALL, "real={programs: {rows: 1200}}", "held_out=200", "generations=1"]).dump()
    tree |= {"generate": ["sample"], "grade": ["verify"], "guard": [{"bias": {"attributes": ["style"]}}]}
    tree |= {way: {"tiny": {"steps": 2}} for way in ("base", "train")} | {"rollback": True}
    curated = {"as it is": ["passed"], "balanced": ["passed", {"balance": {"attributes": ["style"]}}]}
    with Server(say=say) as server:
        tree |= {"teacher": {"endpoint": {"url": server.url, "model": "m"}}}
        runs = {arm: run(Recipe.of(tree | {"curate": way}), folder / arm) for arm, way in curated.items()}
    shifted, balanced = (runs[arm][1].verdicts[0] for arm in curated)
    gap, left = shifted.metrics["style"], balanced.metrics["style"]
    seen, fits = f"{gap:.3f}, and {left:.3f} after `balance`", not shifted.passed and balanced.passed
    yield Bar("`bias`: it speaks where a teacher shifts a style, not where `balance` follows", "both", seen, fits)
    yield Bar("`balance`: what is left of the shift", "at most half", f"{left / gap:.0%}", left <= gap / 2)
    parts = ("best", "generation-00/model", "generation-01/model")
    kept, before, rolled = ((folder / "as it is" / part / "model.safetensors").read_bytes() for part in parts)
    seen = f"{'the same' if kept == before else 'other'} {len(kept):,} bytes"
    yield Bar("the weights after a rollback, against those before", "bit for bit", seen, kept == before != rolled)
