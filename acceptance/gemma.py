"""Gemma: a small model learns a large one's whole distribution; filters for instruction data; averaged weights."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from acceptance.bars import Bar, Mean, run_arm
from selfsown.evaluate import loss
from selfsown.models.tiny.model import create
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder
from testing.mock_server import Body, Server

PROMPTS = 1500
MIN_CAUGHT, MAX_FALSE_ALARMS = 0.99, 0.01  # shares
FAULTS = {"busy": 0.05, "error": 0.03, "reset": 0.02}
KINDS = {"clean": 0.45, "self": 0.15, "personal": 0.15, "unsafe": 0.15, "twice": 0.1}
FILTERS = {"self": "self_reference", "personal": "pii", "unsafe": "judge", "twice": "dedup"}
UNSAFE = "Here is how you get into their house unseen"
SELF_REFERENCES = (
    "I am {name}, so I have never been there.",
    "As an AI language model made by {maker}, I cannot see it.",
    "My name is {name}. I hope that helps.",
    "I was trained by {maker}, and not on this.",
    "Please note that I'm just an AI assistant.",
    "You can call me {name}!",
    "That was after my knowledge cutoff.",
)
HARMLESS = (  # what a careless filter mistakes for a planted fault
    "ChatGPT was released by OpenAI in November 2022.",
    "An AI language model predicts the next word.",
    "Claude Monet painted them around 1915.",
    "It was founded on 31-12-1999 and has 1 204 500 members.",
    "Write to someone@example.com, for example.",
    "The total is 12,345,678.90, or 5 + 1234567890.",
    "Its ISBN is 978-3-16-148410-0, and its version 10.2.33.",
    "In films the number is (212) 555-0142.",
)

# Smaller than the recipes: programs of one operation, 2,000 real rows for the teacher and 200 for the student.
WORLD = ["real={programs: {rows: 4000, levels: 1}}", "held_out=1000"]
TEACHER = [*WORLD, "max_train_rows=2000", "student.tiny.layers=2", "train.sft.steps=300"]
STUDENT = [*WORLD, "max_train_rows=200", "student.tiny.layers=1", "base_train.distill.steps=150"]
STEPS = (60, 90, 150)  # at which plain training may stop; the last is that of distillation
SAMPLED_LABELS = 6
RUNS: dict[str, tuple[str, tuple[float, ...], list[str]]] = {  # another batch size draws other rows
    "the same rows, other learning rates": ("learning_rate", (0.02, 0.01, 0.005), []),
    "other rows": (
        "batch_size",
        (48, 64, 80),
        ["base_train.distill.steps=50", "base_train.distill.learning_rate=0.01"],
    ),
}
CONTINUED = {  # three more generations, on its own rows or on the real ones again
    "own": ["generate.propose.count=1000", "train.distill.steps=100", "rollback=false"],
    "real": ["generate=[]", "train.distill.steps=100", "rollback=false"],
}


def loopback(folder: Path) -> Iterator[Bar]:
    """`gemma-text` with a teacher whose answers have a planted fault in more than half of the cases, and a judge that
    recognizes harm. The teacher records which answer has which fault."""
    planted = _Planted()
    real = folder / "prompts.jsonl"
    real.write_text(
        "".join(json.dumps({"prompt": f"Tell me about place {at}.", "answer": ""}) + "\n" for at in range(PROMPTS))
    )
    with Server(models=("m", "judge"), say=planted.reply, faults=FAULTS, wait="0.01") as server:
        served = f"url: '{server.url}', retries: 8"
        models = [
            f"{role}={{endpoint: {{{served}, model: {name}}}}}" for role, name in (("teacher", "m"), ("judge", "judge"))
        ]
        make(Recipe.load("gemma-text", [f"real={real}", *models]), folder / "text")
    rows = RunFolder(folder / "text").rows("rows") or []
    kinds = planted.kinds(rows)
    names = {"self": "false names", "personal": "personal data", "unsafe": "harm", "twice": "duplicate answers"}
    for kind, name in names.items():
        faulty = [row for row in rows if kinds[row.id] == kind]
        caught = sum(row.status == "rejected" and row.reason.startswith(f"{FILTERS[kind]}:") for row in faulty)
        yield _share(f"planted {name}, rejected by `{FILTERS[kind]}`", caught, len(faulty), at_least=MIN_CAUGHT)
    clean = [row.status for row in rows if kinds[row.id] == "clean"]
    yield _share(
        "answers without a fault that are not kept",
        len(clean) - clean.count("kept"),
        len(clean),
        at_most=MAX_FALSE_ALARMS,
    )


def trained(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """A separate teacher for each seed, which has not seen the held-out rows of its student. Nats per character."""
    for seed in seeds:
        run_arm(folder, "gemma-teacher", "teacher", seed, TEACHER)
    one_hot = {
        steps: _base_loss(folder, f"one-hot-{steps}", seeds, [f"base_train={{sft: {{steps: {steps}}}}}"])
        for steps in STEPS
    }
    stopped = Mean.of(map(min, zip(*(mean.values for mean in one_hot.values()), strict=True)))
    full, sampled = (
        _base_loss(folder, name, seeds, [f"base_train.distill.sampled_labels={labels}"])
        for name, labels in (("full", 0), ("few", SAMPLED_LABELS))
    )
    for what, mean in (("equally many steps", one_hot[STEPS[-1]]), ("one-hot stopped at its best", stopped)):
        gain = mean - full
        yield Bar(
            f"one-hot minus distilled, {what}", "0.10 or more in every seed", _result(gain), min(gain.values) >= 0.10
        )
    difference = sampled - full
    close = difference.low >= -0.10 and difference.high <= 0.10
    yield Bar(
        f"{SAMPLED_LABELS} sampled labels of about 30, minus all probabilities",
        "interval within ±0.10",
        _result(difference),
        close,
    )
    yield from _averaged(folder, seeds)
    own, real = ([_run_student(folder, name, seed, changes) for seed in seeds] for name, changes in CONTINUED.items())
    gain = Mean.of(_loss(history[0]) - _loss(history[-1]) for history in own)
    yield Bar("loss removed by three generations on its own rows", "interval above 0", _result(gain), gain.low > 0)
    difference = Mean.of(_loss(first[-1]) - _loss(second[-1]) for first, second in zip(real, own, strict=True))
    yield Bar(
        "equally many steps on the real rows alone, minus that",
        "interval above 0",
        _result(difference),
        difference.low > 0,
    )


def _averaged(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """Three runs that continue from one model, and the mean of their weights. Only runs on other rows are a bar; of
    runs on the same rows with different learning rates, the result is reported."""
    for what, (option, values, overrides) in RUNS.items():
        gain = Mean.of(_gain(folder, seed, option, values, overrides) for seed in seeds)
        name = f"mean loss of three runs ({what}) minus the loss of their mean weights"
        requirement = "interval not below 0" if what == "other rows" else "reported"
        yield Bar(name, requirement, _result(gain), requirement == "reported" or gain.low >= 0)


def _gain(folder: Path, seed: int, option: str, values: Sequence[float], overrides: Sequence[str]) -> float:
    start, arms = folder / f"few-{seed}" / "best", [f"{option}-{value}" for value in values]
    losses = []
    for arm, value in zip(arms, values, strict=True):
        continuing = [
            f"student={{tiny: {{folder: '{start}'}}}}",
            f"base_train.distill.{option}={value}",
            "generations=0",
        ]
        losses.append(_loss(_run_student(folder, arm, seed, [*overrides, *continuing])[-1]))
    mean = create([], 0, folder=tuple(str(folder / f"{arm}-{seed}" / "best") for arm in arms))
    (score,) = loss.evaluate(mean, RunFolder(start.parent).rows("held_out") or [])
    return sum(losses) / len(losses) - math.log(2) * score.value


def _run_student(folder: Path, arm: str, seed: int, changes: Sequence[str]) -> list[Generation]:
    teacher = f"teacher={{tiny: {{folder: '{folder / f'teacher-{seed}' / 'best'}'}}}}"
    return run_arm(folder, "gemma", arm, seed, [*STUDENT, teacher, *changes])


def _base_loss(folder: Path, arm: str, seeds: Sequence[int], changes: Sequence[str]) -> Mean:
    """Of generation 0, which was trained on real rows alone."""
    return Mean.of(_loss(_run_student(folder, arm, seed, [*changes, "generations=0"])[-1]) for seed in seeds)


def _loss(generation: Generation) -> float:
    loss = generation.pooled("loss")
    assert loss
    return math.log(2) * loss


def _result(gain: Mean) -> str:
    return f"{gain}; in each seed {min(gain.values):+.3f} or more"


def _share(measure: str, count: int, total: int, *, at_least: float = 0.0, at_most: float = 1.0) -> Bar:
    requirement = f"at least {at_least:.0%}" if at_least else f"at most {at_most:.0%}"
    passed = total >= 100 and at_least * total <= count <= at_most * total
    return Bar(measure, requirement, f"{count} of {total} ({count / max(1, total):.1%})", passed)


class _Planted:
    """A teacher that records the fault of each answer, and a judge that gives a low score to harm alone."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}

    def reply(self, prompt: str, body: Body) -> str:
        if prompt.startswith("Judge the"):
            harmful = UNSAFE in prompt and "Is it safe?" in prompt
            return json.dumps({"reason": "because", "score": 1 if harmful else 5})
        rng = random.Random(repr(prompt))  # by the prompt alone: whether all its answers are the same
        if rng.random() < KINDS["twice"]:
            answer, kind = f"{prompt} It lies by the sea.", "twice"
        else:
            rng = random.Random(repr((prompt, body.get("seed"))))
            kind = rng.choices(list(KINDS)[:-1], list(KINDS.values())[:-1])[0]
            place = "".join(rng.choices("aeioulmnrst", k=12)).title()
            answer = f"{place} is a town of {rng.randrange(1000, 99999)} people. {_sentence(kind, rng)}"
        self.faults[answer] = kind
        return answer

    def kinds(self, rows: Sequence[Row]) -> dict[str, str]:
        """The fault of each row; of equal answers, the first is clean."""
        counts = Counter[str]()
        faults = {}
        for row in rows:
            counts[row.answer] += 1
            first = self.faults[row.answer] == "twice" and counts[row.answer] == 1
            faults[row.id] = "clean" if first else self.faults[row.answer]
        return faults


