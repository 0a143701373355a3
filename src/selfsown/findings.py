"""What a run supports, in sentences: how the goal changed, and whether the synthetic rows explain the change.

A change alone is no evidence for the synthetic rows, since more training on the real rows may have the same effect. A
control, trained on real rows alone for as many steps, or as often with the same early stopping, separates the two
within one run; `selfsown prove` does so over several seeds.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selfsown.history import best_of, last_accepted, learned_from_synthetic, trainings
from selfsown.records import Generation, Score

Direction = Literal["better", "worse", "unclear"]
Effect = Literal["better", "worse", "unclear", "no control", "no synthetic rows"]


def overlap(one: Score, other: Score) -> bool:
    """Whether the 95 % intervals of the two scores overlap."""
    return one.low <= other.high and other.low <= one.high


def compare_scores(before: Score, after: Score) -> Direction:
    """Better or worse only if the two 95 % intervals do not overlap; otherwise unclear."""
    if before.direction == "neither" or overlap(before.comparable(), after.comparable()):
        return "unclear"
    return "better" if after.exceeds(before) else "worse"


def with_interval(score: Score) -> str:
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def equal_training(stops_early: bool) -> str:
    """How the control's training equals that of the run."""
    return "in as many trainings with the same early stopping" if stops_early else "for as many training steps"


