"""Phi-4: synthetic rows beside real ones, questions filtered by votes, pivotal tokens, leaks, instruction reversal."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, course, last
from selfsown.curate import decontaminate
from selfsown.generate import pivotal_tokens
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder

ARMS = {
    "real": ["generate=[]", "rollback=false"],
    "synthetic": ["mix=replace", "rollback=false"],
    "mix": ["rollback=false"],
    "uniform": ["mix.accumulate.real_share=0.0", "rollback=false"],  # every row equally often
}
SKILL, FACTS = "accuracy[kind=skill]", "accuracy[kind=fact]"


def learned(folder: Path, seeds: range) -> Iterator[Bar]:
    """Four arms of the recipe, as many steps each."""
    runs = {arm: [course(folder, "phi", arm, seed, changes) for seed in seeds] for arm, changes in ARMS.items()}
    skill, facts = ({arm: last(each, score) for arm, each in runs.items()} for score in (SKILL, FACTS))
    for what, found in (("sums", skill), ("facts", facts)):
        for arm, mean in found.items():
            yield Bar(f"{what} right on held-out real rows, {arm}", "reported", str(mean), True)
    more = skill["synthetic"] - skill["real"]
    yield Bar("sums, synthetic only less real only", "at least 0", str(more), more.low >= 0)
    less = facts["synthetic"] - facts["real"]
    yield Bar("facts, synthetic only less real only", "below 0", str(less), less.high < 0)
    for what, found, arm in (("sums", skill, "synthetic"), ("facts", facts, "real")):
        gap = found["mix"] - found[arm]
        holds = _mean(gap.values) > -0.01 and gap.low > -0.02  # docs/systems/phi.md says why not -0.01 for both
        asked = "mean above -0.01, interval above -0.02"
        yield Bar(f"{what}, the mix less {arm} only, the better arm", asked, str(gap), holds)
    for what, found in (("sums", skill), ("facts", facts)):
        gap = found["mix"] - found["uniform"]
        yield Bar(f"{what}, the mix less uniform", "reported", str(gap), True)


def loopback(folder: Path) -> Iterator[Bar]:
    yield from _plurality(folder)
    yield from _pivotal()
    yield from _leaks()
    yield from _reversal(folder)


def _made(folder: Path, name: str, real: list[dict[str, str]], say: Any, changes: list[str]) -> list[Row]:
    """The rows of phi-text for these real rows, with a teacher and a judge behind a server."""
    from server import Server

    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in real), encoding="utf-8")
    with Server(models=("m", "judge"), say=say) as server:
        there = [
            f"{role}={{endpoint: {{url: '{server.url}', model: {model}}}}}"
            for role, model in (("teacher", "m"), ("judge", "judge"))
        ]
        make(Recipe.load("phi-text", [f"real={path}", *there, *changes]), folder / name)
    return RunFolder(folder / name).rows("rows") or []


# --- Questions whose answer many tries agree on.

KINDS = {"known": (0.35, (0.97, 1.0)), "half known": (0.45, (0.35, 0.85)), "hardly known": (0.2, (0.02, 0.3))}

MISLED = 0.6  # of the wrong answers to a question, those that are the same


def _skill(prompt: str) -> float:
    """How often the planted teacher answers this right."""
    chance = random.Random(prompt)
    kind = chance.choices(list(KINDS), [share for share, _ in KINDS.values()])[0]
    return chance.uniform(*KINDS[kind][1])


def _guess(prompt: str, body: dict[str, Any]) -> str:
    chance = random.Random(f"{prompt} {body['seed']} {body['model']}")
    right = int(prompt.split()[1]) * 7
    wrong = right + (1 if chance.random() < MISLED else chance.randint(2, 6))
    return str(right if chance.random() < _skill(prompt) else wrong)


def _plurality(folder: Path) -> Iterator[Bar]:
    prompts = [f"Take {at} seven times." for at in range(100, 400)]
    changes = ["held_out=10", "generate=[{sample: {n: 16}}]", "grade=[{self_consistency: {samples: 16}}]"]
    changes += ["curate=[{pass_rate_band: {min_pass_rate: 0.2, max_pass_rate: 0.95}}, min_score, dedup]"]
    real = [{"prompt": prompt, "answer": "?"} for prompt in prompts]
    rows = _made(folder, "plurality", real, _guess, changes)
    said = defaultdict(list)
    for row in rows:
        said[row.prompt].append(row)
    easy = [prompt for prompt, tries in said.items() if "band: 16 of 16" in tries[0].reason]
    sure = _mean([_skill(prompt) >= 0.9 for prompt in easy])
    yield Bar(
        f"questions dropped because all tries agree ({len(easy)} of {len(said)}): true pass rate of 0.9 or more",
        "in 0.95 of them",
        f"{sure:.3f}",
        sure >= 0.95,
    )
    kept = [row for row in rows if row.status == "kept"]
    right = _mean([_right(row) for row in kept])
    single = _mean([_right(row) for prompt in {row.prompt for row in kept} for row in said[prompt]])
    what = f"right pseudo-labels of the {len(kept)} questions kept"
    yield Bar(what, "more than of a single try", f"{right:.3f}, of a single try {single:.3f}", right > single)


def _mean(found: Sequence[float]) -> float:
    return sum(found) / len(found)


def _right(row: Row) -> bool:
    return row.answer == str(int(row.prompt.split()[1]) * 7)


# --- Pivotal tokens.

GAP, ROLLOUTS = 0.3, 48


def _pivotal() -> Iterator[Bar]:
    """Against a scan of every token with exact chances, which no number of tries can better."""
    from reckoner import Reckoner, Reckoning, sums

    model, rows = Reckoner(), sums(60, 0)
    pairs = list(pivotal_tokens.generate(rows, model, Reckoning(), 0, rollouts=ROLLOUTS, min_gap=GAP))
    tries, written = model.tries, model.written
    assert model.first
    answers = []
    for row, replies in zip(rows, model.first, strict=True):
        rights = [(reply.text, Reckoning().check(row, reply.text).score == 1) for reply in replies]
        answers += [(row.prompt, next(text for text, good in rights if good == side)) for side in (True, False)]
    wanted = {(prompt, text[: at + 1]) for prompt, text in answers for at in model.turns(prompt, text, GAP)}
    sides = [(row, text) for row in pairs for text in (row.answer, row.metadata["rejected"])]
    found = {(row.prompt, text[: len(row.metadata["prefix"]) + 1]) for row, text in sides}
    recall = len(wanted & found) / len(wanted)
    what = f"pivotal tokens found, of {len(wanted)} that a scan by exact chances names"
    yield Bar(what, "at least 0.90", f"{recall:.3f}", recall >= 0.9)
    true = _mean([len(row.metadata["prefix"]) in model.turns(row.prompt, row.answer, GAP) for row in pairs])
    yield Bar(f"of {len(pairs)} pairs, those at such a token", "at least 0.90", f"{true:.3f}", true >= 0.9)
    scan = sum(len(text) + 1 for _, text in answers) * ROLLOUTS
    seen = f"{tries:,} tries ({written:,} tokens) against {scan:,}"
    yield Bar("what it takes, against as many tries at every token", "reported", seen, True)


# --- Leaks.

WORDS = [f"w{at}" for at in range(5000)]
ZIPF = [1 / (at + 3) for at in range(len(WORDS))]
REPLACED = 1 / 3  # of the words of a paraphrase


def _text(chance: random.Random, size: int) -> list[str]:
    return chance.choices(WORDS, ZIPF, k=size)


def _leaks() -> Iterator[Bar]:
    """Planted copies, runs of 13 words and paraphrases; some clean rows share phrases with real ones and the exam."""
    chance = random.Random(0)
    common = _text(chance, 20)
    exam, learned, clean = (
        [_text(chance, 60) + common * (at % 4 == 0) for at in range(size)] for size in (300, 300, 2000)
    )
    planted: dict[str, list[list[str]]] = {
        "copies": exam,
        "runs of 13 words": [],
        "paraphrases": [],
        "clean rows": clean,
    }
    for words in exam:
        begin = chance.randrange(60 - 13)
        planted["runs of 13 words"].append(_text(chance, 30) + words[begin : begin + 13] + _text(chance, 30))
        planted["paraphrases"].append([_text(chance, 1)[0] if chance.random() < REPLACED else word for word in words])
    held_out, real = ([Row("", " ".join(words)) for words in side] for side in (exam, learned))
    for kind, texts in planted.items():
        rows = [
            Row("", " ".join(words).upper() + ".", origin="synthetic", sample_index=at)
            for at, words in enumerate(texts)
        ]
        found = [
            list(decontaminate.curate(rows, real, held_out, ngram_size=13, min_overlap=share)) for share in (1.0, 0.5)
        ]
        long, both = (_mean([bool(row.status) for row in out]) for out in found)
        asked = {"clean rows": "at most 0.005", "paraphrases": "reported"}.get(kind, "1.000")
        holds = both <= 0.005 if kind == "clean rows" else kind == "paraphrases" or long == 1
        seen = f"{long:.3f}; {both:.3f} where half of the 7-word runs is a leak, too"
        yield Bar(f"rejected as leaks by runs of 13 words, of {len(rows)} {kind}", asked, seen, holds)


# --- Instruction reversal.

OPERATIONS = ("a + b", "a - b", "a * b", "max(a, b)", "min(a, b)", "abs(a - b)", "a * a + b", "a % (abs(b) + 1)")
PAIRS = [(first, second) for first in range(len(OPERATIONS)) for second in range(len(OPERATIONS))]
WRONG, BUGGY = 0.3, 0.1  # of the instructions, and of the judge's programs


def _code(first: int, second: int) -> str:
    return f"def solve(a, b):\n    a = {OPERATIONS[first]}\n    return {OPERATIONS[second]}\n"


def _reverse(prompt: str, body: dict[str, Any]) -> str:
    """The teacher tells what a program does, now and then another's; the judge writes it, now and then with a bug."""
    chance = random.Random(prompt)
    if body["model"] == "m":
        first, second = (chance.randrange(len(OPERATIONS)) for _ in range(2))
        if chance.random() >= WRONG:
            first, second = next((x, y) for x, y in PAIRS if _code(x, y).strip() in prompt)
        return json.dumps({"instruction": f"Write solve(a, b): step {first} of the list, then step {second}."})
    first, second = _told(prompt)
    if chance.random() < BUGGY:
        second = (second + 1) % len(OPERATIONS)
    calls = [f"solve({chance.randint(-9, 9)}, {chance.randint(-9, 9)})" for _ in range(5)]
    return json.dumps({"program": _code(first, second), "calls": calls})


