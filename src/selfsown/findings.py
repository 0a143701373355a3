"""What a run may claim, in sentences: how the goal changed, and whether the synthetic rows can be credited with it.

A change alone credits nothing: more training on the real rows may have done as much. A control, real rows alone for as
many training steps, tells the two apart in one run; whether it holds for other seeds is a matter for `selfsown prove`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selfsown.history import best_of, last_accepted, learned_from_synthetic, trainings
from selfsown.records import Generation, Score

Direction = Literal["better", "worse", "unclear"]
Effect = Literal["better", "worse", "unclear", "no control", "no synthetic rows"]


def compared(before: Score, after: Score) -> Direction:
    """Better or worse only where the two 95 % intervals do not overlap."""
    if before.better == "neither" or (after.low <= before.high and before.low <= after.high):
        return "unclear"
    return "better" if after.exceeds(before) else "worse"


def with_interval(score: Score) -> str:
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


@dataclass(frozen=True)
class Findings:
    """history: at least generation 0; control: its generations, from the same generation 0 on, or none; goal: the key
    of a score; start: what each training begins with, as in the recipe."""

    history: Sequence[Generation]
    control: Sequence[Generation]
    goal: str
    start: str

    @property
    def best(self) -> Generation:
        return best_of(self.history, self.goal)

    @property
    def reported(self) -> Generation:
        """The best generation; where that is generation 0, the last accepted one."""
        return self.best if self.best.number else last_accepted(self.history)

    @property
    def first(self) -> Score:
        return self._score(self.history[0])

    @property
    def change(self) -> Direction:
        return compared(self.first, self._score(self.reported))

    @property
    def equal_control(self) -> Generation | None:
        """The control after as many trainings as the reported generation; None where there is none."""
        number = trainings(self.history, self.reported, self.start)
        return self.control[number] if 0 < number < len(self.control) else None

    @property
    def effect(self) -> Effect:
        """What the synthetic rows did, against the control at equal steps and against the control's own best."""
        if not learned_from_synthetic(self.history, self.reported):
            return "no synthetic rows"
        if not self.equal_control:
            return "no control"
        after = self._score(self.reported)
        beside = {compared(self._score(each), after) for each in (self.equal_control, self._best_control)}
        if beside == {"better"}:
            return "better"
        return "worse" if "worse" in beside else "unclear"

    def headline(self) -> str:
        """One sentence, without a verdict that the run cannot give."""
        if not any(each.stands for each in self.history[1:]):
            return "Every generation was rolled back."
        if self.effect == "no synthetic rows":
            return "No synthetic row was learned from."
        name = self.goal.partition("[")[0]
        if self.change == "unclear":
            return f"No change of {name} beyond noise."
        after = self._score(self.reported)
        moved = "rose" if after.value > self.first.value else "fell"
        said = f"{name[:1].upper()}{name[1:]} {moved} from {self.first.value:.3f} to {after.value:.3f}"
        if not self.equal_control:
            return f"{said}, without a control."
        return f"{said}; real rows alone: {self._score(self.equal_control).value:.3f}."

    def sentences(self) -> list[str]:
        """The change, and what it can be credited to."""
        return [self._change(), *self._credit()] if len(self.history) > 1 else [self._change()]

    def _change(self) -> str:
        said = f"{self.goal}, on {self.first.n:,} test rows: {with_interval(self.first)} from real rows alone"
        if len(self.history) == 1:
            return f"{said}."
        shown = self.reported
        if not shown.number:
            return f"{said}. No later generation was accepted."
        after = with_interval(self._score(shown))
        if self.best.number:
            return f"{said}, {after} in generation {shown.number}, which the validation rows chose."
        return (
            f"{said}, {after} in the last accepted generation, {shown.number}. None did better on the validation rows "
            "than generation 0, whose model is kept."
        )

    def _credit(self) -> list[str]:
        control = self.equal_control
        if self.effect == "no synthetic rows":
            return ["No synthetic row was learned from: a change is that of more training on real rows."]
        if not control:
            return [
                "There is no control: more training on the real rows alone may have done as much. Whether the "
                "synthetic rows help: selfsown prove RECIPE"
            ]
        said = f"Control, real rows alone for as many training steps: {with_interval(self._score(control))}"
        if self._best_control is not control:
            said += f", and {with_interval(self._score(self._best_control))} at its best"
        found = {
            "better": "The intervals do not overlap: in this run the synthetic rows helped",
            "worse": "It did better: in this run the synthetic rows did harm",
        }.get(self.effect, "The intervals overlap: this run does not show that the synthetic rows helped")
        return [f"{said}. {found}; over several seeds: selfsown prove RECIPE"]

    @property
    def _best_control(self) -> Generation:
        return best_of(self.control[1:], self.goal)

    def _score(self, generation: Generation) -> Score:
        score = generation.score(self.goal)
        assert score, "a generation without its goal is rolled back, and no run begins without it"
        return score
