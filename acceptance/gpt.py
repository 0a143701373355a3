"""OpenAI: scratchpads that a verifier keeps lead to longer problems than the seeds; rules are kept without being told.

What is published is deliberative alignment (Guan et al. 2024) and, by others, STaR (Zelikman et al. 2022); see
docs/systems/gpt.md.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from server import Body, Server

from acceptance.bars import Bar, Mean, course, last
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import share

FAULTS = {"busy": 0.05, "error": 0.03, "reset": 0.02, "malformed": 0.02}
PROBLEMS = 300
WRONG = 0.4  # of the teacher's answers
LONG = "accuracy[long=yes]"
RISING = 3  # rounds in each of which the accuracy must rise; what comes after is told
FIRST = 10  # of the seeds of the additions: some below it were seen with another setting, before this one was chosen


def loopback(folder: Path) -> Iterator[Bar]:
    """A teacher with planted faults, and what the two recipes for text make of it."""
    yield from _worked_out(folder / "star-text")
    yield from _ruled(folder / "gpt-text")


def _worked_out(folder: Path) -> Iterator[Bar]:
    """Word problems, four in ten answers wrong, and a teacher that is told the answer comes to it most of the time."""
    chance = random.Random(0)
    known = {
        f"Ann has {one} pears, buys {two} and eats {less}. How many are left? ({at})": one + two - less
        for at in range(PROBLEMS)
        for one, two, less in [(chance.randint(10, 99), chance.randint(10, 99), chance.randint(1, 9))]
    }

    def say(prompt: str, body: Body) -> str:
        right = next(answer for problem, answer in known.items() if problem in prompt)
        drawn = random.Random(repr((prompt, body.get("seed"))))
        off = drawn.choice([-10, -2, -1, 1, 2, 10]) if drawn.random() < WRONG else 0
        return f"First I add, then I take away; my way number {drawn.randrange(10**6)}.\n#### {right + off}"

    real = [{"question": problem, "answer": f"Add and take away.\n#### {answer}"} for problem, answer in known.items()]
    rows = _made("star-text", folder, real, say)
    good = {row.id for row in rows if row.status != "failed" and _ends(row) == known[row.prompt]}
    kept = [row for row in rows if row.status == "kept"]
    asked = len({row.prompt for row in rows})
    yield _precise("worked answers kept, 40 % of the teacher's wrong: precision", kept, good)
    found = share(sum(row.id in good for row in kept), len(good))
    yield Bar("their recall", "at least 0.95", _shown(found, len(good)), found[0] >= 0.95)
    helped = [row for row in kept if row.metadata.get("hint") == "yes"]
    unsolved = len({row.prompt for row in rows if row.metadata.get("hint") == "yes"})
    told = sum("The answer is" in row.prompt or "step by step" in row.prompt for row in rows)
    seen = f"{len(helped)} of {unsolved} unsolved problems of {asked} won with a hint; {told} rows show one"
    yield Bar("hints", "some problems won, none shown in a row", seen, bool(helped) and not told)


def _ruled(folder: Path) -> Iterator[Bar]:
    """Answers that break the rules in four cases of ten where they are told, in nine of ten where they are not."""
    rules = Recipe.load("gpt-text", ["real=x.jsonl"]).generate[0].options["instruction"]
    untold = list[str]()

    def say(prompt: str, body: Body) -> str:
        if rules not in prompt:
            untold.append(prompt)
        if prompt.startswith("Judge the"):
            verdict = {"reason": "so it stands", "score": 5 if "perhaps" in prompt.rpartition("The answer:")[2] else 2}
            return f"Here it is:\n```json\n{json.dumps(verdict)}\n```" if len(prompt) % 3 else json.dumps(verdict)
        drawn = random.Random(repr((prompt, body.get("seed"))))
        breaks = drawn.random() < (WRONG if rules in prompt else 0.9)
        return f"It is {'surely' if breaks else 'perhaps'} the {drawn.randrange(10**6)}th."

    prompts = [f"Which day is number {at}?" for at in range(PROBLEMS)]
    rows = _made("gpt-text", folder, [{"prompt": prompt, "answer": "None."} for prompt in prompts], say)
    kept = [row for row in rows if row.status == "kept"]
    good = {row.id for row in rows if "perhaps" in row.answer}
    yield _precise("answers kept, 40 % of the teacher's against the rules: precision", kept, good)
    asked = {row.prompt for row in rows}
    found = share(len({row.prompt for row in kept}), len(asked))
    yield Bar("prompts with an answer that was kept", "at least 0.9", _shown(found, len(asked)), found[0] >= 0.9)
    leaked = sum(rules[:40] in row.prompt + row.answer or row.prompt not in prompts for row in rows)
    seen = f"{leaked} of {len(rows)} rows; {len(untold)} requests without the rules"
    yield Bar("rows that show the rules", "none, and every request has them", seen, not leaked and not untold)


def learned(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The loop on longer additions with its controls, STaR's own form of it, and rules learned by heart."""
    arms: dict[str, list[str]] = {"gpt": [], "ungraded": ["grade=[]"], "real": ["generate=[]"]}
    arms = {arm: [*changes, "rollback=false"] for arm, changes in arms.items()}
    others = [FIRST + seed for seed in seeds]
    runs = {arm: [course(folder, "gpt", arm, seed, changes) for seed in others] for arm, changes in arms.items()}
    at = [Mean.of(_score(one, LONG) for one in each) for each in zip(*runs["gpt"], strict=True)]
    yield Bar("longer than was shown, before: accuracy", "told, no bar", str(at[0]), True)
    for number in range(1, len(at)):
        rise, asked = at[number] - at[number - 1], number <= RISING
        up = sum(value > 0 for value in rise.values)  # one seed may rise by ten times as much as another
        seen = f"{up} of {len(others)}; {rise}"
        what = f"round {number}: {_middle(at[number])}; the seeds that rose, and the rise"
        yield Bar(what, "all of them" if asked else "told, no bar", seen, up == len(others) or not asked)
    end = {arm: last(run, LONG) for arm, run in runs.items()}
    for arm, what in {"real": "against the real rows alone, as many steps", "ungraded": "against no verifier"}.items():
        gain = end["gpt"] - end[arm]
        yield Bar(f"{what}, {_middle(end[arm])}: difference", "above 0", str(gain), gain.low > 0)
    yield from _hinted(folder, others)
    yield from _ruled_by_heart(folder, seeds)


