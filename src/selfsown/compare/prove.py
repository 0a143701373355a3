"""Tests whether synthetic rows help: the recipe against the same training on real rows alone, over seeds.

Both arms train for the same number of steps from the same real rows, without guards or rollback, and the last
generation of each is measured: nothing is chosen on the held-out rows that are reported. A gain must hold against the
best generation of real rows alone, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from selfsown.compare import file_proof, findings
from selfsown.compare.arms import score_directions
from selfsown.compare.columns import ColumnOptions
from selfsown.compare.experiment import Experiment, plan_experiment
from selfsown.compare.paired_test import MIN_SEEDS, kept_share, paired_difference, uplift, with_verdicts
from selfsown.compare.results import ArmResult, ComparisonResult, Control, Direction, Proof, Uplift
from selfsown.compare.tables import write_results
from selfsown.errors import ExitCode, RecipeError
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.scores import distance

SYNTHETIC_ARM, REAL_ARM, CONTROL_ARM = "graded", "real", "shuffled"
EXIT_CODES = {"better": ExitCode.OK, "worse": ExitCode.FAILED, "inconclusive": ExitCode.INCONCLUSIVE}


def plan_proof(source: str, changes: Sequence[str], seeds: int) -> Experiment:
    """The comparison for a proof; SelfsownError where it could not give a verdict."""
    _check_seeds(seeds)
    changes = [*changes, "guard=[]"]  # nothing is rolled back, so a guard would only take time
    experiment = plan_experiment(source, changes, [SYNTHETIC_ARM, REAL_ARM], seeds, [])
    if not experiment.recipe.generate:
        raise RecipeError(f"{experiment.recipe.name} generates no rows (generate is empty): no uplift to test")
    if experiment.recipe.grade:
        experiment = plan_experiment(source, changes, [SYNTHETIC_ARM, REAL_ARM, CONTROL_ARM], seeds, [])
    return replace(experiment, needs_direction=True)


def plan_file_proof(
    synthetic: str, real: str, columns: ColumnOptions, changes: Sequence[str], seeds: int
) -> Experiment:
    """The comparison for a proof of a file of synthetic rows; SelfsownError where it could not give a verdict."""
    _check_seeds(seeds)
    return file_proof.plan(synthetic, real, columns, changes, seeds)


def _check_seeds(seeds: int) -> None:
    if seeds < MIN_SEEDS:
        raise SelfsownError(f"--seeds is {seeds}; a verdict needs at least {MIN_SEEDS} seeds, better 5")


def prove(experiment: Experiment, folder: Path, result: ComparisonResult) -> ComparisonResult:
    """The comparison with its verdict (`result.proof`), which is also written to compare.json and table.md."""
    arms = {arm.name: arm for arm in result.arms}
    goal = experiment.recipe.goal
    ours = arms[experiment.reference]
    theirs = arms[REAL_ARM]
    generation_0 = RunFolder(experiment.runs(folder)[0].folder).generations()[0]
    directions = score_directions(goal, [score for score in generation_0.scores if score.key in ours.scores])
    name = goal.partition("[")[0]
    keys = [goal, *(key for key in directions if key != goal and key.partition("[")[0] == name)]
    uplifts = {key: uplift(ours.scores[key], theirs.scores[key], cast(Direction, directions[key])) for key in keys}
    gap = _with_verdicts({goal: uplifts.pop(goal)}, ours)[goal]
    control = arms.get(CONTROL_ARM)
    proof = Proof(
        goal=goal,
        seeds=len(experiment.seeds),
        verdict=gap.verdict,
        difference=gap,
        strata=_with_verdicts(uplifts, ours),
        control=_control(ours, control, goal, gap.direction) if control else None,
        headline=findings.headline(_subject(experiment), gap, ours),
        sentences=[],
    )
    sentences = findings.proof_sentences(
        proof,
        ours,
        theirs,
        control,
        stops_early=experiment.recipe.stops_early,
        early_stopped=result.early_stopped,
    )
    if experiment.files:
        sentences += file_proof.sentences(experiment, folder)
    proof = replace(proof, sentences=sentences)
    result = replace(result, proof=proof)
    write_results(result, folder)
    return result


def _subject(experiment: Experiment) -> str:
    """What the synthetic rows help, or do not."""
    if not experiment.files:
        return f"the recipe {experiment.recipe.name!r}"
    return f"a model trained on {experiment.files[1]}"


def _control(ours: ArmResult, control: ArmResult, goal: str, direction: Direction) -> Control:
    gap = paired_difference(
        *([distance(value, direction) for value in arm.scores[goal].last] for arm in (ours, control))
    )
    return Control(gap.mean, gap.low, gap.high, gap.std, gap.p_value, direction)


def _with_verdicts(uplifts: Mapping[str, Uplift], arm: ArmResult) -> dict[str, Uplift]:
    """Each with its verdict; inconclusive where no synthetic row was kept, which then cannot be the cause."""
    verdicts = with_verdicts(uplifts)
    if kept_share(arm) == "none":
        return {key: replace(gap, verdict="inconclusive") for key, gap in verdicts.items()}
    return verdicts
