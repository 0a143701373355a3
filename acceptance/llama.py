"""Llama 3: only verified rows help, running programs repairs them, and no judge may drop the hard problems."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, final_scores, run_arm
from selfsown.guard.difficulty_drop import guard
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.sandbox.sandbox import Job, Sandbox
from selfsown.stats.intervals import share
from testing.mock_server import Server
from testing.mutants import mutants

Body = dict[str, Any]
# Difficulty from 1 to 3, a problem with a number K in it, a right program, and random arguments for it.
PROBLEMS: tuple[tuple[int, str, str, Callable[[random.Random], tuple[Any, ...]]], ...] = (
    (
        1,
        "the sum of those numbers of a list that are greater than K",
        "def f(v):\n    return sum(x for x in v if x > K)",
        lambda draw: ([draw.randrange(20) for _ in range(draw.randrange(6))],),
    ),
    (
        1,
        "a text in which every K-th character, counted from 1, is a star",
        "def f(s):\n    return ''.join('*' if (at + 1) % K == 0 else c for at, c in enumerate(s))",
        lambda draw: ("".join(draw.choices("abcdef", k=draw.randrange(12))),),
    ),
    (
        1,
        "the number of words of a text that have at least K letters",
        "def f(s):\n    return len([w for w in s.split() if len(w) >= K])",
        lambda draw: (" ".join("a" * draw.randrange(1, 12) for _ in range(draw.randrange(5))),),
    ),
    (
        2,
        "a list of numbers cut into pieces of K, the last perhaps shorter",
        "def f(v):\n    out = []\n    for at in range(0, len(v), K):\n        out.append(v[at:at + K])\n    return out",
        lambda draw: ([draw.randrange(9) for _ in range(draw.randrange(12))],),
    ),
    (
        2,
        "the digits of a whole number from 0 in base K, as a text",
        "def f(n):\n    out = ''\n    while n > 0:\n        out, n = str(n % K) + out, n // K\n    return out or '0'",
        lambda draw: (draw.randrange(3000),),
    ),
    (
        2,
        "the most frequent K numbers of a list, the smaller first where two are as frequent",
        "def f(v):\n    return sorted(set(v), key=lambda x: (0 - v.count(x), x))[:K]",
        lambda draw: ([draw.randrange(5) for _ in range(draw.randrange(12))],),
    ),
    (
        3,
        "the greatest sum of K numbers that stand beside each other in a list, or None where there are fewer",
        "def f(v):\n    if len(v) < K:\n        return None\n    best = now = sum(v[:K])\n"
        "    for at in range(K, len(v)):\n        now = now + v[at] - v[at - K]\n        if now > best:\n"
        "            best = now\n    return best",
        lambda draw: ([draw.randrange(-9, 10) for _ in range(draw.randrange(14))],),
    ),
    (
        3,
        "a list of numbers without those that came before within the last K places",
        "def f(v):\n    out = []\n    for at, x in enumerate(v):\n        if x not in v[max(0, at - K):at]:\n"
        "            out.append(x)\n    return out",
        lambda draw: ([draw.randrange(5) for _ in range(draw.randrange(14))],),
    ),
)
PROBLEM_COUNT = 96  # each of the above with K from 2 on
WRONG_SHARES = {1: 0.25, 2: 0.4, 3: 0.7}  # share of first drafts, by difficulty
REPAIR_RATE = 0.6  # of wrong programs that are shown their failure, in each round
ASSERTS = 16  # in tests that the teacher writes
WRONG_TEST_SHARE = 0.05  # of the tests that the teacher writes
CURATE = "curate=[{min_score: {graders: [unit_tests]}}, {any_grader: {min_score: {judge: 1.0}}}]"
TEST_REMOVED = 0.03  # of the repairs: the failing test is removed instead


GOAL, HARD = "accuracy[form=deduction]", "accuracy[form=deduction, level=2]"
DPO_STEPS = 40  # after plain training
SMALL = [
    "rollback=false",
    "student.tiny.layers=2",
    "student.tiny.width=48",
    "base_train.sft.steps=300",
    "generations=2",
]
SMALL += [
    "generate.propose.count=1500",
    "generate.propose.n=6",
    "train.sft.steps=150",
    f"train.dpo.steps={DPO_STEPS}",
]
STRICT = '''"""A judge that gives full marks to easy problems, and seldom to hard ones."""

import random

from selfsown.records import Grade


def grade(rows):
    for row in rows:
        accepted = random.Random(row.prompt).random() < (0.1 if row.level > 1 else 0.95)
        reason = "well written" if accepted else "I cannot follow it"
        yield Grade(float(accepted), reason, grader="strict", evidence="rule")
'''


class Coder:
    """A teacher that writes real programs with planted faults, and a judge; its replies depend on the prompt alone."""

    def __init__(self, strict: bool = False) -> None:
        self.strict, self.programs, self.wrong = strict, list[str](), list[list[str]]()
        for index in range(PROBLEM_COUNT):
            _, _, program, _ = PROBLEMS[index % len(PROBLEMS)]
            self.programs.append(program.replace("K", str(2 + index // len(PROBLEMS) % 9)))
            self.wrong.append([mutant for _, mutant in mutants(self.programs[index], "f")])

    def reply(self, prompt: str, body: Body) -> str:
        (number,) = {int(digits) for digits in re.findall(r"Problem (\d+):", prompt)}
        rng, difficulty = random.Random(f"{prompt} {body.get('seed')}"), PROBLEMS[number % len(PROBLEMS)][0]
        if prompt.startswith("Judge the"):
            dislikes = self.strict and rng.random() < {1: 0.05, 2: 0.3, 3: 0.9}[difficulty]
            return json.dumps({"reason": "so it is", "score": 2 if dislikes else 3})
        if prompt.startswith("Write tests"):
            return json.dumps(
                {"tests": "\n".join(self.tests(number, ASSERTS, f"written {number}", rng.random() < WRONG_TEST_SHARE))}
            )
        right, wrong = self.programs[number], rng.choice(self.wrong[number])
        if prompt.startswith("Write Python"):
            return json.dumps(
                {"program": f"```python\n{wrong if rng.random() < WRONG_SHARES[difficulty] else right}\n```"}
            )
        return json.dumps(self.repaired(prompt, number, rng, right, wrong))

    def repaired(self, prompt: str, number: int, rng: random.Random, right: str, wrong: str) -> Body:
        """The right program and tests, or another wrong program; or the failing test is removed."""
        texts = re.findall(r"<text-\w+>\n(.*?)\n</text-\w+>", prompt, re.DOTALL)
        before, tests, failure = texts[1], texts[2], texts[3].splitlines()[0].removeprefix("fails at: ")
        if rng.random() < TEST_REMOVED:
            return {
                "program": before,
                "tests": "\n".join(line for line in tests.splitlines() if line != failure) or tests,
            }
        succeeds = rng.random() < REPAIR_RATE
        new_tests = "\n".join(self.tests(number, ASSERTS, f"written {number}")) if succeeds else tests
        return {"program": right if succeeds else wrong, "tests": new_tests}

    def tests(self, number: int, count: int, seed: str, with_wrong: bool = False) -> list[str]:
        """Asserts with the values of the right program; with_wrong: the last one expects another value."""
        rng, names = random.Random(seed), dict[str, Any]()
        exec(self.programs[number], names)
        arguments = [PROBLEMS[number % len(PROBLEMS)][3](rng) for _ in range(count)]
        lines = [f"assert f(*{values!r}) == {names['f'](*values)!r}" for values in arguments]
        return [*lines[:-1], lines[-1].replace("==", "!=")] if with_wrong else lines

    def real(self, path: Path) -> Path:
        """The problems as a file of real rows."""
        with path.open("w", encoding="utf-8") as file:
            for index in range(PROBLEM_COUNT):
                difficulty, task, _, _ = PROBLEMS[index % len(PROBLEMS)]
                k = 2 + index // len(PROBLEMS) % 9
                text = f"Problem {index}: write f, which returns {task.replace('K', str(k))}."
                file.write(json.dumps({"prompt": text, "answer": "", "difficulty": str(difficulty)}) + "\n")
        return path


def loopback(folder: Path) -> Iterator[Bar]:
    """Programs run in the sandbox, a teacher with planted errors, and a judge that dislikes hard problems."""
    try:
        Sandbox(workers=1).close()
    except SelfsownError as error:
        yield Bar("programs in a sandbox", "available here", f"not measured: {error}", passed=True)
        return
    rows, unrepaired, strict = (
        run_recipe(folder),
        run_recipe(folder, rounds=0, few=48),
        run_recipe(folder, strict=True, few=48),
    )
    failed_first = [len(json.loads(row.metadata["revision_history"])) > 1 for row in rows]
    repaired = [_passes(row) for row, failed in zip(rows, failed_first, strict=True) if failed]
    low, high = share(sum(repaired), len(repaired))
    expected = 1 - (1 - REPAIR_RATE) ** 2
    result = f"{sum(repaired)} of {len(repaired)}, {sum(repaired) / len(repaired):.2f} [{low:.2f}, {high:.2f}]"
    result += f"; {sum(repaired) / len(rows):.0%} of all programs"
    requirement = f"{expected:.2f}, the teacher's repair rate, is in the interval (Llama 3: about 20 % of all programs)"
    yield Bar("programs that fail at first and pass after repair", requirement, result, low <= expected <= high)
    accepted, drafts = [row for row in rows if _passes(row)], [row for row in unrepaired if row.status != "failed"]
    accepted_right, drafts_right = pass_hidden_tests(accepted), pass_hidden_tests(drafts)
    result = f"{sum(accepted_right)} of {len(accepted)}, {sum(accepted_right) / len(accepted):.3f}"
    result += f"; of first drafts {sum(drafts_right) / len(drafts):.3f}"
    yield Bar(
        "accepted programs that pass 40 hidden tests each",
        "at least 0.95",
        result,
        sum(accepted_right) >= 0.95 * len(accepted),
    )
    for case, group, requirement in (
        ("with repair, a fair judge", rows, "silent"),
        ("with repair, a judge that dislikes hard problems", strict, "alarm"),
        ("without repair, a fair judge", unrepaired, "reported"),
    ):
        verdict = guard(group, [row for row in group if row.status == "kept"], metadata_key="difficulty")
        result = f"{'silent' if verdict.passed else 'alarm'}: {verdict.reason}"
        yield Bar(
            f"hard problems lost: {case}", requirement, result, requirement in result or requirement == "reported"
        )


def _passes(row: Row) -> bool:
    return any(grade.grader == "unit_tests" and grade.score == 1 for grade in row.grades)


def run_recipe(folder: Path, *, strict: bool = False, rounds: int = 2, few: int = 0) -> list[Row]:
    """The rows of `llama-text` with this teacher behind a server, without deduplication, so that all can be counted."""
    coder = Coder(strict)
    path = coder.real(folder / "problems.jsonl")
    real = f"{{file: {{path: '{path}', prompt: prompt, answer: answer, rows: {few}, attributes: [difficulty]}}}}"
    with Server(say=coder.reply) as server:
        teacher = f"{{endpoint: {{url: '{server.url}', model: m}}}}"
        overrides = [
            f"real={real}",
            f"teacher={teacher}",
            "held_out=0",
            "generate.self_debug.n=1",
            f"generate.self_debug.rounds={rounds}",
        ]
        name = f"text-{rounds}{'-strict' if strict else ''}"
        make(Recipe.load("llama-text", [*overrides, CURATE]), folder / name)
    return RunFolder(folder / name).rows("rows") or []


def pass_hidden_tests(rows: Sequence[Row]) -> list[bool]:
    """Whether each program passes 40 tests that no model was shown."""
    coder = Coder()
    numbers = [int(re.findall(r"Problem (\d+):", row.prompt)[0]) for row in rows]
    tests = ["\n".join(coder.tests(number, 40, f"hidden {number}")) for number in numbers]
    with Sandbox(cpu_seconds=1.0) as sandbox:
        jobs = [Job(row.answer, tests=text) for row, text in zip(rows, tests, strict=True)]
        return [bool(outcome.passed) for outcome in sandbox.run_all(jobs)]


def arms(folder: Path) -> dict[str, list[str]]:
    """What each arm changes in the recipe. Without grades there are no pairs; as many plain steps replace them."""
    first = "{sft: {steps: 400, batch_size: 64, learning_rate: 0.01, average_last: 0.3}}"
    plain = f"train=[{first}, {{sft: {{steps: {DPO_STEPS}, learning_rate: 0.003}}}}]"
    return {
        "verified": [],
        "unverified": ["grade=[]", plain],
        "strict": [f"grade=[verify, {folder.resolve() / 'strict.py'}]"],
        "no-pairs": [plain],
        "no-near-dedup": ["curate=[preference_pairs, min_score, dedup, decontaminate]"],
        "near-dedup-0.5": [
            "curate=[preference_pairs, min_score, dedup, {dedup_near: {max_similarity: 0.5}}, decontaminate]"
        ],
        "no-dedup": ["curate=[preference_pairs, min_score, decontaminate]"],
        "no-average": ["train.sft.average_last=0.0"],
    }


def trained(folder: Path, seeds: range) -> Iterator[Bar]:
    """Each arm is the recipe, scaled down, with one change; accuracy on held-out real rows after equally many steps."""
    (folder / "strict.py").write_text(STRICT, encoding="utf-8")
    runs = {
        arm: [run_arm(folder, "llama", arm, seed, [*SMALL, *changes]) for seed in seeds]
        for arm, changes in arms(folder).items()
    }
    final = {arm: final_scores(histories, GOAL) for arm, histories in runs.items()}
    start = final_scores([histories[:1] for histories in runs["verified"]], GOAL)
    gain, ungraded_gain, difference = (
        final["verified"] - start,
        final["unverified"] - start,
        final["verified"] - final["unverified"],
    )
    yield Bar("accuracy gained from generated rows that were verified", "above 0", f"{gain}", gain.low > 0)
    yield Bar(
        "accuracy gained from generated rows that were not", "at most 0", f"{ungraded_gain}", ungraded_gain.high <= 0
    )
    yield Bar("the first minus the second, after equally many steps", "above 0", f"{difference}", difference.low > 0)
    alarms = {arm: [_alarms(histories) for histories in runs[arm]] for arm in ("strict", "verified")}
    result = "; ".join(f"{arm}: in {sum(map(any, counts))} of {len(counts)} seeds" for arm, counts in alarms.items())
    passed = all(map(all, alarms["strict"])) and not any(map(any, alarms["verified"]))
    yield Bar(
        "hard problems lost: a judge that dislikes them, next to the task's own check",
        "alarm in all of its generations; none without it",
        result,
        passed,
    )
    hard_loss = final_scores(runs["verified"], HARD) - final_scores(runs["strict"], HARD)
    yield Bar("accuracy on hard problems lost by this judge", "reported", f"{hard_loss}", passed=True)
    for arm, other, what in (
        ("verified", "no-pairs", "preference pairs (DPO) minus equally many plain steps"),
        ("verified", "no-dedup", "duplicates and near duplicates (0.85) removed, minus neither"),
        ("verified", "no-near-dedup", "the same, minus duplicates alone"),
        ("near-dedup-0.5", "no-near-dedup", "near duplicates from 0.5 on, minus duplicates alone"),
        ("verified", "no-average", "weights averaged over the last 30 % of steps, minus the last ones"),
    ):
        yield Bar(f"accuracy: {what}", "reported", f"{final[arm] - final[other]}", passed=True)


def _alarms(generations: Sequence[Generation]) -> list[bool]:
    """Whether hard problems were lost, in each generation that made rows."""
    return [
        not verdict.passed
        for generation in generations
        for verdict in generation.verdicts
        if verdict.guard == "difficulty_drop"
    ]
