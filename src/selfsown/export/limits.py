"""What a dataset's card says of its limits: each sentence follows from the recipe and from what was counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from selfsown.export.card_counts import Tally
from selfsown.export.markdown import code
from selfsown.text.personal_data import KINDS, KIND_NAMES

TRUST = {
    "oracle": "a known answer",
    "execution": "running them",
    "rule": "rules of form",
    "vote": "a majority of a model's own answers",
    "judge": "what another model thinks of them",
    "self": "what the model that wrote them thinks of them",
    "": "nothing: no step graded them",
}
ALIKE = ("dedup", "dedup_prompts", "dedup_near")  # curators that compare the rows that were made with each other
PRINCIPLED = ("constitution", "refine")
Steps = Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]  # of each stage, its methods with their options


def limits(recipe: Mapping[str, Any], tally: Tally, own_judge: str, held_out: int, licensed: bool) -> Iterator[str]:
    """In sentences, the most important first. own_judge: that the judge marks its own work, where it does; held_out:
    how many real rows are; licensed: whether each of the others declares a licence."""
    steps = steps_of(recipe)
    if tally.origins["synthetic"]:
        yield from _of_the_writers(recipe, steps)
    for trust, n in (+tally.trust).most_common():
        trust = "self" if trust == "judge" and own_judge.startswith("the judge") else trust
        yield f"The grades of {n:,} rest on {TRUST.get(trust, trust)}."
    if own_judge:
        yield f"{own_judge[0].upper()}{own_judge[1:]}."
    if not _named(steps["curate"]) & {*ALIKE}:
        yield "Nothing looked for duplicates among the rows that were made."
    if held_out and "decontaminate" not in _named(steps["curate"]):
        yield "Nothing looked whether a row repeats what was held out."
    if not licensed:
        yield "For some of the real rows no licence is declared. See to it that you may use what grew from them."
    if any(recipe.get(role) for role in ("teacher", "judge")):
        yield "The terms of the models that took part may bind whoever uses what they wrote."
    yield from _of_personal_data(steps)
    yield _of_words_that_hurt(steps)
    if own := sorted({way for some in steps.values() for way, _ in some if "." in way}):
        yield f"What {', '.join(code(Path(way).name) for way in own)} looked for is not known here."
    yield "A bias of the real rows or of the models may be in these rows too, and stronger."


def steps_of(recipe: Mapping[str, Any]) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """The methods of each stage that makes or chooses rows, with their options."""
    return {stage: list(map(step_of, recipe.get(stage) or [])) for stage in ("prepare", "generate", "grade", "curate")}


def step_of(step: Any) -> tuple[str, Mapping[str, Any]]:
    """A method and its options, as a recipe writes them."""
    if isinstance(step, dict) and step:
        way, knobs = next(iter(step.items()))
        return str(way), knobs if isinstance(knobs, dict) else {}
    return str(step), {}


def _named(steps: Sequence[tuple[str, Mapping[str, Any]]]) -> set[str]:
    return {way for way, _ in steps}


def _of_the_writers(recipe: Mapping[str, Any], steps: Steps) -> Iterator[str]:
    wrote = "" if any("." in way for way in _named(steps["generate"])) else "Models wrote the synthetic rows. "
    yield f"{wrote}Some are wrong, and no step had a person read them."


def _of_personal_data(steps: Steps) -> Iterator[str]:
    """Of the real rows, and of those that were made."""
    made = [knobs for way, knobs in steps["curate"] if way == "pii"]
    real = [knobs for way, knobs in steps["prepare"] if way == "pii"]
    if not made and not real:
        yield "Nothing looked for personal data."
        return
    for knobs in real:
        done = "was replaced" if knobs.get("redact") else "set its row aside"
        yield f"In the real rows, personal data known by its form {done}: {_kinds(knobs)}."
    for knobs in made:
        yield f"A row that was made is rejected where it has personal data known by its form: {_kinds(knobs)}."
    if not made:
        yield "Nothing looked for personal data in what models wrote."
    yield "Names and postal addresses have no form, and were not looked for."


def _kinds(knobs: Mapping[str, Any]) -> str:
    wanted: Collection[str] = knobs.get("kinds") or KINDS
    return ", ".join(name for kind, name in KIND_NAMES.items() if kind in wanted)


def _of_words_that_hurt(steps: Steps) -> str:
    told = _named(steps["generate"]) | _named(steps["grade"])
    rubrics = any(name in knobs for _, knobs in steps["grade"] for name in ("rubric", "rubrics"))
    if rubrics or told & {*PRINCIPLED}:
        return "Words that hurt were looked for only as far as the principles and rubrics in the recipe ask for it."
    return "Nothing looked for words that hurt."
