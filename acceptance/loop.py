"""Any system: is it the grader that makes the loop work, and does the guard stop a collapse?

Each arm differs in one thing: grader on, off, or its grades shuffled; real rows kept or dropped.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, Mean, final_scores, run_arm
from selfsown.loop import run
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import share
from selfsown.tasks.programs import Task
from testing.mock_server import Server
from testing.planted_answers import Answers, DataSource, capitals, file, functions, programs, sums, words

GRADERS = {"verify": programs, "exact_match": capitals, "math_equal": sums, "unit_tests": functions}
WRONG_SHARE = 0.4  # of the teacher's answers
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
    "init_from=base",  # so that only the rows change
    "generations=4",
    "generate=[{propose: {count: 1500, temperature: 0.8}}]",
    "grade=[]",
    "curate=[]",
    "train={sft: {steps: 100, batch_size: 64, learning_rate: 0.005, embedding_learning_rate: 0.001}}",
    "guard=[regression, {collapse: {tolerance: 0.25}}]",
    "rollback=false",
)
POLICIES = {"replace": "mix=replace", "accumulate": "mix={accumulate: {real_share: 0.5}}"}
DETECTION_GENERATIONS = 2  # within which the guard must trigger if real rows are dropped


def trained(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """What needs training: the effect of the grader, and what happens to a loop without real rows."""
    histories = {
        arm: [run_arm(folder, "first", arm, seed, [*SMALL, *change]) for seed in seeds] for arm, change in ARMS.items()
    }
    final = {arm: final_scores(runs, "accuracy") for arm, runs in histories.items()}
    start = Mean.of(value for runs in histories["off"] if (value := runs[0].pooled("accuracy")))
    result = f"start {start}; on {final['on']}; off {final['off']}; shuffled {final['shuffled']}"
    yield Bar("accuracy on held-out real rows", "–", result, True)
    difference = final["on"] - final["off"]
    yield Bar("grader on minus grader off", "interval above 0", str(difference), difference.low > 0)
    difference = final["on"] - start
    yield Bar("grader on minus the start", "interval above 0", str(difference), difference.low > 0)
    difference = final["off"] - start
    yield Bar("grader off minus the start", "interval below +0.050", str(difference), difference.high < 0.05)
    difference = final["shuffled"] - final["off"]
    yield Bar(
        "grades shuffled minus grader off", "interval contains 0 or is below", str(difference), difference.low <= 0
    )
    real = sum(_new_real(folder / f"{arm}-{seed}") for arm in ARMS for seed in seeds)
    yield Bar("real rows among those generated in three generations, all arms", "0", str(real), not real)
    tokens = [[_tokens(folder / f"{arm}-{seed}") for arm in ARMS] for seed in seeds]
    ratio = max(max(counts) / min(counts) - 1 for counts in tokens)
    measure = "tokens trained on: the arm with the most over the one with the fewest"
    yield Bar(measure, "≤ 5 % more", f"{ratio:.1%}", ratio <= 0.05)
    yield from _collapse(folder, seeds)


def _collapse(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """Ungraded words, sampled at temperature 0.8."""
    changes = [f"real={words(folder / 'words.txt')}", *WORDS]
    for policy, change in POLICIES.items():
        histories = [run_arm(folder, "names", policy, seed, [*changes, change]) for seed in seeds]
        left = Mean.of(map(_diversity_left, histories))
        triggered = [next(iter(_collapse_alarms(history)), 0) for history in histories]  # generations
        if policy == "replace":
            soon = sum(0 < number <= DETECTION_GENERATIONS for number in triggered)
            yield Bar("`replace`: share of diversity left", "interval below 0.75", str(left), left.high < 0.75)
            requirement = f"by generation {DETECTION_GENERATIONS} in every seed"
            result = f"in {soon} of {len(triggered)}, generations {triggered}"
            yield Bar("`replace`: the guard `collapse` triggers", requirement, result, soon == len(triggered))
        else:
            result = f"in {len(triggered) - triggered.count(0)} of {len(triggered)}"
            yield Bar("`accumulate`: share of diversity left", "interval above 0.75", str(left), left.low > 0.75)
            yield Bar("`accumulate`: the guard `collapse` triggers", "in no seed", result, not any(triggered))


def _diversity_left(generations: Sequence[Generation]) -> float:
    """The lowest of the diversities of the last generation, as a share of generation 0's."""
    diversities = (
        ((score.key, score.value) for score in generation.scores if score.name == "diversity")
        for generation in generations
    )
    first, *_, final = map(dict, diversities)
    return min(final[key] / first[key] for key in first)


