"""Attack one grader on rows with known answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from selfsown.attack.probes import RIGHT, WRONG
from selfsown.attack.probes.probe import Make, Probe
from selfsown.attack.probes.right_answers import ALONE, NOTATIONS
from selfsown.attack.problem import Problem, problems
from selfsown.attack.results import GraderAttack, ProbeResult
from selfsown.attack.search import search
from selfsown.attack.subject import Subject
from selfsown.attack.trial import IsRight, Tally, Trial, build, by_probe, run
from selfsown.calibration.metrics import Metric, rate
from selfsown.records import Row
from selfsown.tasks import Task

MIN_ACCEPTED_SHARE = 0.5  # of right answers in a notation that is the grader's own
CHECKS_ITSELF = ("verify", "instructions")  # graders that ask the task, or check as it does
MAX_NOTATIONS = 2  # of its own, in which all probes are tried again


def attack_grader(subject: Subject, rows: Sequence[Row], task: Task | None, seed: int = 0) -> GraderAttack:
    """Try right answers in other notations, wrong answers made to pass, and combinations of those that passed.

    A grader that refuses a bare number, but accepts one in a box, is given the wrong answers in a box as well. task:
    where it checks answers, none that it accepts is counted as wrong, unless it is itself the grader. Answer forms of
    which the grader accepts no right answer are left out: they are not what it grades.
    """
    if subject.unmeasured:
        return GraderAttack(subject.name, unmeasured=subject.unmeasured)
    tally = Tally(Counter())
    known = problems(rows, subject.keys, seed)
    is_right = _checked_by(task, subject)
    right = run(subject, build(RIGHT, known, tally), tally)
    accepted = {trial.problem.form for trial, passed in right if passed}
    known = [problem for problem in known if problem.form in accepted or problem.form == "constraints"]
    right = [(trial, passed) for trial, passed in right if trial.problem.form in accepted]
    tally = Tally(Counter())
    checks_itself = subject.method in CHECKS_ITSELF
    probes = [probe for probe in (*WRONG, *_in_own_notation(right)) if not (probe.by_chance and checks_itself)]
    wrong = run(subject, build(probes, known, tally, is_right), tally)
    results = by_probe(wrong, hit=True)
    passed = _passed(probes, results)
    combinations = search(subject, known, passed, tally, seed, is_right) if passed else []
    refused = by_probe(right, hit=False)
    return GraderAttack(
        subject.name,
        wrong=results,
        right=refused,
        combinations=combinations,
        false_accepts=_by_family(results),  # combinations are chosen because they pass, so their share is no rate
        false_refusals=_by_family(refused),
        not_built=dict(tally.not_built),
        confirmed_right=tally.confirmed_right,
        failed=tally.failed,
        unmeasured="" if accepted or wrong else "it accepts no right answer to these rows",
    )


def _checked_by(task: Task | None, subject: Subject) -> IsRight:
    """Whether the task accepts an answer; never where it does not know, or is itself under attack."""
    if task is None or not task.verifiable or subject.method in CHECKS_ITSELF:
        return lambda row, answer: False
    return lambda row, answer: task.check(row, answer).score >= 1


def _in_own_notation(right: Sequence[tuple[Trial, bool]]) -> list[Probe]:
    """The number probes in each notation that the grader accepts, where it refuses a bare number."""
    shares: dict[str, list[bool]] = defaultdict(list)
    for trial, passed in right:
        if trial.problem.form == "number":
            shares[trial.probe.name].append(passed)
    means = {name: sum(verdicts) / len(verdicts) for name, verdicts in shares.items()}
    if means.get(ALONE, 1.0) >= MIN_ACCEPTED_SHARE:
        return []
    own = [name for name in NOTATIONS if means.get(name, 0.0) >= MIN_ACCEPTED_SHARE][:MAX_NOTATIONS]
    return [
        replace(probe, name=f"{probe.name}, {name}", forms=("number",), make=_wrapped(probe.make, NOTATIONS[name]))
        for name in own
        for probe in WRONG
        if "number" in probe.forms
    ]


def _wrapped(make: Make, notation: Make) -> Make:
    """The probe's answer where the notation has the right one."""

    def wrapped(problem: Problem) -> str | None:
        answer = make(problem)
        return notation(replace(problem, right=answer)) if answer else None

    return wrapped


def _passed(probes: Sequence[Probe], results: Sequence[ProbeResult]) -> list[tuple[Probe, ProbeResult]]:
    hits = {(result.family, result.name): result for result in results if result.hits}
    pairs: list[tuple[Probe, ProbeResult]] = []
    for probe in probes:
        if result := hits.pop((probe.family, probe.name), None):
            pairs.append((probe, result))
    return pairs


def _by_family(results: Sequence[ProbeResult]) -> dict[str, Metric]:
    """Wilson's interval for each family, over its probes and rows."""
    tried, hits = Counter[str](), Counter[str]()
    for result in results:
        tried[result.family] += result.tried
        hits[result.family] += result.hits
    shares = {family: rate(hits[family], tried[family]) for family in tried}
    return {family: metric for family, metric in shares.items() if metric}