def _hinted(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """One round of STaR: failed problems again with a hint, the first model trained on what was right."""
    runs = [course(folder, "star", "star", seed, ["generations=1", "rollback=false"]) for seed in seeds]
    rise = last(runs, LONG) - Mean.of(_score(run[0], LONG) for run in runs)
    yield Bar(f"star, one round, {_middle(last(runs, LONG))}: its rise", "above 0", str(rise), rise.low > 0)
    rows = [row for seed in seeds for row in RunFolder(folder / f"star-{seed}").rows(f"{generation_dir(1)}/rows") or []]
    won = [row for row in rows if row.status == "kept" and row.metadata.get("hint") == "yes"]
    tried = sum(row.metadata.get("hint") == "yes" for row in rows)
    seen = f"{len(won)} of {tried} tries with a hint were right in round 1"
    hidden = all("?" in row.prompt for row in won)
    yield Bar("star, hints", "some won, none shown", seen, bool(won) and hidden)


def _ruled_by_heart(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The rules kept without being told, after training on answers that were made with them and judged by them."""
    runs = [course(folder, "gpt-spec", "spec", seed, ["rollback=false"]) for seed in seeds]
    before, told = (Mean.of(_score(run[0], f"accuracy[form={form}]") for run in runs) for form in ("expected", "house_explicit"))
    after = last(runs, "accuracy[form=expected]")
    yield Bar("rules kept before: told / untold", "told, no bar", f"{told} / {before}", True)
    gap = after - told
    what = f"rules kept untold after training, {_middle(after)}, less told before"
    yield Bar(what, "at least -0.02", str(gap), gap.low >= -0.02)
    other = last(runs, "accuracy[form=explicit]") - Mean.of(_score(run[0], "accuracy[form=explicit]") for run in runs)
    yield Bar("other rules that are told: change", "told, no bar", str(other), True)


def _made(name: str, folder: Path, real: list[dict[str, str]], say: Callable[[str, Body], str]) -> list[Row]:
    """The rows of a recipe that makes a data set, with such a server as teacher and judge."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "real.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in real), encoding="utf-8")
    with Server(say=say, faults=FAULTS, wait="0.01") as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8}}}}"
        make(Recipe.load(name, [f"real={path}", teacher]), folder / "made")
    return RunFolder(folder / "made").rows("rows") or []


def _ends(row: Row) -> int:
    return int(re.split("#### ", row.answer)[-1])


def _precise(what: str, kept: Sequence[Row], good: set[str]) -> Bar:
    found = share(sum(row.id in good for row in kept), len(kept))
    return Bar(what, "at least 0.98", _shown(found, len(kept)), found[0] >= 0.98)


def _shown(interval: tuple[float, float], n: int) -> str:
    return f"[{interval[0]:.3f}, {interval[1]:.3f}] of {n}"


def _middle(mean: Mean) -> str:
    return f"{sum(mean.values) / len(mean.values):.3f}"


def _score(generation: Generation, name: str) -> float:
    value = generation.pooled(name)
    return float("nan") if value is None else value
