"""A comparison's folder as one value: compare.json, and the generations of the runs behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from selfsown.compare.results import ArmResult, ComparisonResult, ProofVerdict
from selfsown.html import run_data
from selfsown.html.damage import damaged_if_unreadable
from selfsown.html.task_examples import TaskExample, task_example
from selfsown.records import Generation
from selfsown.run_folder import RunFolder
from selfsown.scores import Direction, less_is_better

Histories = Mapping[int, Sequence[Generation]]  # by seed


@dataclass(frozen=True)
class ComparisonData:
    """compare.json, per arm and seed the generations of each run that still exists, and the words of its task."""

    result: ComparisonResult
    histories: Mapping[str, Histories]
    task: TaskExample = field(default_factory=TaskExample)

    def score_name(self, key: str) -> str:
        """The score in words: its stratum as the task names it."""
        return self.task.score_name(key)

    def in_words(self, sentence: str) -> str:
        """A sentence of compare.json with each score's key in words."""
        keys = {key for arm in self.result.arms for key in arm.scores if "[" in key}
        for key in sorted(keys, key=len, reverse=True):
            sentence = sentence.replace(key, self.score_name(key))
        return sentence

    @property
    def goal(self) -> str:
        return self.result.goal

    @property
    def reference(self) -> str:
        return self.result.reference

    @property
    def arms(self) -> list[ArmResult]:
        """The arms to be compared, without those of plain training on more real rows, which answer another question."""
        sizes = self.result.data_efficiency.rows if self.result.data_efficiency else {}
        return [arm for arm in self.result.arms if arm.name not in sizes]

    @cached_property
    def direction(self) -> Direction:
        """Which values of the goal are better."""
        scores = (
            score
            for by_seed in self.histories.values()
            for history in by_seed.values()
            for generation in history
            if (score := generation.score(self.goal))
        )
        return next((score.direction for score in scores), "higher")

    def outcome(self, arm: ArmResult) -> ProofVerdict:
        """The reference against this arm: better or worse only where the paired interval excludes zero."""
        gap = arm.scores[self.goal].difference
        if not gap or gap.low is None or gap.high is None or gap.low == gap.high or gap.low <= 0 <= gap.high:
            return "inconclusive"
        return "better" if (gap.low > 0) != less_is_better(self.direction) else "worse"


def load_comparison(folder: Path) -> ComparisonData:
    """Raises SelfsownError where a file of the folder is damaged."""
    with damaged_if_unreadable(folder / "compare.json"):
        result = ComparisonResult.read(folder / "compare.json")
    histories = {arm.name: _load_histories(folder / arm.folder, result.seeds) for arm in result.arms}
    return ComparisonData(result, histories, _task(folder, result))


def _task(folder: Path, result: ComparisonResult) -> TaskExample:
    """The task of the first run that still exists."""
    for arm in result.arms:
        for seed in result.seeds:
            path = folder / arm.folder / f"seed-{seed}" / "recipe.yaml"
            if path.exists():
                with damaged_if_unreadable(path):
                    return task_example(RunFolder(path.parent).recipe())
    return TaskExample()


def _load_histories(folder: Path, seeds: Sequence[int]) -> dict[int, list[Generation]]:
    runs = {seed: folder / f"seed-{seed}" for seed in seeds}
    existing = {seed: run for seed, run in runs.items() if (run / "recipe.yaml").exists()}
    return {seed: run_data.load_generations(RunFolder(run)) for seed, run in existing.items()}
