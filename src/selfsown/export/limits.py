"""The known limitations on a dataset's card: each sentence follows from the recipe and from what was counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from selfsown.export.card_counts import RowCounts
from selfsown.export.markdown import code
from selfsown.records import Json
from selfsown.text.personal_data import KIND_NAMES, KINDS

EVIDENCE_TEXT = {
    "oracle": "a known answer",
    "execution": "running them",
    "rule": "formal rules",
    "vote": "a majority of a model's own answers",
    "judge": "the judgement of another model",
    "self": "the judgement of the model that wrote them",
    "": "nothing: no step graded them",
}
DEDUP_METHODS = {"dedup", "dedup_prompts", "dedup_near"}  # curators that compare generated rows with each other
PRINCIPLE_METHODS = {"constitution", "refine"}
RUBRIC_OPTIONS = ("rubric", "rubrics")
STAGES = ("prepare", "generate", "grade", "curate")  # those that make or select rows
Step = tuple[str, Mapping[str, Json]]  # a method with its options


def limitations(
    recipe: Mapping[str, Json], counts: RowCounts, own_judge: str, held_out: int, licensed: bool
) -> Iterator[str]:
    """The sentences, the most important first.

    own_judge: a sentence if the judge grades its own output, otherwise "". held_out: number of held-out real rows.
    licensed: whether every other real row has a license.
    """
    steps = stage_steps(recipe)
    if counts.origins["synthetic"]:
        yield _about_models(steps["generate"])
    for evidence, rows in (+counts.evidence).most_common():
        kind = "self" if evidence == "judge" and own_judge.startswith("the judge") else evidence
        yield f"The grades of {rows:,} rows rest on {EVIDENCE_TEXT.get(kind, kind)}."
    if own_judge:
        yield f"{own_judge[0].upper()}{own_judge[1:]}."
    if not _methods(steps["curate"]) & DEDUP_METHODS:
        yield "Generated rows were not checked for duplicates."
    if held_out and "decontaminate" not in _methods(steps["curate"]):
        yield "Rows were not checked for overlap with the held-out rows."
    if not licensed:
        yield "Some real rows have no declared license. Check that you may use rows generated from them."
    if any(recipe.get(role) for role in ("teacher", "judge")):
        yield "The terms of use of the models may apply to everyone who uses their output."
    yield from _about_personal_data(steps)
    yield _about_offensive_text(steps)
    if custom := sorted({method for methods in steps.values() for method, _ in methods if "." in method}):
        yield f"This card does not know what {', '.join(code(Path(method).name) for method in custom)} checked."
    yield "Biases of the real rows or of the models may be in these rows too, possibly amplified."


def stage_steps(recipe: Mapping[str, Json]) -> dict[str, list[Step]]:
    """The steps of each stage that makes or selects rows."""
    return {stage: [parse_step(step) for step in recipe.get(stage) or []] for stage in STAGES}


def parse_step(step: object) -> Step:
    """A step of a recipe: a method name, or a method with its options."""
    if isinstance(step, dict) and step:
        method, options = next(iter(step.items()))
        return str(method), options if isinstance(options, dict) else {}
    return str(step), {}


def _methods(steps: Sequence[Step]) -> set[str]:
    return {method for method, _ in steps}


def _about_models(generators: Sequence[Step]) -> str:
    custom = any("." in method for method in _methods(generators))
    wrote = "" if custom else "Models wrote the synthetic rows. "
    return f"{wrote}Some are wrong, and no person has reviewed them."


def _about_personal_data(steps: Mapping[str, Sequence[Step]]) -> Iterator[str]:
    """Of the real rows, and of the generated ones."""
    generated = [options for method, options in steps["curate"] if method == "pii"]
    real = [options for method, options in steps["prepare"] if method == "pii"]
    if not generated and not real:
        yield "Rows were not checked for personal data."
        return
    for options in real:
        action = "was replaced in the real rows" if options.get("redact") else "led to removal of the real row"
        yield f"Personal data with a recognizable pattern {action}: {_kind_names(options)}."
    for options in generated:
        yield f"Generated rows with personal data of a recognizable pattern were rejected: {_kind_names(options)}."
    if not generated:
        yield "Generated rows were not checked for personal data."
    yield "Names and postal addresses have no recognizable pattern and were not checked."


def _kind_names(options: Mapping[str, Json]) -> str:
    kinds: Collection[str] = options.get("kinds") or KINDS
    return ", ".join(name for kind, name in KIND_NAMES.items() if kind in kinds)


def _about_offensive_text(steps: Mapping[str, Sequence[Step]]) -> str:
    methods = _methods(steps["generate"]) | _methods(steps["grade"])
    has_rubric = any(name in options for _, options in steps["grade"] for name in RUBRIC_OPTIONS)
    if has_rubric or methods & PRINCIPLE_METHODS:
        return "Offensive text was checked only as far as the principles and rubrics in the recipe require."
    return "Rows were not checked for offensive text."
