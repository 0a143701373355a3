"""OpenAI: verified scratchpads lead to longer problems than the real rows; rules are followed without being shown.

What is published is deliberative alignment (Guan et al. 2024) and, by others, STaR (Zelikman et al. 2022); see
docs/systems/gpt.md.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from acceptance.bars import Bar, Mean, final_scores, run_arm
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import share
from testing.mock_server import Body, Server

FAULTS = {"busy": 0.05, "error": 0.03, "reset": 0.02, "malformed": 0.02}
PROBLEMS = 300
WRONG_SHARE = 0.4  # of the teacher's answers
LONG = "accuracy[long=yes]"
RISING_ROUNDS = 3  # in each of which the accuracy must rise; later ones are only reported
FIRST_SEED = 10  # of the additions: seeds below it were used to choose the setting


def loopback(folder: Path) -> Iterator[Bar]:
    """A teacher with planted errors, and what the two recipes for text keep of it."""
    yield from _worked_out(folder / "star-text")
    yield from _rule_following(folder / "gpt-text")


def _worked_out(folder: Path) -> Iterator[Bar]:
    """Word problems with four of ten answers wrong; a teacher that is given the answer reaches it most of the time."""
    rng = random.Random(0)
    answers = {
        f"Ann has {first} pears, buys {second} and eats {third}. How many are left? ({index})": first + second - third
        for index in range(PROBLEMS)
        for first, second, third in [(rng.randint(10, 99), rng.randint(10, 99), rng.randint(1, 9))]
    }

    def reply(prompt: str, body: Body) -> str:
        right = next(answer for problem, answer in answers.items() if problem in prompt)
        rng = random.Random(repr((prompt, body.get("seed"))))
        error = rng.choice([-10, -2, -1, 1, 2, 10]) if rng.random() < WRONG_SHARE else 0
        return f"First I add, then I subtract; attempt {rng.randrange(10**6)}.\n#### {right + error}"

    real = [
        {"question": problem, "answer": f"Add and take away.\n#### {answer}"} for problem, answer in answers.items()
    ]
    rows = _run_recipe("star-text", folder, real, reply)
    right_ids = {row.id for row in rows if row.status != "failed" and _final_number(row) == answers[row.prompt]}
    kept = [row for row in rows if row.status == "kept"]
    prompts = len({row.prompt for row in rows})
    yield _precision("worked answers kept, 40 % of the teacher's wrong: precision", kept, right_ids)
    recall = share(sum(row.id in right_ids for row in kept), len(right_ids))
    yield Bar("their recall", "at least 0.95", _interval_text(recall, len(right_ids)), recall[0] >= 0.95)
    hinted = [row for row in kept if row.metadata.get("hint") == "yes"]
    unsolved = len({row.prompt for row in rows if row.metadata.get("hint") == "yes"})
    leaked = sum("The answer is" in row.prompt or "step by step" in row.prompt for row in rows)
    result = f"{len(hinted)} of {unsolved} unsolved problems of {prompts} solved with a hint; {leaked} rows show one"
    yield Bar("hints", "some problems solved, no row shows one", result, bool(hinted) and not leaked)


def _rule_following(folder: Path) -> Iterator[Bar]:
    """Answers that break the rules in four of ten cases if the rules are shown, in nine of ten if they are not."""
    rules = Recipe.load("gpt-text", ["real=x.jsonl"]).generate[0].options["instruction"]
    without_rules = list[str]()

    def reply(prompt: str, body: Body) -> str:
        if rules not in prompt:
            without_rules.append(prompt)
        if prompt.startswith("Judge the"):
            verdict = {"reason": "it fits", "score": 5 if "perhaps" in prompt.rpartition("The answer:")[2] else 2}
            return f"Here it is:\n```json\n{json.dumps(verdict)}\n```" if len(prompt) % 3 else json.dumps(verdict)
        rng = random.Random(repr((prompt, body.get("seed"))))
        breaks = rng.random() < (WRONG_SHARE if rules in prompt else 0.9)
        return f"It is {'surely' if breaks else 'perhaps'} the {rng.randrange(10**6)}th."

    prompts = [f"Which day is number {number}?" for number in range(PROBLEMS)]
    rows = _run_recipe("gpt-text", folder, [{"prompt": prompt, "answer": "None."} for prompt in prompts], reply)
    kept = [row for row in rows if row.status == "kept"]
    right_ids = {row.id for row in rows if "perhaps" in row.answer}
    yield _precision("answers kept, 40 % of the teacher's against the rules: precision", kept, right_ids)
    prompts_asked = {row.prompt for row in rows}
    coverage = share(len({row.prompt for row in kept}), len(prompts_asked))
    yield Bar(
        "prompts with an answer that was kept",
        "at least 0.9",
        _interval_text(coverage, len(prompts_asked)),
        coverage[0] >= 0.9,
    )
    leaked = sum(rules[:40] in row.prompt + row.answer or row.prompt not in prompts for row in rows)
    result = f"{leaked} of {len(rows)} rows; {len(without_rules)} requests without the rules"
    yield Bar("rows that show the rules", "none, and every request has them", result, not leaked and not without_rules)


def trained(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The loop on longer additions with its controls, STaR's variant of it, and rules learned without being shown."""
    arms: dict[str, list[str]] = {"gpt": [], "ungraded": ["grade=[]"], "real": ["generate=[]"]}
    arms = {arm: [*changes, "rollback=false"] for arm, changes in arms.items()}
    addition_seeds = [FIRST_SEED + seed for seed in seeds]
    runs = {
        arm: [run_arm(folder, "gpt", arm, seed, changes) for seed in addition_seeds] for arm, changes in arms.items()
    }
    rounds = [Mean.of(_score(generation, LONG) for generation in group) for group in zip(*runs["gpt"], strict=True)]
    yield Bar("accuracy on problems longer than the real ones, before", "reported", str(rounds[0]), True)
    for number in range(1, len(rounds)):
        rise, required = rounds[number] - rounds[number - 1], number <= RISING_ROUNDS
        rising = sum(value > 0 for value in rise.values)  # one seed may rise ten times as much as another
        result = f"{rising} of {len(addition_seeds)}; {rise}"
        measure = f"round {number}: {_mean_text(rounds[number])}; seeds that rose, and the rise"
        yield Bar(
            measure, "all of them" if required else "reported", result, rising == len(addition_seeds) or not required
        )
    final = {arm: final_scores(run, LONG) for arm, run in runs.items()}
    for arm, measure in {
        "real": "against the real rows alone, equally many steps",
        "ungraded": "against no verifier",
    }.items():
        gain = final["gpt"] - final[arm]
        yield Bar(f"{measure}, {_mean_text(final[arm])}: difference", "above 0", str(gain), gain.low > 0)
    yield from _hinted(folder, addition_seeds)
    yield from _rules_without_prompt(folder, seeds)


