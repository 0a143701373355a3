"""Whether an answer keeps all constraints of its request, and honestly: what graders, tasks and measures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfsown.text.constraints.constraint import Constraint, violations
from selfsown.text.constraints.own_words import gaming


@dataclass(frozen=True)
class Adherence:
    """violations: the constraints that are not kept, by name, with the reasons. gaming: why the answer only games
    them; "" where it does not."""

    violations: Mapping[str, str]
    gaming: str

    @property
    def kept(self) -> bool:
        """Whether all constraints are kept, without gaming."""
        return not self.violations and not self.gaming

    @property
    def reason(self) -> str:
        """What failed, and why; what was kept, in a word, where nothing failed."""
        reasons = [f"{name}: {reason}" for name, reason in self.violations.items()]
        return "; ".join([*reasons, *([f"gamed: {self.gaming}"] if self.gaming else [])]) or "keeps its constraints"


def adherence(
    constraints: Sequence[Constraint], answer: str, prompt: str, instruction: str = "", shown: Sequence[str] = ()
) -> Adherence:
    """Check an answer. prompt: the whole request. instruction: the request without its constraints, if known. shown:
    answers of demonstrations, which must not be copied."""
    return Adherence(violations(constraints, answer), gaming(constraints, answer, prompt, instruction, shown))
