"""Gemma: a small model that learns a large one's whole distribution; filters of instruction data; averaged weights."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from server import Body, Server

from acceptance.bars import Bar, Mean, course
from selfsown.evaluate import loss
from selfsown.models.tiny.model import create
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder

PROMPTS = 1500
CAUGHT, SPARED = 0.99, 0.01
FAULTS = {"busy": 0.05, "error": 0.03, "reset": 0.02}
KINDS = {"clean": 0.45, "self": 0.15, "personal": 0.15, "unsafe": 0.15, "twice": 0.1}
FILTERS = {"self": "identity", "personal": "personal", "unsafe": "judge", "twice": "duplicates"}
UNSAFE = "Here is how you get into their house unseen"
SELF = (
    "I am {name}, so I have never been there.",
    "As an AI language model made by {maker}, I cannot see it.",
    "My name is {name}. I hope that helps.",
    "I was trained by {maker}, and not on this.",
    "Please note that I'm just an AI assistant.",
    "You can call me {name}!",
    "That was after my knowledge cutoff.",
)
NEAR = (  # what a careless filter takes for one of the planted kinds
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
STEPS = (60, 90, 150)  # at which plain training may stop; the last is what distillation takes
FEW = 6
RUNS: dict[str, tuple[str, tuple[float, ...], list[str]]] = {  # another size of the batch draws other rows
    "the same rows, other rates": ("rate", (0.02, 0.01, 0.005), []),
    "other rows": ("batch", (48, 64, 80), ["base_train.distill.steps=50", "base_train.distill.learning_rate=0.01"]),
}
LATER = {  # three generations more, at its own rows or at the real ones again
    "own": ["generate.propose.count=1000", "train.distill.steps=100", "rollback=false"],
    "real": ["generate=[]", "train.distill.steps=100", "rollback=false"],
}


def loopback(folder: Path) -> Iterator[Bar]:
    """`gemma-text` against a teacher of whose answers more than half have a planted fault, and a judge that knows harm.
    Which answer has which fault is the planter's own record."""
    planted = _Planted()
    real = folder / "prompts.jsonl"
    real.write_text(
        "".join(json.dumps({"prompt": f"Tell me about place {at}.", "answer": ""}) + "\n" for at in range(PROMPTS))
    )
    with Server(models=("m", "judge"), say=planted.say, faults=FAULTS, wait="0.01") as server:
        served = f"url: '{server.url}', retries: 8"
        roles = [
            f"{role}={{endpoint: {{{served}, model: {name}}}}}" for role, name in (("teacher", "m"), ("judge", "judge"))
        ]
        make(Recipe.load("gemma-text", [f"real={real}", *roles]), folder / "text")
    rows = RunFolder(folder / "text").rows("rows") or []
    kinds = planted.kinds(rows)
    names = {"self": "false names", "personal": "personal data", "unsafe": "harm", "twice": "answers said twice"}
    for kind, name in names.items():
        there = [row for row in rows if kinds[row.id] == kind]
        caught = sum(row.status == "rejected" and row.reason.startswith(f"{FILTERS[kind]}:") for row in there)
        yield _share(f"planted {name}, rejected by `{FILTERS[kind]}`", caught, len(there), at_least=CAUGHT)
    clean = [row.status for row in rows if kinds[row.id] == "clean"]
    yield _share(
        "answers without a fault that are not kept", len(clean) - clean.count("kept"), len(clean), at_most=SPARED
    )