def _collapse_alarms(generations: Sequence[Generation]) -> list[int]:
    return [
        generation.number
        for generation in generations
        if "collapse" in {verdict.guard for verdict in generation.rejections}
    ]


def _new_real(folder: Path) -> int:
    """Rows of any generation that no model wrote."""
    run_folder, count = RunFolder(folder), 0
    for generation in run_folder.generations()[1:]:
        rows = run_folder.rows(f"{generation_dir(generation.number)}/rows") or []
        count += sum(row.origin != "synthetic" for row in rows)
    return count


def _tokens(folder: Path) -> float:
    """The expected number of characters that training draws, over all generations."""
    run_folder, synthetic, total = RunFolder(folder), list[Row](), 0.0
    recipe = Recipe.of(run_folder.recipe())
    for number in range(len(run_folder.generations())):
        synthetic += [row for row in run_folder.rows(f"{generation_dir(number)}/rows") or [] if row.status == "kept"]
        mixture = recipe.mix(real=run_folder.rows("real"), synthetic=synthetic)
        sizes = [len(row.prompt) + len(row.answer) for row in mixture.rows]
        options = ((recipe.base_train or recipe.train[0]) if number == 0 else recipe.train[0]).options
        mean_size = float((mixture.weights * sizes).sum() / mixture.weights.sum())
        total += mean_size * options["steps"] * options.get("batch_size", 64)
    return total


def loopback(folder: Path) -> Iterator[Bar]:
    """What needs no training: planted faults that must be detected, with teachers and judges on the loopback."""
    for grader, plant in GRADERS.items():
        real, answers = plant(folder)
        rows = _planted(folder / grader, grader, real, answers)
        kept = [row for row in rows if row.status == "kept"]
        right, correct = (sum(row.answer in answers[row.prompt][0] for row in group) for group in (rows, kept))
        precision, recall = share(correct, len(kept)), share(correct, right)
        result = f"{precision[0]:.3f} and {recall[0]:.3f}; of {len(rows)} answers {1 - right / len(rows):.0%} are wrong"
        passed = precision[0] >= 0.98 and recall[0] >= 0.95 and right < 0.65 * len(rows)
        measure = f"`{grader}`: precision and recall of the accepted answers, lower 95 % bounds"
        yield Bar(measure, "≥ 0.98, ≥ 0.95", result, passed)
    yield from _position(folder / "pairwise")
    yield from _bias(folder)


def _planted(folder: Path, grader: str, real: DataSource, answers: Answers) -> list[Row]:
    """The graded answers of a teacher that is wrong in four of ten, behind a server with transport faults."""

    def reply(prompt: str, body: dict[str, Any]) -> str:
        rng = random.Random(repr((prompt, body.get("seed"))))
        return rng.choice(answers[prompt][rng.random() < WRONG_SHARE])

    with Server(say=reply, faults=FAULTS, wait="0.01") as server:
        teacher = {"endpoint": {"url": server.url, "model": "m", "retries": 10}}
        recipe = {"real": real, "teacher": teacher, "generate": [{"sample": {"n": 2}}], "grade": [grader]}
        make(Recipe.of({**recipe, "curate": ["min_score"]}), folder)
    return RunFolder(folder).rows("rows") or []