def _told(prompt: str) -> tuple[int, int]:
    told = prompt.split("solve(a, b): step ")[1]
    return int(told.split()[0]), int(told.split("then step ")[1].split(".")[0])


def _values(program: str) -> list[int]:
    there: dict[str, Any] = {}
    exec(program, there)  # ours, not a model's
    return [there["solve"](a, b) for a in range(-20, 21) for b in range(-20, 21)]


def _reversal(folder: Path) -> Iterator[Bar]:
    changes = ["held_out=4", "generate=[{backtranslate: {kind: code}}]", "grade=[code_roundtrip]"]
    changes += ["curate=[{min_score: {min_score: 1.0}}]"]
    rows = _made(folder, "reversal", [{"text": _code(*pair)} for pair in PAIRS], _reverse, changes)
    same = {row.id: _values(row.answer) == _values(_code(*_told(row.prompt))) for row in rows}
    kept = [same[row.id] for row in rows if row.status == "kept"]
    what = f"of {len(kept)} accepted pairs of instruction and program, those equal on 1,681 calls"
    yield Bar(what, "at least 0.95", f"{_mean(kept):.3f}", _mean(kept) >= 0.95)
    right = sum(same.values())
    yield Bar(f"of {right} right pairs among {len(rows)}, those accepted", "reported", f"{sum(kept) / right:.3f}", True)
