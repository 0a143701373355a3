"""Claude: criticism and revision by a constitution, learned so that it is kept unasked; labels from principles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise as steps
from itertools import permutations
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, Mean, course, last
from selfsown.grade import pairwise
from selfsown.models.endpoint import endpoint
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder
from selfsown.tasks.constitution_qa import Task
from selfsown.usage.journal import Journal

ROUNDS = 4
PAIRS, FAVOUR = 3000, 0.3  # pairs that are judged; the share of judgements that go to the first place
PROMPTS, BAD, ERROR = 200, 0.15, 0.1  # a draft breaks each principle so often; a judge errs so often
FAULTS = {"busy": 0.05, "reset": 0.02, "error": 0.03, "malformed": 0.02}
FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
# An arm that goes on from a model that was saved: generation 0 is that model as it is.
GOING_ON = (
    "base_train.sft.steps=1",
    "base_train.sft.learning_rate=0.0",
    "base_train.sft.embedding_learning_rate=0.0",
    "base_train.sft.weight_decay=0.0",
)


def loopback(folder: Path) -> Iterator[Bar]:
    """A judge who favours a place, and a teacher who errs."""
    yield from _positions(folder)
    yield from _text(folder)


def _positions(folder: Path) -> Iterator[Bar]:
    from server import Server

    rows = list(_pairs())
    with Server(say=_favouring) as server:
        journal = Journal(folder / "judge.sqlite")
        judge = endpoint.create([], 0, journal, url=server.url, model="m", max_in_flight=64)
        grades = list(pairwise.grade(rows, judge, 0))
        journal.close()
        said = [json.loads(_favouring(body["messages"][-1]["content"], body))["better"] for body in server.bodies]
    first = said.count("first") / len(said)
    score = {row.id: grade.score for row, grade in zip(rows, grades, strict=True)}
    couples = list(zip(rows[::2], rows[1::2], strict=True))
    ahead = sum(score[min(couple, key=lambda row: row.id).id] for couple in couples) / len(couples)
    yield Bar(
        "preference for the place shown first, \\|P − 0.5\\|, after both orders",
        "≤ 0.02",
        f"{abs(ahead - 0.5):.3f} in {PAIRS:,} pairs; {first - 0.5:.3f} in one order",
        abs(ahead - 0.5) <= 0.02 < first - 0.5,
    )


def _pairs() -> Iterator[Row]:
    """Two numbers to a prompt; which of them stands first is neither the better nor the worse more often."""
    for at in range(PAIRS):
        draw = 0
        while True:
            pair = [Row(f"{at}?", str(number), sample_index=draw) for number in (at, at + 1)]
            if (pair[0].id < pair[1].id) == bool(at % 2):
                break
            draw += 1
        yield from pair


def _favouring(prompt: str, body: dict[str, Any]) -> str:
    first, second = (float(text) for _, text in FENCE.findall(prompt)[-2:])
    fair = "first" if first > second else "second"
    return json.dumps({"reason": "so", "better": "first" if _chance(prompt) < FAVOUR else fair})


def _text(folder: Path) -> Iterator[Bar]:
    """The recipe for real language; a draft says [3] where it breaks the third principle."""
    from server import Server

    real = folder / "prompts.jsonl"
    asked = ({"prompt": f"what of {at}?", "answer": "-"} for at in range(PROMPTS))
    real.write_text("".join(json.dumps(each) + "\n" for each in asked), encoding="utf-8")
    with Server(say=_mannered, faults=FAULTS, wait="0.01") as server:
        there = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8, in_flight: 64}}}}"
        make(Recipe.load("claude-text", [f"real={real}", there]), folder / "text")
    rows = RunFolder(folder / "text").rows("rows") or []
    course = [
        [_broken(text) for text in _texts(row)] for row in rows if row.method == "refine" and row.status != "failed"
    ]
    means = [sum(each) / len(course) for each in zip(*course, strict=True)]
    yield Bar(
        "principles broken in a draft and after 1 to 4 revisions, by a teacher who errs once in ten",
        "never more than before",
        " → ".join(f"{mean:.2f}" for mean in means),
        all(after <= before for before, after in steps(means)),
    )
    pairs = [
        (row.answer, row.metadata["rejected"])
        for row in rows
        if row.method == "preference_pairs" and row.status == "kept"
    ]
    agreed = [_agreed(_broken(worse) - _broken(better)) for better, worse in pairs]
    yield Bar(
        "of the pairs made, those whose better answer breaks fewer principles",
        "≥ 0.9",
        f"{sum(agreed) / len(agreed):.3f} of {len(agreed)}, at {PROMPTS} prompts",
        sum(agreed) >= 0.9 * len(agreed) and len(agreed) >= PROMPTS / 4,
    )


@cache
def _principles() -> list[str]:
    return list(Recipe.load("claude-text", ["real=prompts.jsonl"]).grade[0].options["principles"])


def _mannered(prompt: str, body: dict[str, Any]) -> str:
    """Drafts with faults; criticisms, revisions and verdicts, of which some are wrong."""
    principles = _principles()
    if "text-" not in prompt:
        broken = (f"[{at}]" for at in range(len(principles)) if _chance(at, prompt, body["seed"]) < BAD)
        return " ".join(["An answer.", *broken])
    asked = FENCE.sub("", prompt)
    mark = next(f"[{at}]" for at, principle in enumerate(principles) if principle in asked)
    shown = FENCE.findall(prompt)
    if prompt.startswith("Revise"):
        return shown[1][1].replace(mark, "").strip()
    fault = (mark in shown[-1][1]) != (_chance(prompt) < ERROR)
    return json.dumps(
        {"criticism": "so", "fault": fault} if "Criticise" in asked else {"reason": "so", "keeps": not fault}
    )


def _chance(*of: object) -> float:
    """A number from 0 to 1, always the same for these."""
    return int.from_bytes(hashlib.sha256(repr(of).encode()).digest()[:6]) / 2**48


def _broken(text: str) -> int:
    return len(set(re.findall(r"\[\d+\]", text)))


def _texts(row: Row) -> list[str]:
    """A refined row's draft, and what it was after each of the rounds."""
    first, *rounds = json.loads(row.metadata["revision_history"])
    texts = [first["draft"]]
    for step in rounds:
        texts.append(step.get("revision", texts[-1]))
    return texts + texts[-1:] * (ROUNDS + 1 - len(texts))


