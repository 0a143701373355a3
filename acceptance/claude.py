"""Claude: criticism and revision by a constitution that is learned, and then not shown; labels from principles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise as consecutive
from itertools import permutations
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, Mean, final_scores, run_arm
from selfsown.grade import pairwise
from selfsown.models.endpoint import endpoint
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder
from selfsown.tasks.constitution_qa import Task
from selfsown.usage.journal import Journal
from testing.mock_server import Server

ROUNDS = 4
PAIRS, POSITION_BIAS = 3000, 0.3  # pairs that are judged; share of comparisons decided for the first position
PROMPTS, VIOLATION_RATE, ERROR_RATE = 200, 0.15, 0.1  # a draft violates each principle; a judge errs
FAULTS = {"busy": 0.05, "reset": 0.02, "error": 0.03, "malformed": 0.02}
FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
# For an arm that continues from a saved model: generation 0 is that model, unchanged.
CONTINUE = (
    "base_train.sft.steps=1",
    "base_train.sft.learning_rate=0.0",
    "base_train.sft.embedding_learning_rate=0.0",
    "base_train.sft.weight_decay=0.0",
)


def loopback(folder: Path) -> Iterator[Bar]:
    """A judge with a position bias, and a teacher with errors."""
    yield from _positions(folder)
    yield from _text(folder)


def _positions(folder: Path) -> Iterator[Bar]:
    rows = list(_pairs())
    with Server(say=_biased_judge) as server:
        journal = Journal(folder / "judge.sqlite")
        judge = endpoint.create([], 0, journal, url=server.url, model="m", max_in_flight=64)
        grades = list(pairwise.grade(rows, judge, 0))
        journal.close()
        choices = [json.loads(_biased_judge(body["messages"][-1]["content"], body))["better"] for body in server.bodies]
    first_rate = choices.count("first") / len(choices)
    scores = {row.id: grade.score for row, grade in zip(rows, grades, strict=True)}
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    shown_first = sum(scores[min(couple, key=lambda row: row.id).id] for couple in pairs) / len(pairs)
    yield Bar(
        "preference for the first position, \\|P − 0.5\\|, after both orders",
        "≤ 0.02",
        f"{abs(shown_first - 0.5):.3f} in {PAIRS:,} pairs; {first_rate - 0.5:.3f} in one order",
        abs(shown_first - 0.5) <= 0.02 < first_rate - 0.5,
    )


def _pairs() -> Iterator[Row]:
    """Two numbers per prompt; the one shown first is the better one in half of the cases."""
    for index in range(PAIRS):
        sample_index = 0
        while True:
            pair = [Row(f"{index}?", str(number), sample_index=sample_index) for number in (index, index + 1)]
            if (pair[0].id < pair[1].id) == bool(index % 2):
                break
            sample_index += 1
        yield from pair


def _biased_judge(prompt: str, body: dict[str, Any]) -> str:
    first, second = (float(text) for _, text in FENCE.findall(prompt)[-2:])
    right = "first" if first > second else "second"
    return json.dumps({"reason": "because", "better": "first" if _number(prompt) < POSITION_BIAS else right})


def _text(folder: Path) -> Iterator[Bar]:
    """The recipe for text; a draft contains [3] if it violates the third principle."""
    real = folder / "prompts.jsonl"
    rows_asked = ({"prompt": f"what of {index}?", "answer": "-"} for index in range(PROMPTS))
    real.write_text("".join(json.dumps(counts) + "\n" for counts in rows_asked), encoding="utf-8")
    with Server(say=_teacher_reply, faults=FAULTS, wait="0.01") as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m, retries: 8, max_in_flight: 64}}}}"
        make(Recipe.load("claude-text", [f"real={real}", teacher]), folder / "text")
    rows = RunFolder(folder / "text").rows("rows") or []
    histories = [
        [_violations(text) for text in _texts(row)] for row in rows if row.method == "refine" and row.status != "failed"
    ]
    means = [sum(counts) / len(histories) for counts in zip(*histories, strict=True)]
    yield Bar(
        "principles violated in a draft and after 1 to 4 revisions, by a teacher that errs once in ten",
        "never more than before",
        " → ".join(f"{mean:.2f}" for mean in means),
        all(after <= before for before, after in consecutive(means)),
    )
    pairs = [
        (row.answer, row.metadata["rejected"])
        for row in rows
        if row.method == "preference_pairs" and row.status == "kept"
    ]
    agreements = [_agreement(_violations(worse) - _violations(better)) for better, worse in pairs]
    yield Bar(
        "pairs whose better answer violates fewer principles",
        "≥ 0.9",
        f"{sum(agreements) / len(agreements):.3f} of {len(agreements)}, at {PROMPTS} prompts",
        sum(agreements) >= 0.9 * len(agreements) and len(agreements) >= PROMPTS / 4,
    )


@cache
def _principles() -> list[str]:
    return list(Recipe.load("claude-text", ["real=prompts.jsonl"]).grade[0].options["principles"])


def _teacher_reply(prompt: str, body: dict[str, Any]) -> str:
    """Drafts with violations; criticisms, revisions and grades, some of them wrong."""
    principles = _principles()
    if "text-" not in prompt:
        markers = (
            f"[{index}]" for index in range(len(principles)) if _number(index, prompt, body["seed"]) < VIOLATION_RATE
        )
        return " ".join(["An answer.", *markers])
    instructions = FENCE.sub("", prompt)
    marker = next(f"[{index}]" for index, principle in enumerate(principles) if principle in instructions)
    texts = FENCE.findall(prompt)
    if prompt.startswith("Revise"):
        return texts[1][1].replace(marker, "").strip()
    has_fault = (marker in texts[-1][1]) != (_number(prompt) < ERROR_RATE)
    return json.dumps(
        {"criticism": "a fault", "fault": has_fault}
        if "Criticise" in instructions
        else {"reason": "because", "keeps": not has_fault}
    )


def _number(*of: object) -> float:
    """A number from 0 to 1 that depends on the values alone."""
    return int.from_bytes(hashlib.sha256(repr(of).encode()).digest()[:6]) / 2**48


def _violations(text: str) -> int:
    return len(set(re.findall(r"\[\d+\]", text)))


def _texts(row: Row) -> list[str]:
    """A refined row's draft, and its text after each round."""
    first, *rounds = json.loads(row.metadata["revision_history"])
    texts = [first["draft"]]
    for step in rounds:
        texts.append(step.get("revision", texts[-1]))
    return texts + texts[-1:] * (ROUNDS + 1 - len(texts))


