"""A comparison's folder as one value: compare.json, and the courses of the runs that it sums up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from selfsown.html import run_data
from selfsown.html.formatting import Outcome
from selfsown.records import Generation
from selfsown.run_folder import RunFolder


@dataclass(frozen=True)
class Comparison:
    """What compare.json says, and the generations of each arm and seed whose run is still there."""

    found: Mapping[str, Any]
    courses: Mapping[str, Mapping[int, Sequence[Generation]]]

    @property
    def goal(self) -> str:
        return str(self.found["goal"])

    @property
    def reference(self) -> str:
        return str(self.found["reference"])

    @property
    def arms(self) -> Sequence[Mapping[str, Any]]:
        """Those to be compared: plain training on more real rows is another question."""
        sizes = (self.found.get("efficiency") or {}).get("rows", {})
        return [arm for arm in self.found["arms"] if arm["name"] not in sizes]

    @cached_property
    def lower(self) -> frozenset[str]:
        """The scores of which less is better."""
        every = [g for seeds in self.courses.values() for history in seeds.values() for g in history]
        return frozenset(score.key for generation in every for score in generation.scores if score.direction == "lower")

    def outcome(self, arm: Mapping[str, Any]) -> Outcome:
        """The reference against this arm: better or worse only where the paired interval leaves out zero."""
        gap = arm["scores"][self.goal]["difference"]
        if not gap or gap["low"] in (None, gap["high"]) or gap["low"] <= 0 <= gap["high"]:
            return "no proof"
        return "better" if (gap["low"] > 0) != (self.goal in self.lower) else "worse"


def comparison(folder: Path) -> Comparison:
    found = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    return Comparison(found, _courses(folder, found))


def _courses(folder: Path, found: Mapping[str, Any]) -> dict[str, dict[int, list[Generation]]]:
    runs = {
        arm["name"]: {seed: folder / arm["folder"] / f"seed-{seed}" for seed in found["seeds"]} for arm in found["arms"]
    }
    return {
        name: {seed: run_data.generations(RunFolder(at)) for seed, at in seeds.items() if (at / "recipe.yaml").exists()}
        for name, seeds in runs.items()
    }