def _agreed(difference: float) -> float:
    """A tie is half an agreement."""
    return 1.0 if difference > 0 else 0.5 if difference == 0 else 0.0


def learned(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The recipe; a control that learns from drafts which nobody criticised; the second stage, by preferences."""
    revised = [course(folder, "claude", "claude", seed) for seed in seeds]
    drafts = [
        course(
            folder,
            "claude",
            "drafts",
            seed,
            [*_from(folder, seed, 0), "generate=[{sample: {n: 1, where: {form: answer}}}]"],
        )
        for seed in seeds
    ]
    judged = [course(folder, "self-rewarding", "preferred", seed, _second(folder, seed)) for seed in seeds]
    yield _revisions(folder, seeds)
    start, after = first(revised, "violations"), last(revised, "violations")
    ratio = Mean.of(one / two for one, two in zip(after.values, start.values, strict=True))
    yield Bar(
        "violations without the constitution, after training on revisions: share of those before",
        "≤ 0.5",
        f"{ratio}; {start} before, {after} after",
        ratio.high <= 0.5,
    )
    yield _kept("accuracy, after less before", revised, "accuracy[form=answer]")
    yield _kept(
        "the same at questions with a code, where shyness would show", revised, "accuracy[form=answer, code=yes]"
    )
    gain = last(drafts, "violations") - after
    yield Bar("violations if it learns its drafts unrevised, more than if revised", "> 0", str(gain), gain.low > 0)
    agreed = Mean.of(_labels(folder / f"preferred-{seed}") for seed in seeds)
    yield Bar("labels by the model's criticism that agree with the truth", "≥ 0.9", str(agreed), agreed.low >= 0.9)
    fall = first(judged, "violations") - last(judged, "violations")
    yield Bar("violations fewer after the second stage, by preferences", "> 0", str(fall), fall.low > 0)
    yield _kept("accuracy, after the second stage less before", judged, "accuracy[form=answer]")


def first(courses: Sequence[Sequence[Generation]], score: str) -> Mean:
    """The score of each course's generation 0."""
    return last([generations[:1] for generations in courses], score)


def _from(folder: Path, seed: int, generation: int) -> list[str]:
    """Go on from a model of the recipe's own run."""
    model = folder / f"claude-{seed}" / f"generation-{generation:02d}" / "model"
    return [f"student={{tiny: {{folder: '{model}'}}}}", *GOING_ON]


def _second(folder: Path, seed: int) -> list[str]:
    """After the revisions; the judge is the model of before, frozen: it still knows how to criticise."""
    judge = folder / f"claude-{seed}" / "generation-00" / "model"
    return [*_from(folder, seed, 1), f"judge={{tiny: {{folder: '{judge}'}}}}", "generations=1", "mix=replace"]


def _kept(what: str, courses: Sequence[Sequence[Generation]], score: str) -> Bar:
    change = last(courses, score) - first(courses, score)
    return Bar(what, "≥ −0.01", f"{change}; {first(courses, score)} before", change.low >= -0.01)


def _revisions(folder: Path, seeds: Sequence[int]) -> Bar:
    """Of the model's own drafts, how many break a principle, and how many still do after each revision."""
    means = [Mean.of(each) for each in zip(*(_shares(folder / f"claude-{seed}") for seed in seeds), strict=True)]
    rises = [after - before for before, after in steps(means)]
    return Bar(
        "its drafts that break a principle, and after 1 to 4 revisions of its own",
        "none above the one before",
        " → ".join(f"{sum(mean.values) / len(mean.values):.3f}" for mean in means)
        + f"; rises at most {max(rises, key=lambda rise: rise.high)}",
        max(rise.high for rise in rises) <= 0,
    )


def _shares(folder: Path) -> list[float]:
    world, rows = Task(), RunFolder(folder).rows("generation-01/rows") or []
    refined = [row for row in rows if row.method == "refine" and row.status != "failed"]
    broken = [[bool(world.broken(row, text)) for text in _texts(row)] for row in refined]
    return [sum(each) / len(broken) for each in zip(*broken, strict=True)]


def _labels(folder: Path) -> float:
    """Of two answers to a prompt of which one breaks fewer principles, how often it scores higher."""
    world, siblings = Task(), dict[str, list[Row]]()
    for row in RunFolder(folder).rows("generation-01/rows") or []:
        if row.method == "sample" and row.grades:
            siblings.setdefault(row.prompt, []).append(row)
    agreed: list[float] = []
    for rows in siblings.values():
        told = [(len(world.broken(row, row.answer)), row.score) for row in rows]
        agreed += [_agreed(one[1] - two[1]) for one, two in permutations(told, 2) if one[0] < two[0]]
    return sum(agreed) / len(agreed)
