"""Llama 3: only verified rows of its own help, running programs mends them, and no judge may drop what is hard."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, course, last
from selfsown.guard.difficulty_drop import guard
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.sandbox.sandbox import Job, Sandbox
from selfsown.stats.intervals import share

Body = dict[str, Any]
# Problems with a number K in them, their hardness from 1 to 3, a right program, and what it may be given.
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
COUNT = 96  # problems: each of the above with K from 2 up
WRONG = {1: 0.25, 2: 0.4, 3: 0.7}  # the share of first drafts that are wrong, by hardness
MENDED = 0.6  # of the wrong ones that are shown what became of them, each time
ASSERTS = 16  # in tests that the teacher writes
ODD = 0.05  # of the tests that are written, one is wrong
CURATE = "curate=[{min_score: {graders: [execute]}}, {any_grader: {min_score: {judge: 1.0}}}]"
BENT = 0.03  # of the programs that should be mended, it is the failing test that goes


GOAL, HARD = "accuracy[form=deduction]", "accuracy[form=deduction, level=2]"
THEN = 40  # steps of the stage after plain training
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
    f"then.dpo.steps={THEN}",
]
STRICT = '''"""A judge who gives full marks to what is easy, and seldom to what is hard."""

import random

from selfsown.records import Grade


def grade(rows):
    for row in rows:
        likes = random.Random(row.prompt).random() < (0.1 if row.level > 1 else 0.95)
        yield Grade(float(likes), "well written" if likes else "I cannot follow it", grader="strict", evidence="rule")
'''


class Coder:
    """A teacher that writes real programs with planted faults, and a judge; what it says depends on the prompt."""

    def __init__(self, strict: bool = False) -> None:
        from grade.mutants import mutants  # the tests' own

        self.strict, self.programs, self.wrong = strict, list[str](), list[list[str]]()
        for at in range(COUNT):
            _, _, program, _ = PROBLEMS[at % len(PROBLEMS)]
            self.programs.append(program.replace("K", str(2 + at // len(PROBLEMS) % 9)))
            self.wrong.append([made for _, made in mutants(self.programs[at], "f")])

    def say(self, prompt: str, body: Body) -> str:
        (number,) = {int(each) for each in re.findall(r"Problem (\d+):", prompt)}
        draw, hard = random.Random(f"{prompt} {body.get('seed')}"), PROBLEMS[number % len(PROBLEMS)][0]
        if prompt.startswith("Judge the"):
            dislikes = self.strict and draw.random() < {1: 0.05, 2: 0.3, 3: 0.9}[hard]
            return json.dumps({"reason": "so it is", "score": 2 if dislikes else 3})
        if prompt.startswith("Write tests"):
            return json.dumps(
                {"tests": "\n".join(self.tests(number, ASSERTS, f"written {number}", draw.random() < ODD))}
            )
        right, wrong = self.programs[number], draw.choice(self.wrong[number])
        if prompt.startswith("Write Python"):
            return json.dumps({"program": f"```python\n{wrong if draw.random() < WRONG[hard] else right}\n```"})
        return json.dumps(self.mended(prompt, number, draw, right, wrong))

    def mended(self, prompt: str, number: int, draw: random.Random, right: str, wrong: str) -> Body:
        """The right program and tests, or another wrong one; or the failing test is taken away."""
        told = re.findall(r"<text-\w+>\n(.*?)\n</text-\w+>", prompt, re.DOTALL)
        before, tests, fault = told[1], told[2], told[3].splitlines()[0].removeprefix("fails at: ")
        if draw.random() < BENT:
            return {
                "program": before,
                "tests": "\n".join(line for line in tests.splitlines() if line != fault) or tests,
            }
        good = draw.random() < MENDED
        own = "\n".join(self.tests(number, ASSERTS, f"written {number}")) if good else tests
        return {"program": right if good else wrong, "tests": own}

    def tests(self, number: int, count: int, drawn: str, odd: bool = False) -> list[str]:
        """Asserts whose values the right program gave; an odd one wants something else."""
        draw, names = random.Random(drawn), dict[str, Any]()
        exec(self.programs[number], names)
        made = [PROBLEMS[number % len(PROBLEMS)][3](draw) for _ in range(count)]
        lines = [f"assert f(*{given!r}) == {names['f'](*given)!r}" for given in made]
        return [*lines[:-1], lines[-1].replace("==", "!=")] if odd else lines

    def real(self, path: Path) -> Path:
        """The problems as a file of real rows."""
        with path.open("w", encoding="utf-8") as file:
            for at in range(COUNT):
                hard, said, _, _ = PROBLEMS[at % len(PROBLEMS)]
                k = 2 + at // len(PROBLEMS) % 9
                text = f"Problem {at}: write f, which returns {said.replace('K', str(k))}."
                file.write(json.dumps({"prompt": text, "answer": "", "difficulty": str(hard)}) + "\n")
        return path


def loopback(folder: Path) -> Iterator[Bar]:
    """Programs run in the sandbox, a teacher who errs as planted, and a judge who dislikes what is hard."""
    try:
        Sandbox(workers=1).close()
    except SelfsownError as error:
        yield Bar("programs in a sandbox", "can be run here", f"not measured: {error}", holds=True)
        return
    rows, bare, strict = made(folder), made(folder, rounds=0, few=48), made(folder, strict=True, few=48)
    begun = [len(json.loads(row.metadata["revision_history"])) > 1 for row in rows]
    mended = [_passes(row) for row, failed in zip(rows, begun, strict=True) if failed]
    low, high = share(sum(mended), len(mended))
    planted = 1 - (1 - MENDED) ** 2
    seen = f"{sum(mended)} of {len(mended)}, {sum(mended) / len(mended):.2f} [{low:.2f}, {high:.2f}]"
    seen += f"; {sum(mended) / len(rows):.0%} of all programs"
    asked = f"{planted:.2f} is in the interval: so many as the teacher mends (Llama 3: some 20 % of all)"
    yield Bar("programs that fail at first and pass once mended", asked, seen, low <= planted <= high)
    accepted, first = [row for row in rows if _passes(row)], [row for row in bare if row.status != "failed"]
    right, wrong = hidden(accepted), hidden(first)
    seen = f"{sum(right)} of {len(right)}, {sum(right) / len(right):.3f}; of first drafts {sum(wrong) / len(wrong):.3f}"
    yield Bar(
        "accepted programs that pass 40 hidden tests each", "at least 0.95", seen, sum(right) >= 0.95 * len(right)
    )
    for said, these, asked in (
        ("what fails is mended, a fair judge", rows, "silent"),
        ("what fails is mended, a judge who dislikes what is hard", strict, "alarm"),
        ("nothing is mended, a fair judge", bare, "reported"),
    ):
        found = guard(these, [row for row in these if row.status == "kept"], metadata_key="difficulty")
        seen = f"{'silent' if found.passed else 'alarm'}: {found.reason}"
        yield Bar(f"hard problems lost: {said}", asked, seen, asked in seen or asked == "reported")


def _passes(row: Row) -> bool:
    return any(grade.grader == "unit_tests" and grade.score == 1 for grade in row.grades)


def made(folder: Path, *, strict: bool = False, rounds: int = 2, few: int = 0) -> list[Row]:
    """The rows of `llama-text` with this teacher behind a server; what is alike stays, so that all can be counted."""
    from server import Server  # the tests' own

    coder = Coder(strict)
    path = coder.real(folder / "problems.jsonl")
    real = f"{{file: {{path: '{path}', prompt: prompt, answer: answer, rows: {few}, attributes: [difficulty]}}}}"
    with Server(say=coder.say) as server:
        teacher = f"{{endpoint: {{url: '{server.url}', model: m}}}}"
        wishes = [
            f"real={real}",
            f"teacher={teacher}",
            "held_out=0",
            "generate.self_debug.n=1",
            f"generate.self_debug.rounds={rounds}",
        ]
        name = f"text-{rounds}{'-strict' if strict else ''}"
        make(Recipe.load("llama-text", [*wishes, CURATE]), folder / name)
    return RunFolder(folder / name).rows("rows") or []


def hidden(rows: Sequence[Row]) -> list[bool]:
    """Whether each program passes 40 tests that nobody was shown."""
    coder = Coder()
    number = [int(re.findall(r"Problem (\d+):", row.prompt)[0]) for row in rows]
    tests = ["\n".join(coder.tests(each, 40, f"hidden {each}")) for each in number]
    with Sandbox(cpu_seconds=1.0) as sandbox:
        jobs = [Job(row.answer, tests=each) for row, each in zip(rows, tests, strict=True)]
        return [bool(outcome.passed) for outcome in sandbox.run_all(jobs)]


def arms(folder: Path) -> dict[str, list[str]]:
    """What differs from the recipe. Without grades there are no pairs; as many plain steps take their place."""
    first = "{sft: {steps: 400, batch_size: 64, learning_rate: 0.01, average_last: 0.3}}"
    plain = f"train=[{first}, {{sft: {{steps: {THEN}, learning_rate: 0.003}}}}]"
    return {
        "verified": [],
        "unverified": ["grade=[]", plain],
        "strict": [f"grade=[verify, {folder.resolve() / 'strict.py'}]"],
        "no-pairs": [plain],
        "no-semantic": ["curate=[preference_pairs, min_score, dedup, decontaminate]"],
        "half-alike": [
            "curate=[preference_pairs, min_score, dedup, {dedup_near: {max_similarity: 0.5}}, decontaminate]"
        ],
        "copies": ["curate=[preference_pairs, min_score, decontaminate]"],
        "no-average": ["train.sft.average_last=0.0"],
    }


def learned(folder: Path, seeds: range) -> Iterator[Bar]:
    """Each arm is the recipe, small, with one thing changed; accuracy on held-out real rows after as many steps."""
    (folder / "strict.py").write_text(STRICT, encoding="utf-8")
    runs = {
        arm: [course(folder, "llama", arm, seed, [*SMALL, *changes]) for seed in seeds]
        for arm, changes in arms(folder).items()
    }
    ends = {arm: last(these, GOAL) for arm, these in runs.items()}
    start = last([these[:1] for these in runs["verified"]], GOAL)
    gain, none, more = ends["verified"] - start, ends["unverified"] - start, ends["verified"] - ends["unverified"]
    yield Bar("accuracy gained from own rows that were run", "above 0", f"{gain}", gain.low > 0)
    yield Bar("the same from own rows that were not", "at most 0", f"{none}", none.high <= 0)
    yield Bar("the first less the second, after as many steps", "above 0", f"{more}", more.low > 0)
    alarms = {arm: [_alarms(these) for these in runs[arm]] for arm in ("strict", "verified")}
    seen = "; ".join(f"{arm}: in {sum(map(any, each))} of {len(each)} seeds" for arm, each in alarms.items())
    holds = all(map(all, alarms["strict"])) and not any(map(any, alarms["verified"]))
    yield Bar(
        "hard problems lost: a judge who dislikes what is hard, beside the world",
        "alarm in all of its generations; without it none",
        seen,
        holds,
    )
    hard = last(runs["verified"], HARD) - last(runs["strict"], HARD)
    yield Bar("accuracy on hard problems that this judge costs", "reported", f"{hard}", holds=True)
    for with_, without, said in (
        ("verified", "no-pairs", "pairs (DPO), less as many plain steps"),
        ("verified", "copies", "copies and near copies (0.9) rejected, less neither"),
        ("verified", "no-semantic", "the same, less copies alone"),
        ("half-alike", "no-semantic", "near copies from 0.5 on, less copies alone"),
        ("verified", "no-average", "the mean of the last 30 % of steps, less the last one"),
    ):
        yield Bar(f"accuracy: {said}", "reported", f"{ends[with_] - ends[without]}", holds=True)


def _alarms(generations: Sequence[Generation]) -> list[bool]:
    """Whether hard problems were lost, in each generation that made rows."""
    return [
        not verdict.passed for each in generations for verdict in each.verdicts if verdict.guard == "difficulty_drop"
    ]
