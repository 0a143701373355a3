"""Try probes on a grader: make their answers, leave out those that are right after all, and count what is accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from selfsown.attack.probes.probe import Probe
from selfsown.attack.problem import Problem
from selfsown.attack.results import Example, ProbeResult
from selfsown.attack.subject import Subject
from selfsown.records import Row
from selfsown.text.normalize import normal

IsRight = Callable[[Row, str], bool]


@dataclass(frozen=True)
class Trial:
    """What one probe makes of one problem."""

    probe: Probe
    problem: Problem
    answer: str

    @property
    def row(self) -> Row:
        """As the row of a model, so that no grader sees that it is a probe."""
        return replace(self.problem.row, answer=self.answer, origin="synthetic", method="sample")


@dataclass
class Tally:
    """Counts over all trials, for the report."""

    not_built: Counter[str]
    confirmed_right: int = 0
    failed: int = 0


def build(
    probes: Iterable[Probe], problems: Sequence[Problem], tally: Tally, is_right: IsRight | None = None
) -> list[Trial]:
    """The trials of the probes for the forms of the problems. is_right: whether the task accepts an answer; then it is
    not wrong, and is left out."""
    trials: list[Trial] = []
    for probe in probes:
        fitting = [problem for problem in problems if problem.form in probe.forms]
        for problem in fitting[: 1 if probe.costly else None]:
            answer = probe.make(problem)
            if answer is None:
                tally.not_built[probe.family] += 1
            elif is_right and (normal(answer) == normal(problem.row.target) or is_right(problem.row, answer)):
                tally.confirmed_right += 1
            else:
                trials.append(Trial(probe, problem, answer))
    return trials


def run(subject: Subject, trials: Sequence[Trial], tally: Tally) -> list[tuple[Trial, bool]]:
    """The trials that the subject graded, and whether it accepted each."""
    verdicts = subject.verdicts([trial.row for trial in trials])
    graded = [(trial, verdict) for trial, verdict in zip(trials, verdicts, strict=True) if verdict is not None]
    tally.failed += len(trials) - len(graded)
    return graded


def by_probe(graded: Sequence[tuple[Trial, bool]], hit: bool) -> list[ProbeResult]:
    """The result of each probe, in the order of the trials. hit: the verdict that is an error of the grader."""
    groups: dict[tuple[str, str], list[tuple[Trial, bool]]] = {}
    for trial, accepted in graded:
        groups.setdefault((trial.probe.family, trial.probe.name), []).append((trial, accepted))
    results = []
    for (family, name), members in groups.items():
        hits = [trial for trial, accepted in members if accepted is hit]
        reason = members[0][0].probe.reason
        results.append(ProbeResult(family, name, reason, len(members), len(hits), _example(hits)))
    return results


def _example(hits: Sequence[Trial]) -> Example | None:
    if not hits:
        return None
    trial = min(hits, key=lambda trial: len(trial.answer))
    return Example(trial.problem.row.prompt, trial.problem.row.target, trial.answer)