@dataclass(frozen=True)
class Findings:
    """The findings of one run.

    history: its generations, at least generation 0. control: the generations of the control, from the same generation 0
    on; may be empty. goal: the key of a score. start: the recipe's `init_from`, previous or base. stops_early: rows set
    aside ended each training, those of the control too, so that it took as many trainings but not as many steps.
    folder: of the run, as a command takes it.
    """

    history: Sequence[Generation]
    control: Sequence[Generation]
    goal: str
    start: str
    stops_early: bool
    folder: str

    @property
    def proof(self) -> str:
        """The command that proves the run's recipe over several seeds."""
        return f"selfsown prove {shlex.quote(f'{self.folder}/recipe.yaml')}"

    @property
    def best(self) -> Generation:
        return best_of(self.history, self.goal)

    @property
    def reported(self) -> Generation:
        """The best generation, or the last accepted one if generation 0 is the best."""
        return self.best if self.best.number else last_accepted(self.history)

    @property
    def first(self) -> Score:
        return self._score(self.history[0])

    @property
    def pretrained(self) -> Score | None:
        """The score of a pretrained student as it came, before any training; None for a student that came untrained."""
        return next((score for score in self.history[0].pretrained_scores if score.key == self.goal), None)

    @property
    def untrained(self) -> bool:
        """Whether generation 0 is a pretrained student as it came."""
        return self.pretrained == self.first

    @property
    def validated(self) -> bool:
        """Whether validation rows chose the best generation; folders of early versions have test rows only."""
        return bool(self.history[0].validation_scores)

    @property
    def learned(self) -> bool:
        """Whether any accepted generation was trained on synthetic rows."""
        return learned_from_synthetic(self.history, last_accepted(self.history))

    @property
    def change(self) -> Direction:
        return compare_scores(self.first, self._score(self.reported))

    @property
    def equal_control(self) -> Generation | None:
        """The control after as many trainings as the reported generation.

        None without one, or if the reported generation was chosen by the rows it is reported on, which favours it.
        """
        count = trainings(self.history, self.reported, self.start)
        equal = (
            generation
            for generation in self._accepted_control
            if trainings(self.control, generation, self.start) == count
        )
        return next(equal, None) if self.validated else None

    @property
    def effect(self) -> Effect:
        """The effect of the synthetic rows against the control at equal training steps.

        "better" must hold against the control's best generation, too: rows that only delay overfitting do not help.
        """
        if not learned_from_synthetic(self.history, self.reported):
            return "no synthetic rows"
        if not self.equal_control:
            return "no control"
        after = self._score(self.reported)
        equal = compare_scores(self._score(self.equal_control), after)
        best = compare_scores(self._score(self._best_control), after)
        return "unclear" if equal == "better" != best else equal

    def headline(self) -> str:
        """One sentence that claims no more than the run supports."""
        if not any(generation.accepted for generation in self.history[1:]):
            return "Every generation was rolled back."
        if self.effect == "no synthetic rows":
            return f"{self._no_synthetic_rows}."
        name = self.goal.partition("[")[0]
        after = self._score(self.reported)
        if overlap(self.first, after):
            return f"No change of {name} beyond noise."
        moved = "rose" if after.value > self.first.value else "fell"
        change = f"{name[:1].upper()}{name[1:]} {moved} from {self.first.value:.3f} to {after.value:.3f}"
        if not self.equal_control:
            return f"{change}, without a control."
        return f"{change}; real rows alone: {self._score(self.equal_control).value:.3f}."

    def sentences(self) -> list[str]:
        """The change of the goal, and what can explain it."""
        return [self._change(), *self._credit()] if self.reported.number else [self._change()]

    def _change(self) -> str:
        rows = "test rows" if self.validated else "held-out real rows"
        before = f"{self.goal}, on {self.first.n:,} {rows}: {self._start()}"
        if len(self.history) == 1:
            return f"{before}."
        reported = self.reported
        if not reported.number:
            return f"{before}. No later generation was accepted: the model of generation 0 is kept."
        after = with_interval(self._score(reported))
        deciding = "the validation rows" if self.validated else "the same rows"
        if self.best.number:
            return f"{before}, {after} in generation {reported.number}, which {deciding} chose."
        return (
            f"{before}, {after} in the last accepted generation, {reported.number}. None scored better on {deciding} "
            "than generation 0, whose model is kept."
        )

    def _start(self) -> str:
        """Generation 0's score and where it is from; before it, that of a pretrained student as it came."""
        first, came = with_interval(self.first), self.pretrained
        if self.untrained:
            return f"{first} as the model came"
        if not came:
            return f"{first} from real rows alone"
        return f"{with_interval(came)} as the model came, {first} from real rows alone"

    def _credit(self) -> list[str]:
        control = self.equal_control
        if self.effect == "no synthetic rows":
            return [f"{self._no_synthetic_rows}: any change comes from more training on real rows."]
        if not control:
            return [
                f"No control was trained {equal_training(self.stops_early).replace('training steps', 'steps')}: more "
                "training on the real rows alone may have had the same effect. To test whether the synthetic rows "
                f"help: {self.proof}"
            ]
        scores = f"Control, real rows alone {equal_training(self.stops_early)}: {with_interval(self._score(control))}"
        if self._best_control is not control:
            scores += f", and {with_interval(self._score(self._best_control))} at its best"
        return [f"{scores}. {self._conclusion(self._score(control))}; over several seeds: {self.proof}"]

    def _conclusion(self, control: Score) -> str:
        """What the control shows about the synthetic rows."""
        after = self._score(self.reported)
        nothing = "this run does not show that the synthetic rows helped"
        if self.effect == "better":
            return "The intervals do not overlap: in this run the synthetic rows helped"
        if self.effect == "worse":
            return "The control scored better: in this run the synthetic rows did harm"
        if overlap(control, after):
            return f"The intervals overlap: {nothing}"
        if control.direction == "neither":
            return f"The intervals do not overlap, but {self.goal} has no better direction: {nothing}"
        alone = "better" if compare_scores(after, self._score(self._best_control)) == "better" else "as well"
        return f"Real rows alone, stopped earlier, did {alone}: {nothing}"

    @property
    def _no_synthetic_rows(self) -> str:
        if self.learned:
            return f"Generation {self.reported.number}, the best, was trained on no synthetic rows"
        return "No model was trained on synthetic rows"

    @property
    def _accepted_control(self) -> list[Generation]:
        """The control's generations whose training did not diverge: only these have a score."""
        return [generation for generation in self.control[1:] if generation.accepted]

    @property
    def _best_control(self) -> Generation:
        return best_of(self._accepted_control, self.goal)

    def _score(self, generation: Generation) -> Score:
        score = generation.score(self.goal)
        assert score, "a generation without its goal is rolled back, and no run begins without it"
        return score
