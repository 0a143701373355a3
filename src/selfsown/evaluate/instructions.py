"""Instruction following on held-out prompts: the share of likeliest answers that keep all their constraints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from selfsown.errors import DataError, RecipeError
from selfsown.models import Model, SamplingParams
from selfsown.records import Row, Score
from selfsown.stats.intervals import share
from selfsown.text.constraints.adherence import Adherence, adherence
from selfsown.text.constraints.constraint import CONSTRAINTS_KEY, Constraint, ConstraintError, read_constraints


def evaluate(model: Model, held_out: Sequence[Row]) -> Iterator[Score]:
    """instructions: answers that keep all constraints without gaming them, as grade.instructions decides.
    instructions[constraint]: those whose constraints other than length are all kept. instructions[length]: those whose
    limits of words are kept. instructions[honest]: those that game nothing. instructions[kind=…]: by kind, whether that
    constraint is kept, in all rows that have it. instructions[kind_seen=…]: all kept, apart for rows with a kind that
    is never learned from, where there are any. A reply that failed keeps nothing.

    Raises RecipeError where no held-out row has constraints, and DataError where they cannot be read.
    Source: IFEval (Zhou et al. 2023), section 2: strict accuracy by prompt, and by instruction.
    """
    rows = [row for row in held_out if row.prompt and CONSTRAINTS_KEY in row.metadata]
    if not rows:
        raise RecipeError(
            "evaluate.instructions: no held-out row has constraints; name real: instructions, or a column 'constraints'"
        )
    replies = model.complete([row.full_prompt for row in rows], SamplingParams(temperature=0.0))
    strata: dict[str, list[bool]] = defaultdict(list)
    seen = {row.metadata.get("kind_seen", "") for row in rows}
    for row, (reply,) in zip(rows, replies, strict=True):
        constraints = _constraints(row)
        answer = "" if reply.failure else reply.text
        result = adherence(constraints, answer, row.prompt, row.problem)
        for stratum, kept in _outcomes(constraints, result):
            strata[stratum].append(kept and not reply.failure)
        if len(seen) > 1:
            strata[f"kind_seen={row.metadata.get('kind_seen', 'none')}"].append(result.kept and not reply.failure)
    for stratum, hits in sorted(strata.items()):
        yield Score("instructions", sum(hits) / len(hits), len(hits), *share(sum(hits), len(hits)), stratum)


def _constraints(row: Row) -> list[Constraint]:
    try:
        return read_constraints(row.metadata[CONSTRAINTS_KEY])
    except ConstraintError as error:
        raise DataError(f"{row.source}: {error}") from error


def _outcomes(constraints: Sequence[Constraint], result: Adherence) -> Iterator[tuple[str, bool]]:
    """(stratum, whether it is kept) of one answer."""
    yield "", result.kept
    yield "honest", not result.gaming
    limits = {item.name for item in constraints if item.kind.counts_words}
    others = {item.name for item in constraints} - limits
    if limits:
        yield "length", not limits & result.violations.keys()
    if others:
        yield "constraint", not others & result.violations.keys()
    for item in constraints:
        yield f"kind={item.name}", item.name not in result.violations
