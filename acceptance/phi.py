"""Phi-4: synthetic rows beside real ones, majority votes, pivotal tokens, decontamination, instruction reversal."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, final_scores, run_arm
from selfsown.curate import decontaminate
from selfsown.generate import pivotal_tokens
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from testing.carry_dropping_model import CarryDroppingModel, SumTask, sum_rows
from testing.mock_server import Server

ARMS = {
    "real": ["generate=[]", "rollback=false"],
    "synthetic": ["mix=replace", "rollback=false"],
    "mix": ["rollback=false"],
    "uniform": ["mix.accumulate.real_share=0.0", "rollback=false"],  # every row equally often
}
SKILL, FACTS = "accuracy[kind=skill]", "accuracy[kind=fact]"


def trained(folder: Path, seeds: range) -> Iterator[Bar]:
    """Four arms of the recipe, equally many steps each."""
    runs = {arm: [run_arm(folder, "phi", arm, seed, changes) for seed in seeds] for arm, changes in ARMS.items()}
    skill, facts = (
        {arm: final_scores(histories, score) for arm, histories in runs.items()} for score in (SKILL, FACTS)
    )
    for what, means in (("sums", skill), ("facts", facts)):
        for arm, mean in means.items():
            yield Bar(f"{what} right on held-out real rows, {arm}", "reported", str(mean), True)
    difference = skill["synthetic"] - skill["real"]
    yield Bar("sums, synthetic only minus real only", "at least 0", str(difference), difference.low >= 0)
    difference = facts["synthetic"] - facts["real"]
    yield Bar("facts, synthetic only minus real only", "below 0", str(difference), difference.high < 0)
    for what, means, arm in (("sums", skill, "synthetic"), ("facts", facts, "real")):
        gap = means["mix"] - means[arm]
        passed = _mean(gap.values) > -0.01 and gap.low > -0.02  # docs/systems/phi.md says why not -0.01 for both
        requirement = "mean above -0.01, interval above -0.02"
        yield Bar(f"{what}, the mix minus {arm} only, the better arm", requirement, str(gap), passed)
    for what, means in (("sums", skill), ("facts", facts)):
        gap = means["mix"] - means["uniform"]
        yield Bar(f"{what}, the mix minus uniform", "reported", str(gap), True)


def loopback(folder: Path) -> Iterator[Bar]:
    yield from _plurality(folder)
    yield from _pivotal()
    yield from _decontamination()
    yield from _reversal(folder)


def _run_recipe(folder: Path, name: str, real: list[dict[str, str]], reply: Any, overrides: list[str]) -> list[Row]:
    """The rows of phi-text for these real rows, with a teacher and a judge behind a server."""
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in real), encoding="utf-8")
    with Server(models=("m", "judge"), say=reply) as server:
        roles = [
            f"{role}={{endpoint: {{url: '{server.url}', model: {model}}}}}"
            for role, model in (("teacher", "m"), ("judge", "judge"))
        ]
        make(Recipe.load("phi-text", [f"real={path}", *roles, *overrides]), folder / name)
    return RunFolder(folder / name).rows("rows") or []


# --- Questions for which many attempts agree.

KINDS = {"known": (0.35, (0.97, 1.0)), "half known": (0.45, (0.35, 0.85)), "hardly known": (0.2, (0.02, 0.3))}

SAME_ERROR_SHARE = 0.6  # of the wrong answers to a question


def _skill(prompt: str) -> float:
    """How often the planted teacher answers this right."""
    chance = random.Random(prompt)
    kind = chance.choices(list(KINDS), [share for share, _ in KINDS.values()])[0]
    return chance.uniform(*KINDS[kind][1])


def _guess(prompt: str, body: dict[str, Any]) -> str:
    rng = random.Random(f"{prompt} {body['seed']} {body['model']}")
    right = int(prompt.split()[1]) * 7
    wrong = right + (1 if rng.random() < SAME_ERROR_SHARE else rng.randint(2, 6))
    return str(right if rng.random() < _skill(prompt) else wrong)


def _plurality(folder: Path) -> Iterator[Bar]:
    prompts = [f"Take {number} seven times." for number in range(100, 400)]
    overrides = ["held_out=10", "generate=[{sample: {n: 16}}]", "grade=[{self_consistency: {samples: 16}}]"]
    overrides += ["curate=[{pass_rate_band: {min_pass_rate: 0.2, max_pass_rate: 0.95}}, min_score, dedup]"]
    real = [{"prompt": prompt, "answer": "?"} for prompt in prompts]
    rows = _run_recipe(folder, "plurality", real, _guess, overrides)
    attempts = defaultdict(list)
    for row in rows:
        attempts[row.prompt].append(row)
    easy = [prompt for prompt, group in attempts.items() if "band: 16 of 16" in group[0].reason]
    truly_easy = _mean([_skill(prompt) >= 0.9 for prompt in easy])
    yield Bar(
        f"questions dropped because all attempts agree ({len(easy)} of {len(attempts)}): true pass rate of 0.9 or more",
        "in 0.95 of them",
        f"{truly_easy:.3f}",
        truly_easy >= 0.95,
    )
    kept = [row for row in rows if row.status == "kept"]
    right = _mean([_right(row) for row in kept])
    single = _mean([_right(row) for prompt in {row.prompt for row in kept} for row in attempts[prompt]])
    measure = f"right pseudo-labels of the {len(kept)} questions kept"
    yield Bar(measure, "more than for a single attempt", f"{right:.3f}; single attempt {single:.3f}", right > single)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _right(row: Row) -> bool:
    return row.answer == str(int(row.prompt.split()[1]) * 7)


# --- Pivotal tokens.

GAP, ROLLOUTS = 0.3, 48


def _pivotal() -> Iterator[Bar]:
    """Compared with a scan of every token by exact chances."""
    model, rows = CarryDroppingModel(), sum_rows(60, 0)
    pairs = list(pivotal_tokens.generate(rows, model, SumTask(), 0, rollouts=ROLLOUTS, min_gap=GAP))
    tries, written = model.replies_written, model.tokens_written
    assert model.first_replies
    answers = []
    for row, replies in zip(rows, model.first_replies, strict=True):
        rights = [(reply.text, SumTask().check(row, reply.text).score == 1) for reply in replies]
        answers += [(row.prompt, next(text for text, is_right in rights if is_right == side)) for side in (True, False)]
    expected = {
        (prompt, text[: index + 1]) for prompt, text in answers for index in model.pivotal_tokens(prompt, text, GAP)
    }
    sides = [(row, text) for row in pairs for text in (row.answer, row.metadata["rejected"])]
    found = {(row.prompt, text[: len(row.metadata["prefix"]) + 1]) for row, text in sides}
    recall = len(expected & found) / len(expected)
    measure = f"pivotal tokens found, of {len(expected)} by exact chances"
    yield Bar(measure, "at least 0.90", f"{recall:.3f}", recall >= 0.9)
    at_pivotal = _mean(
        [len(row.metadata["prefix"]) in model.pivotal_tokens(row.prompt, row.answer, GAP) for row in pairs]
    )
    yield Bar(f"share of {len(pairs)} pairs at such a token", "at least 0.90", f"{at_pivotal:.3f}", at_pivotal >= 0.9)
    scan = sum(len(text) + 1 for _, text in answers) * ROLLOUTS
    result = f"{tries:,} rollouts ({written:,} tokens); {scan:,} for a scan"
    yield Bar("rollouts, compared with a scan of every token", "reported", result, True)


# --- Decontamination.

WORDS = [f"w{at}" for at in range(5000)]
ZIPF = [1 / (at + 3) for at in range(len(WORDS))]
REPLACED = 1 / 3  # of the words of a paraphrase


def _text(rng: random.Random, size: int) -> list[str]:
    return rng.choices(WORDS, ZIPF, k=size)


def _decontamination() -> Iterator[Bar]:
    """Planted copies, runs of 13 words and paraphrases; some clean rows share phrases with real and held-out rows."""
    rng = random.Random(0)
    common = _text(rng, 20)
    held_out_words, trained, clean = (
        [_text(rng, 60) + common * (index % 4 == 0) for index in range(size)] for size in (300, 300, 2000)
    )
    planted: dict[str, list[list[str]]] = {
        "copies": held_out_words,
        "runs of 13 words": [],
        "paraphrases": [],
        "clean rows": clean,
    }
    for words in held_out_words:
        start = rng.randrange(60 - 13)
        planted["runs of 13 words"].append(_text(rng, 30) + words[start : start + 13] + _text(rng, 30))
        planted["paraphrases"].append([_text(rng, 1)[0] if rng.random() < REPLACED else word for word in words])
    held_out, real = ([Row("", " ".join(words)) for words in side] for side in (held_out_words, trained))
    for kind, texts in planted.items():
        rows = [
            Row("", " ".join(words).upper() + ".", origin="synthetic", sample_index=index)
            for index, words in enumerate(texts)
        ]
        results = [
            list(decontaminate.curate(rows, real, held_out, ngram_size=13, min_overlap=min_overlap))
            for min_overlap in (1.0, 0.5)
        ]
        strict, lenient = (_mean([bool(row.status) for row in decided]) for decided in results)
        requirement = {"clean rows": "at most 0.005", "paraphrases": "reported"}.get(kind, "1.000")
        passed = lenient <= 0.005 if kind == "clean rows" else kind == "paraphrases" or strict == 1
        result = f"{strict:.3f}; {lenient:.3f} if half of the 7-word runs counts as well"
        yield Bar(f"share rejected by runs of 13 words, of {len(rows)} {kind}", requirement, result, passed)


# --- Instruction reversal.

OPERATIONS = ("a + b", "a - b", "a * b", "max(a, b)", "min(a, b)", "abs(a - b)", "a * a + b", "a % (abs(b) + 1)")
PAIRS = [(first, second) for first in range(len(OPERATIONS)) for second in range(len(OPERATIONS))]
WRONG_INSTRUCTIONS, BUGGY_PROGRAMS = 0.3, 0.1  # shares, of the teacher and of the judge


def _code(first: int, second: int) -> str:
    return f"def solve(a, b):\n    a = {OPERATIONS[first]}\n    return {OPERATIONS[second]}\n"


def _reverse(prompt: str, body: dict[str, Any]) -> str:
    """The teacher describes the program, sometimes another one; the judge writes it, sometimes with a bug."""
    rng = random.Random(prompt)
    if body["model"] == "m":
        first, second = (rng.randrange(len(OPERATIONS)) for _ in range(2))
        if rng.random() >= WRONG_INSTRUCTIONS:
            first, second = next((x, y) for x, y in PAIRS if _code(x, y).strip() in prompt)
        return json.dumps({"instruction": f"Write solve(a, b): step {first} of the list, then step {second}."})
    first, second = _operations(prompt)
    if rng.random() < BUGGY_PROGRAMS:
        second = (second + 1) % len(OPERATIONS)
    calls = [f"solve({rng.randint(-9, 9)}, {rng.randint(-9, 9)})" for _ in range(5)]
    return json.dumps({"program": _code(first, second), "calls": calls})


def _operations(prompt: str) -> tuple[int, int]:
    steps = prompt.split("solve(a, b): step ")[1]
    return int(steps.split()[0]), int(steps.split("then step ")[1].split(".")[0])


def _values(program: str) -> list[int]:
    names: dict[str, Any] = {}
    exec(program, names)  # written here, not by a model
    return [names["solve"](a, b) for a in range(-20, 21) for b in range(-20, 21)]


def _reversal(folder: Path) -> Iterator[Bar]:
    overrides = ["held_out=4", "generate=[{backtranslate: {kind: code}}]", "grade=[code_roundtrip]"]
    overrides += ["curate=[{min_score: {min_score: 1.0}}]"]
    rows = _run_recipe(folder, "reversal", [{"text": _code(*pair)} for pair in PAIRS], _reverse, overrides)
    equal = {row.id: _values(row.answer) == _values(_code(*_operations(row.prompt))) for row in rows}
    kept = [equal[row.id] for row in rows if row.status == "kept"]
    measure = f"share of {len(kept)} accepted pairs whose programs agree on 1,681 calls"
    yield Bar(measure, "at least 0.95", f"{_mean(kept):.3f}", _mean(kept) >= 0.95)
    right = sum(equal.values())
    yield Bar(f"share accepted, of {right} right pairs among {len(rows)}", "reported", f"{sum(kept) / right:.3f}", True)