def _position(folder: Path) -> Iterator[Bar]:
    """A judge that prefers the first position in three of ten comparisons, whatever it shows."""
    pairs, preferences = 1500, list[float]()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"prompt": f"A number above {index}?", "answer": str(index)} for index in range(pairs)]

    def reply(prompt: str, body: dict[str, Any]) -> str:
        rng = random.Random(repr((prompt, body.get("seed"))))
        if not prompt.startswith("Compare"):
            return str(rng.randrange(10**6))
        left_number, right_number = (int(text) for _, text in FENCE.findall(prompt)[-2:])
        first = left_number > right_number or rng.random() < 0.3
        preferences.append(first - (left_number > right_number))
        return json.dumps({"reason": "it is larger", "better": "first" if first else "second"})

    with Server(say=reply) as server:
        model = {"endpoint": {"url": server.url, "model": "m", "max_in_flight": 64}}
        recipe = {"real": file(folder / "numbers.jsonl", rows), "teacher": model, "generate": [{"sample": {"n": 2}}]}
        make(Recipe.of({**recipe, "grade": ["pairwise"], "curate": []}), folder / "out")
    families: dict[str, list[Row]] = {}
    for row in RunFolder(folder / "out").rows("rows") or []:
        if row.grades:  # no grade where the judge changes its mind when the order is swapped
            families.setdefault(row.prompt, []).append(row)
    shown_first = [min(pair, key=lambda row: row.id) for pair in families.values()]  # shown first in the original order
    better = [max(pair, key=lambda row: int(row.answer)) for pair in families.values()]
    left = abs(sum(row.score - (row is best) for row, best in zip(shown_first, better, strict=True)) / len(shown_first))
    planted = sum(preferences) / len(preferences)
    result, passed = f"{left:.3f} left of {planted:.3f}, {len(shown_first)} pairs", left <= 0.02 and planted > 0.1
    yield Bar("`pairwise`: the judge's planted preference for the first position", "≤ 0.02 left", result, passed)


def _bias(folder: Path) -> Iterator[Bar]:
    """A teacher that knows the programs, and writes nine of ten in a style that seven of ten real rows have."""
    answers = {row.prompt: row.answer for row in Task(rows=1200).pose(0)}

    def reply(prompt: str, body: dict[str, Any]) -> str:
        style = "a" if random.Random(prompt).random() < 0.9 else "b"
        return style + answers[prompt][1:] if prompt[0] == "|" else "I cannot run programs."

    recipe = Recipe.load("first", [*SMALL, "real={programs: {rows: 1200}}", "held_out=200", "generations=1"]).dump()
    recipe |= {"generate": ["sample"], "grade": ["verify"], "guard": [{"bias": {"attributes": ["style"]}}]}
    recipe |= {"base_train": {"sft": {"steps": 2}}, "train": {"sft": {"steps": 2}}, "rollback": True}
    curations = {"unbalanced": ["min_score"], "balanced": ["min_score", {"balance": {"attributes": ["style"]}}]}
    with Server(say=reply) as server:
        recipe |= {"teacher": {"endpoint": {"url": server.url, "model": "m"}}}
        runs = {arm: run(Recipe.of(recipe | {"curate": steps}), folder / arm) for arm, steps in curations.items()}
    shifted, balanced = (runs[arm][1].verdicts[0] for arm in curations)
    gap, left = shifted.metrics["style"], balanced.metrics["style"]
    result, passed = f"{gap:.3f}, and {left:.3f} after `balance`", not shifted.passed and balanced.passed
    yield Bar("`bias`: triggers if a teacher shifts a style, but not after `balance`", "both", result, passed)
    yield Bar("`balance`: share of the shift that is left", "at most half", f"{left / gap:.0%}", left <= gap / 2)
    parts = ("best", "generation-00/model", "generation-01/model")
    kept, before, rolled = ((folder / "unbalanced" / part / "model.safetensors").read_bytes() for part in parts)
    result = f"{'identical' if kept == before else 'different'}, {len(kept):,} bytes"
    yield Bar("the weights after a rollback, compared with those before", "identical", result, kept == before != rolled)