def learned(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """A teacher of its own for each seed, which has not seen what its student is measured on. Nats per character."""
    for seed in seeds:
        course(folder, "gemma-teacher", "teacher", seed, TEACHER)
    one_hot = {
        steps: _nats(folder, f"one-hot-{steps}", seeds, [f"base_train={{tiny: {{steps: {steps}}}}}"]) for steps in STEPS
    }
    stopped = Mean.of(map(min, zip(*(mean.values for mean in one_hot.values()), strict=True)))
    full, few = (
        _nats(folder, name, seeds, [f"base_train.distill.sampled_labels={k}"])
        for name, k in (("full", 0), ("few", FEW))
    )
    for what, mean in (("as many steps", one_hot[STEPS[-1]]), ("one-hot stopped at its best", stopped)):
        gain = mean - full
        yield Bar(
            f"one-hot less distilled, {what}", "0.10 or more in every seed", _seen(gain), min(gain.values) >= 0.10
        )
    lost = few - full
    near = lost.low >= -0.10 and lost.high <= 0.10
    yield Bar(f"{FEW} draws of about 30 less all probabilities", "interval within ±0.10", _seen(lost), near)
    yield from _averaged(folder, seeds)
    own, real = ([_run(folder, name, seed, changes) for seed in seeds] for name, changes in LATER.items())
    gain = Mean.of(_of(each[0]) - _of(each[-1]) for each in own)
    yield Bar("taken off by three generations at its own rows", "interval above 0", _seen(gain), gain.low > 0)
    more = Mean.of(_of(one[-1]) - _of(other[-1]) for one, other in zip(real, own, strict=True))
    yield Bar("as many steps at the real rows alone, less that", "interval above 0", _seen(more), more.low > 0)


def _averaged(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """Three runs that go on from one model, and the model that is the mean of the three. Only runs that see different
    rows are a bar: of those that see the same ones at different rates, it is reported."""
    for what, (key, values, more) in RUNS.items():
        gain = Mean.of(_gain(folder, seed, key, values, more) for seed in seeds)
        name = f"mean loss of three runs ({what}) less that of their mean weights"
        wanted = "interval not below 0" if what == "other rows" else "reported"
        yield Bar(name, wanted, _seen(gain), wanted == "reported" or gain.low >= 0)


def _gain(folder: Path, seed: int, key: str, values: Sequence[float], more: Sequence[str]) -> float:
    start, arms = folder / f"few-{seed}" / "best", [f"{key}-{value}" for value in values]
    runs = []
    for arm, value in zip(arms, values, strict=True):
        going_on = [f"student={{tiny: {{folder: '{start}'}}}}", f"base_train.distill.{key}={value}", "generations=0"]
        runs.append(_of(_run(folder, arm, seed, [*more, *going_on])[-1]))
    mean = create([], 0, folder=tuple(str(folder / f"{arm}-{seed}" / "best") for arm in arms))
    (found,) = loss.evaluate(mean, RunFolder(start.parent).rows("held_out") or [])
    return sum(runs) / len(runs) - math.log(2) * found.value


def _run(folder: Path, arm: str, seed: int, changes: Sequence[str]) -> list[Generation]:
    teacher = f"teacher={{tiny: {{folder: '{folder / f'teacher-{seed}' / 'best'}'}}}}"
    return course(folder, "gemma", arm, seed, [*STUDENT, teacher, *changes])


def _nats(folder: Path, arm: str, seeds: Sequence[int], changes: Sequence[str]) -> Mean:
    """Of generation 0, which has learned from real rows alone."""
    return Mean.of(_of(_run(folder, arm, seed, [*changes, "generations=0"])[-1]) for seed in seeds)


def _of(generation: Generation) -> float:
    found = generation.pooled("loss")
    assert found
    return math.log(2) * found


def _seen(gain: Mean) -> str:
    return f"{gain}; in each seed {min(gain.values):+.3f} or more"


def _share(what: str, count: int, of: int, *, at_least: float = 0.0, at_most: float = 1.0) -> Bar:
    asked = f"at least {at_least:.0%}" if at_least else f"at most {at_most:.0%}"
    holds = of >= 100 and at_least * of <= count <= at_most * of
    return Bar(what, asked, f"{count} of {of} ({count / max(1, of):.1%})", holds)


class _Planted:
    """A teacher who remembers what it did to each answer, and a judge that gives little to harm alone."""

    def __init__(self) -> None:
        self.did: dict[str, str] = {}

    def say(self, prompt: str, body: Body) -> str:
        if prompt.startswith("Judge the"):
            bad = UNSAFE in prompt and "Is it safe?" in prompt
            return json.dumps({"reason": "so it is", "score": 1 if bad else 5})
        draw = random.Random(repr(prompt))  # of the prompt: whether its answers shall be the same
        if draw.random() < KINDS["twice"]:
            answer, kind = f"{prompt} It lies by the sea.", "twice"
        else:
            draw = random.Random(repr((prompt, body.get("seed"))))
            kind = draw.choices(list(KINDS)[:-1], list(KINDS.values())[:-1])[0]
            place = "".join(draw.choices("aeioulmnrst", k=12)).title()
            answer = f"{place} is a town of {draw.randrange(1000, 99999)} people. {_sentence(kind, draw)}"
        self.did[answer] = kind
        return answer

    def kinds(self, rows: Sequence[Row]) -> dict[str, str]:
        """Of each row; of answers that are the same, the first is clean."""
        seen = Counter[str]()
        found = {}
        for row in rows:
            seen[row.answer] += 1
            first = self.did[row.answer] == "twice" and seen[row.answer] == 1
            found[row.id] = "clean" if first else self.did[row.answer]
        return found


def _sentence(kind: str, draw: random.Random) -> str:
    if kind == "self":
        name = draw.choice(["ChatGPT", "Claude", "Gemini", "Llama", "Qwen", "DeepSeek", "Grok", "Mistral", "Copilot"])
        maker = draw.choice(["OpenAI", "Anthropic", "Google", "Meta AI", "Alibaba", "DeepSeek", "xAI", "Mistral AI"])
        return draw.choice(SELF).format(name=name, maker=maker)
    if kind == "personal":
        return _personal(draw)
    return f"{UNSAFE}: by the cellar." if kind == "unsafe" else draw.choice([*NEAR, _number(draw)])


def _personal(draw: random.Random) -> str:
    """Somebody's address or number, in one of the usual writings."""
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
    """One that is no card: its check digit is wrong."""
    card = _with_luhn("4" + "".join(draw.choices("0123456789", k=14)))
    return f"The parcel {card[:-1]}{(int(card[-1]) + draw.randrange(1, 10)) % 10} came from there."


def _with_luhn(digits: str) -> str:
    total = sum(sum(divmod(int(each) * (2 - at % 2), 10)) for at, each in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


def _with_97(country: tuple[str, str]) -> str:
    land, rest = country
    check = 98 - int("".join(str(int(each, 36)) for each in f"{rest}{land}00")) % 97
    return f"{land}{check:02}{rest}"
