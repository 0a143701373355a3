"""The constraints of one row: read from JSON, written as JSON, drawn at random, and checked together."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from selfsown.text.constraints.kind import Kind, Parameters
from selfsown.text.constraints.kinds import kind_named, kind_names

CONSTRAINTS_KEY = "constraints"  # the metadata, or the column, that holds a row's constraints as JSON


class ConstraintError(ValueError):
    """Constraints that cannot be read."""


@dataclass(frozen=True)
class Constraint:
    """A kind with its parameters."""

    kind: Kind
    parameters: Parameters

    @property
    def name(self) -> str:
        return self.kind.name

    def violation(self, answer: str) -> str:
        """Why the answer does not keep it; "" where it does."""
        return self.kind.check(answer, self.parameters)

    def plain(self) -> dict[str, Any]:
        """As JSON has it: {"kind": "bullets", "count": 3}."""
        return {"kind": self.name, **self.parameters}

    def sentences(self) -> list[str]:
        """The sentences that pose it, one for each wording."""
        return self.kind.sentences(self.parameters)


def constraint(values: Mapping[str, Any]) -> Constraint:
    """The constraint that a mapping states. ConstraintError where it has no such kind, or other parameters."""
    name = values.get("kind")
    kind = kind_named(name) if isinstance(name, str) else None
    if not kind:
        near = get_close_matches(str(name), kind_names(), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"available: {', '.join(kind_names())}"
        raise ConstraintError(f"there is no kind of constraint {name!r}; {hint}")
    parameters = {key: value for key, value in values.items() if key != "kind"}
    if parameters.keys() != kind.parameters.keys():
        expected = ", ".join(kind.parameters) or "no parameters"
        raise ConstraintError(f"the constraint {name} takes {expected}, not {', '.join(parameters) or 'none'}")
    for key, kind_of_value in kind.parameters.items():
        if not _fits(parameters[key], kind_of_value):
            raise ConstraintError(
                f"the constraint {name} has {key}: {parameters[key]!r}; it must be {_TYPES[kind_of_value]}"
            )
    return Constraint(kind, parameters)


_TYPES = {int: "a whole number of 1 or more", str: "a text", list: "a list of texts"}


def _fits(value: Any, expected: type) -> bool:
    if expected is int:
        return type(value) is int and value >= 1
    if expected is str:
        return isinstance(value, str) and bool(value.strip())
    return isinstance(value, list) and bool(value) and all(_fits(item, str) for item in value)


def read_constraints(text: str) -> list[Constraint]:
    """The constraints in a text of JSON: a list of mappings, or one. ConstraintError where it is something else."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConstraintError(f"constraints are not valid JSON ({error}): {text[:60]!r}") from error
    entries = [values] if isinstance(values, dict) else values
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        example = '[{"kind": "bullets", "count": 3}]'
        raise ConstraintError(f"constraints must be a list such as {example}, not {text[:60]!r}")
    return [constraint(entry) for entry in entries]


def write_constraints(constraints: Iterable[Constraint]) -> str:
    """As JSON, which `read_constraints` reads."""
    return json.dumps([item.plain() for item in constraints], ensure_ascii=False)


def violations(constraints: Iterable[Constraint], answer: str) -> dict[str, str]:
    """The constraints that the answer does not keep, by name, each with the reason."""
    reasons = ((item.name, item.violation(answer)) for item in constraints)
    return {name: reason for name, reason in reasons if reason}


def draw_constraint(kind: Kind, rng: random.Random, instruction: str) -> Constraint | None:
    """The kind with drawn parameters; None where it does not suit the instruction."""
    parameters = kind.draw(rng, instruction)
    return None if parameters is None else Constraint(kind, parameters)


def draw_constraints(
    first: Kind, kinds: Sequence[Kind], count: int, rng: random.Random, instruction: str
) -> list[Constraint]:
    """The first kind, or another that suits the instruction, and others that fit with it: `count` in all, fewer where
    no more fit."""
    drawn = list[Constraint]()
    for kind in [first, *rng.sample(list(kinds), len(kinds))]:
        if len(drawn) == count:
            break
        if all(kind.fits_with(item.kind) for item in drawn) and (new := draw_constraint(kind, rng, instruction)):
            drawn.append(new)
    return drawn
