"""The results of a comparison, computed from its run folders: scores of each arm, and differences to the reference."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfsown.compare import findings
from selfsown.compare.child_processes import ArmRun
from selfsown.compare.data_efficiency import measure_efficiency
from selfsown.compare.experiment import Experiment
from selfsown.compare.results import ArmResult, ComparisonResult, Estimate, GuardAlarms, ScoreSummary
from selfsown.history import best_of, last_accepted
from selfsown.records import Generation
from selfsown.run_folder import RunFolder
from selfsown.scores import Direction, distance, less_is_better
from selfsown.stats.intervals import student
from selfsown.usage.ledger import recipe_prices, total, usage_entries

History = Sequence[Generation]


def analyze(experiment: Experiment, runs: Sequence[ArmRun], prices: dict[str, float]) -> ComparisonResult:
    """Everything in compare.json, from finished runs."""
    histories = {(run.arm, run.seed): RunFolder(run.folder).generations() for run in runs}
    by_arm = {arm.name: [histories[arm.name, seed] for seed in experiment.seeds] for arm in experiment.arms}
    keys = _common_scores(list(histories.values()))
    scores = {
        name: {
            key: _summary(arm_histories, by_arm[experiment.reference], key, early_stopped=bool(experiment.files))
            for key in keys
        }
        for name, arm_histories in by_arm.items()
    }
    arms = [_arm(experiment, index, runs, by_arm, scores) for index in range(len(experiment.arms))]
    recipe = experiment.recipe
    lower = less_is_better(_direction(by_arm[experiment.reference], recipe.goal))
    sentences = [
        findings.difference(f"{experiment.reference} − {arm.name}", gap, len(experiment.seeds), lower)
        for arm in arms
        if (gap := arm.scores[recipe.goal].difference)
    ]
    efficiency = None
    if experiment.multiples:
        efficiency = measure_efficiency(experiment, {arm.name: arm for arm in arms}, by_arm, prices)
    return ComparisonResult(
        recipe=recipe.name,
        description=recipe.description,
        goal=recipe.goal,
        seeds=experiment.seeds,
        reference=experiment.reference,
        arms=arms,
        sentences=sentences,
        data_efficiency=efficiency,
        early_stopped=bool(experiment.files),
    )


def _arm(
    experiment: Experiment,
    index: int,
    runs: Sequence[ArmRun],
    by_arm: Mapping[str, Sequence[History]],
    scores: Mapping[str, dict[str, ScoreSummary]],
) -> ArmResult:
    arm = experiment.arms[index]
    histories = by_arm[arm.name]
    arm_runs = [run for run in runs if run.arm == arm.name]
    costs = [run.cost() for run in arm_runs]
    return ArmResult(
        name=arm.name,
        description=arm.description,
        changes=list(arm.changes),
        folder=arm.folder,
        cpu_seconds=[cost.cpu_seconds for cost in costs],
        wall_seconds=[cost.wall_seconds for cost in costs],
        unmetered=[cost.unmetered for cost in costs],
        model_usd=[_model_usd(run) for run in arm_runs],
        made=[_total(history, "made") for history in histories],
        kept=[_total(history, "kept") for history in histories],
        scores=scores[arm.name],
        guards=_guard_alarms(experiment.seeds, histories),
    )


def _model_usd(run: ArmRun) -> float | None:
    """US dollars for models behind servers; None where their price is not known."""
    recipe = RunFolder(run.folder).recipe()
    return total(usage_entries(run.folder / "replies.sqlite", recipe_prices(recipe))).usd


def _total(history: History, status: str) -> int:
    return sum(generation.counts.get(status, 0) for generation in history)


def _common_scores(histories: Sequence[History]) -> list[str]:
    """The scores that were measured in the first and in the last generation of every run."""
    ends = [generation for history in histories for generation in (history[0], last_accepted(history))]
    return [score.key for score in ends[0].scores if all(generation.score(score.key) for generation in ends)]


def _pooled(generation: Generation, key: str) -> float:
    """Over all held-out rows: no arm is rolled back and its last generation is compared, so no row has chosen."""
    value = generation.pooled(key)
    assert value is not None
    return value


def _direction(histories: Sequence[History], key: str) -> Direction:
    score = histories[0][0].score(key)
    return score.direction if score else "higher"


def _best(history: History, key: str) -> float:
    """The score with early stopping.

    Each half of the held-out rows chooses the generation that the other half measures, so that the choice does not
    flatter the score.
    """
    swapped = [
        replace(generation, scores=generation.validation_scores, validation_scores=generation.scores)
        for generation in history
    ]
    scores = [score for side in (history, swapped) if (score := best_of(side, key).score(key))]
    return sum(score.n * score.value for score in scores) / sum(score.n for score in scores)


def _summary(
    histories: Sequence[History], reference: Sequence[History], key: str, *, early_stopped: bool = False
) -> ScoreSummary:
    """One score of an arm; the difference is the reference's score minus this arm's, seed by seed.

    Of a score whose target is 1, it is the difference of the distances to 1.
    """

    def measured(history: History) -> float:
        return _best(history, key) if early_stopped else _pooled(last_accepted(history), key)

    last = [measured(history) for history in histories]
    difference = None
    if reference is not histories:
        direction = _direction(reference, key)
        by_arm = (
            [distance(value, direction) for value in values] for values in (last, [measured(h) for h in reference])
        )
        difference = _estimate([theirs - ours for ours, theirs in zip(*by_arm, strict=True)])
    mean = _estimate(last)
    return ScoreSummary(
        mean=mean.mean,
        low=mean.low,
        high=mean.high,
        first=[_pooled(history[0], key) for history in histories],
        last=last,
        best=[_best(history, key) for history in histories],
        difference=difference,
    )


def _estimate(values: Sequence[float]) -> Estimate:
    low, high = student(values) if len(values) > 1 else (None, None)
    return Estimate(statistics.fmean(values), low, high)


def _guard_alarms(seeds: Sequence[int], histories: Sequence[History]) -> list[GuardAlarms]:
    """Which guards triggered, in which generations of which seed."""
    alarms = []
    for seed, history in zip(seeds, histories, strict=True):
        triggered = [(verdict.guard, generation.number) for generation in history for verdict in generation.rejections]
        for guard in dict.fromkeys(name for name, _ in triggered):
            numbers = dict.fromkeys(number for name, number in triggered if name == guard)
            alarms.append(GuardAlarms(seed, guard, list(numbers)))
    return alarms
