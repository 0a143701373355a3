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


def overlap(one: Score, other: Score) -> bool:
    """Whether the two 95 % intervals do."""
    return one.low <= other.high and other.low <= one.high


def compared(before: Score, after: Score) -> Direction:
    """Better or worse only where the two 95 % intervals do not overlap."""
    if before.direction == "neither" or overlap(before, after):
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
    def validated(self) -> bool:
        """Whether other rows than those reported chose the best generation, as in all but folders of old versions."""
        return bool(self.history[0].validation_scores)

    @property
    def learned(self) -> bool:
        """Whether any accepted generation, the best or a later one, has learned from synthetic rows."""
        return learned_from_synthetic(self.history, last_accepted(self.history))

    @property
    def change(self) -> Direction:
        return compared(self.first, self._score(self.reported))

    @property
    def equal_control(self) -> Generation | None:
        """The control after as many trainings as the reported generation; None where there is none, or where the
        reported generation was chosen by the rows that are reported, which favours it."""
        wanted = trainings(self.history, self.reported, self.start)
        after = (each for each in self._accepted_control if trainings(self.control, each, self.start) == wanted)
        return next(after, None) if self.validated else None

    @property
    def effect(self) -> Effect:
        """What the synthetic rows did, against the control at equal steps.

        Better must hold against the control's own best, too: rows that only slow down overfitting are no help.
        """
        if not learned_from_synthetic(self.history, self.reported):
            return "no synthetic rows"
        if not self.equal_control:
            return "no control"
        after = self._score(self.reported)
        equal, best = (compared(self._score(each), after) for each in (self.equal_control, self._best_control))
        return "unclear" if equal == "better" != best else equal

    def headline(self) -> str:
        """One sentence, without a verdict that the run cannot give."""
        if not any(each.accepted for each in self.history[1:]):
            return "Every generation was rolled back."
        if self.effect == "no synthetic rows":
            return f"{self._unlearned}."
        name = self.goal.partition("[")[0]
        after = self._score(self.reported)
        if overlap(self.first, after):
            return f"No change of {name} beyond noise."
        moved = "rose" if after.value > self.first.value else "fell"
        said = f"{name[:1].upper()}{name[1:]} {moved} from {self.first.value:.3f} to {after.value:.3f}"
        if not self.equal_control:
            return f"{said}, without a control."
        return f"{said}; real rows alone: {self._score(self.equal_control).value:.3f}."

    def sentences(self) -> list[str]:
        """The change, and what it can be credited to."""
        return [self._change(), *self._credit()] if self.reported.number else [self._change()]

    def _change(self) -> str:
        rows = "test rows" if self.validated else "held-out real rows"
        said = f"{self.goal}, on {self.first.n:,} {rows}: {with_interval(self.first)} from real rows alone"
        if len(self.history) == 1:
            return f"{said}."
        shown = self.reported
        if not shown.number:
            return f"{said}. No later generation was accepted: the model of generation 0 is kept."
        after = with_interval(self._score(shown))
        deciding = "the validation rows" if self.validated else "the same rows"
        if self.best.number:
            return f"{said}, {after} in generation {shown.number}, which {deciding} chose."
        return (
            f"{said}, {after} in the last accepted generation, {shown.number}. None did better on {deciding} than "
            "generation 0, whose model is kept."
        )

    def _credit(self) -> list[str]:
        control = self.equal_control
        if self.effect == "no synthetic rows":
            return [f"{self._unlearned}: a change is that of more training on real rows."]
        if not control:
            return [
                "There is no control of as many training steps: more training on the real rows alone may have done as "
                "much. Whether the synthetic rows help: selfsown prove RECIPE"
            ]
        said = f"Control, real rows alone for as many training steps: {with_interval(self._score(control))}"
        if self._best_control is not control:
            said += f", and {with_interval(self._score(self._best_control))} at its best"
        return [f"{said}. {self._found(self._score(control))}; over several seeds: selfsown prove RECIPE"]

    def _found(self, control: Score) -> str:
        """What the control shows of the synthetic rows."""
        after, nothing = self._score(self.reported), "this run does not show that the synthetic rows helped"
        if self.effect == "better":
            return "The intervals do not overlap: in this run the synthetic rows helped"
        if self.effect == "worse":
            return "It did better: in this run the synthetic rows did harm"
        if overlap(control, after):
            return f"The intervals overlap: {nothing}"
        if control.direction == "neither":
            return f"The intervals do not overlap, but neither more nor less of it is better: {nothing}"
        alone = "better" if compared(after, self._score(self._best_control)) == "better" else "as well"
        return f"Real rows alone, stopped earlier, did {alone}: {nothing}"

    @property
    def _unlearned(self) -> str:
        if self.learned:
            return f"Generation {self.reported.number}, the best, had learned from no synthetic row"
        return "No synthetic row was learned from"

    @property
    def _accepted_control(self) -> list[Generation]:
        """Those whose training did not go astray, which alone have a score."""
        return [each for each in self.control[1:] if each.accepted]

    @property
    def _best_control(self) -> Generation:
        return best_of(self._accepted_control, self.goal)

    def _score(self, generation: Generation) -> Score:
        score = generation.score(self.goal)
        assert score, "a generation without its goal is rolled back, and no run begins without it"
        return score