def _hinted(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """One round of STaR: failed problems are retried with a hint, the first model is trained on what was right."""
    runs = [run_arm(folder, "star", "star", seed, ["generations=1", "rollback=false"]) for seed in seeds]
    rise = final_scores(runs, LONG) - Mean.of(_score(run[0], LONG) for run in runs)
    yield Bar(f"star, one round, {_mean_text(final_scores(runs, LONG))}: its rise", "above 0", str(rise), rise.low > 0)
    rows = [row for seed in seeds for row in RunFolder(folder / f"star-{seed}").rows(f"{generation_dir(1)}/rows") or []]
    solved = [row for row in rows if row.status == "kept" and row.metadata.get("hint") == "yes"]
    attempts = sum(row.metadata.get("hint") == "yes" for row in rows)
    result = f"{len(solved)} of {attempts} attempts with a hint were right in round 1"
    hidden = all("?" in row.prompt for row in solved)
    yield Bar("star, hints", "some solved, none shown", result, bool(solved) and hidden)


def _rules_without_prompt(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """Rules followed without being shown, after training on answers that were written and judged with them."""
    runs = [run_arm(folder, "gpt-spec", "spec", seed, ["rollback=false"]) for seed in seeds]
    before, shown_before = (
        Mean.of(_score(run[0], f"accuracy[form={form}]") for run in runs) for form in ("expected", "house_explicit")
    )
    after = final_scores(runs, "accuracy[form=expected]")
    yield Bar("rules followed before: shown / not shown", "reported", f"{shown_before} / {before}", True)
    gap = after - shown_before
    measure = f"rules followed when not shown, after training, {_mean_text(after)}, minus when shown, before"
    yield Bar(measure, "at least -0.02", str(gap), gap.low >= -0.02)
    other = final_scores(runs, "accuracy[form=explicit]") - Mean.of(
        _score(run[0], "accuracy[form=explicit]") for run in runs
    )
    yield Bar("other rules that are shown: change", "reported", str(other), True)


def _run_recipe(name: str, folder: Path, real: list[dict[str, str]], reply: Callable[[str, Body], str]) -> list[Row]:
    """The rows of a dataset recipe, with such a server as teacher and judge."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "real.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in real), encoding="utf-8")
    with Server(say=reply, faults=FAULTS, wait="0.01") as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8}}}}"
        make(Recipe.load(name, [f"real={path}", teacher]), folder / "made")
    return RunFolder(folder / "made").rows("rows") or []


def _final_number(row: Row) -> int:
    return int(re.split("#### ", row.answer)[-1])


def _precision(measure: str, kept: Sequence[Row], right_ids: set[str]) -> Bar:
    precision = share(sum(row.id in right_ids for row in kept), len(kept))
    return Bar(measure, "at least 0.98", _interval_text(precision, len(kept)), precision[0] >= 0.98)


def _interval_text(interval: tuple[float, float], n: int) -> str:
    return f"[{interval[0]:.3f}, {interval[1]:.3f}] of {n}"


def _mean_text(mean: Mean) -> str:
    return f"{sum(mean.values) / len(mean.values):.3f}"


def _score(generation: Generation, name: str) -> float:
    value = generation.pooled(name)
    return float("nan") if value is None else value