def _agreement(difference: float) -> float:
    """A tie counts as half an agreement."""
    return 1.0 if difference > 0 else 0.5 if difference == 0 else 0.0


def trained(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The recipe; a control that learns from drafts without criticism; the second stage, by preferences."""
    revised = [run_arm(folder, "claude", "claude", seed) for seed in seeds]
    drafts = [
        run_arm(
            folder,
            "claude",
            "drafts",
            seed,
            [*_continue_from(folder, seed, 0), "generate=[{sample: {n: 1, where: {form: answer}}}]"],
        )
        for seed in seeds
    ]
    preferred = [run_arm(folder, "self-rewarding", "preferred", seed, _second_stage(folder, seed)) for seed in seeds]
    yield _revisions(folder, seeds)
    start, after = first_scores(revised, "principle_violations"), final_scores(revised, "principle_violations")
    ratio = Mean.of(one / two for one, two in zip(after.values, start.values, strict=True))
    yield Bar(
        "violations without the constitution, after training on revisions: share of those before",
        "≤ 0.5",
        f"{ratio}; {start} before, {after} after",
        ratio.high <= 0.5,
    )
    yield _unchanged("accuracy, after minus before", revised, "accuracy[form=answer]")
    yield _unchanged(
        "the same on questions with a code, where overcautious answers would show",
        revised,
        "accuracy[form=answer, code=yes]",
    )
    gain = final_scores(drafts, "principle_violations") - after
    yield Bar(
        "violations after training on unrevised drafts, minus after training on revisions",
        "> 0",
        str(gain),
        gain.low > 0,
    )
    agreed = Mean.of(_labels(folder / f"preferred-{seed}") for seed in seeds)
    yield Bar("labels by the model's criticism that agree with the truth", "≥ 0.9", str(agreed), agreed.low >= 0.9)
    removed = first_scores(preferred, "principle_violations") - final_scores(preferred, "principle_violations")
    yield Bar("violations removed by the second stage, by preferences", "> 0", str(removed), removed.low > 0)
    yield _unchanged("accuracy, after the second stage minus before", preferred, "accuracy[form=answer]")


def first_scores(histories: Sequence[Sequence[Generation]], score: str) -> Mean:
    """The score of each course's generation 0."""
    return final_scores([generations[:1] for generations in histories], score)


def _continue_from(folder: Path, seed: int, generation: int) -> list[str]:
    """Continue from a model of the recipe's own run."""
    model = folder / f"claude-{seed}" / f"generation-{generation:02d}" / "model"
    return [f"student={{tiny: {{folder: '{model}'}}}}", *CONTINUE]


def _second_stage(folder: Path, seed: int) -> list[str]:
    """After the revisions; the judge is the model from before, frozen: it still knows how to criticise."""
    judge = folder / f"claude-{seed}" / "generation-00" / "model"
    return [*_continue_from(folder, seed, 1), f"judge={{tiny: {{folder: '{judge}'}}}}", "generations=1", "mix=replace"]


def _unchanged(measure: str, histories: Sequence[Sequence[Generation]], score: str) -> Bar:
    change = final_scores(histories, score) - first_scores(histories, score)
    return Bar(measure, "≥ −0.01", f"{change}; {first_scores(histories, score)} before", change.low >= -0.01)


def _revisions(folder: Path, seeds: Sequence[int]) -> Bar:
    """The share of the model's own drafts that violate a principle, and after each revision."""
    means = [Mean.of(shares) for shares in zip(*(_shares(folder / f"claude-{seed}") for seed in seeds), strict=True)]
    rises = [after - before for before, after in consecutive(means)]
    return Bar(
        "its drafts that violate a principle, and after 1 to 4 revisions of its own",
        "none above the one before",
        " → ".join(f"{sum(mean.values) / len(mean.values):.3f}" for mean in means)
        + f"; rises at most {max(rises, key=lambda rise: rise.high)}",
        max(rise.high for rise in rises) <= 0,
    )


def _shares(folder: Path) -> list[float]:
    task, rows = Task(), RunFolder(folder).rows("generation-01/rows") or []
    refined = [row for row in rows if row.method == "refine" and row.status != "failed"]
    violated = [[bool(task.broken(row, text)) for text in _texts(row)] for row in refined]
    return [sum(values) / len(violated) for values in zip(*violated, strict=True)]


def _labels(folder: Path) -> float:
    """How often, of two answers to a prompt, the one that violates fewer principles scores higher."""
    task, siblings = Task(), dict[str, list[Row]]()
    for row in RunFolder(folder).rows("generation-01/rows") or []:
        if row.method == "sample" and row.grades:
            siblings.setdefault(row.prompt, []).append(row)
    agreements: list[float] = []
    for rows in siblings.values():
        pairs = [(len(task.broken(row, row.answer)), row.score) for row in rows]
        agreements += [
            _agreement(better[1] - worse[1]) for better, worse in permutations(pairs, 2) if better[0] < worse[0]
        ]
    return sum(agreements) / len(agreements)