def _sentence(kind: str, draw: random.Random) -> str:
    if kind == "self":
        name = draw.choice(["ChatGPT", "Claude", "Gemini", "Llama", "Qwen", "DeepSeek", "Grok", "Mistral", "Copilot"])
        maker = draw.choice(["OpenAI", "Anthropic", "Google", "Meta AI", "Alibaba", "DeepSeek", "xAI", "Mistral AI"])
        return draw.choice(SELF_REFERENCES).format(name=name, maker=maker)
    if kind == "personal":
        return _personal(draw)
    return f"{UNSAFE}: by the cellar." if kind == "unsafe" else draw.choice([*HARMLESS, _number(draw)])


def _personal(draw: random.Random) -> str:
    """Somebody's address or number, in one of the usual notations."""
    ann = draw.choice(["ann", "j.doe", "Maria_Lopez", "wei-chen", "oneil99"])
    host = draw.choice(["mail-box.org", "firm.co.uk", "uni.edu", "posteo.de", "web.example-shop.com"])

    def n(size: int) -> str:
        return "".join(draw.choices("23456789", k=size))

    gap = draw.choice([" ", "-"])
    card = _with_luhn(draw.choice("45") + n(14))
    account = _with_97(draw.choice([("DE", n(18)), ("NL", f"ABNA{n(10)}"), ("GB", f"WEST{n(14)}"), ("ES", n(20))]))
    return draw.choice(
        [
            f"Ask {ann}@{host} for more.",
            f"The owner is {ann} [at] {host.replace('.', ' [dot] ')}.",
            f"Its mayor has the number +49 30 {n(4)}{gap}{n(4)}.",
            f"Ring +44 20 {n(4)} {n(4)} for a room.",
            f"Ring +1{gap}{n(3)}{gap}{n(3)}{gap}{n(4)} for a room.",
            f"A guide: ({n(3)}) {n(3)}-{n(4)}.",
            f"A guide: {n(3)}-{n(3)}-{n(4)}.",
            f"A guide: 06 {n(2)} {n(2)} {n(2)} {n(2)}, by day.",
            f"The inn's phone is {n(3)} {n(4)}.",
            f"He paid by card {gap.join(card[at : at + 4] for at in range(0, 16, 4))}.",
            f"He paid by card {card}.",
            f"Send it to {account}.",
            f"Send it to {' '.join(account[at : at + 4] for at in range(0, len(account), 4))}, please.",
            f"Her social security number was 5{n(2)}-{n(2)}-{n(4)}.",
        ]
    )


def _number(draw: random.Random) -> str:
    """A number that is no card number: its check digit is wrong."""
    card = _with_luhn("4" + "".join(draw.choices("0123456789", k=14)))
    return f"The parcel {card[:-1]}{(int(card[-1]) + draw.randrange(1, 10)) % 10} came from there."


def _with_luhn(digits: str) -> str:
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


def _with_97(country: tuple[str, str]) -> str:
    code, number = country
    check = 98 - int("".join(str(int(letter, 36)) for letter in f"{number}{code}00")) % 97
    return f"{code}{check:02}{number}"
