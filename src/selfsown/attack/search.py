"""Combine the probes that came through: a policy would, too."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from selfsown.attack.probes.probe import Make, Probe
from selfsown.attack.problem import Problem
from selfsown.attack.results import ProbeResult
from selfsown.attack.subject import Subject
from selfsown.attack.trial import IsRight, Tally, Trial, build, by_probe, run

FAMILY = "combinations"
MAX_PARENTS = 4  # probes that are combined, of different families where possible
MAX_CANDIDATES = 24  # combinations that are tried
MAX_ROWS = 5  # on which each is tried


def search(
    subject: Subject,
    problems: Sequence[Problem],
    passed: Sequence[tuple[Probe, ProbeResult]],
    tally: Tally,
    seed: int,
    is_right: IsRight | None = None,
) -> list[ProbeResult]:
    """The combinations of two probes that are accepted on more rows than either alone.

    passed: probes of which a wrong answer was accepted, with their results. Both answers of a combination are wrong, so
    it is, too. The same seed gives the same combinations.
    """
    parents = _parents(passed)
    rng = random.Random(seed)
    rows = rng.sample(list(problems), min(MAX_ROWS, len(problems)))
    shares = {id(probe): result.share for probe, result in passed}
    gains = []
    candidates = [(one, other) for one in parents for other in parents if one is not other]
    for one, other in rng.sample(candidates, min(MAX_CANDIDATES, len(candidates))):
        trials = _combined(one, other, rows, tally, is_right)
        for result in by_probe(run(subject, trials, tally), hit=True):
            if result.share > max(shares[id(one)], shares[id(other)]):
                gains.append(result)
    return gains


def _parents(passed: Sequence[tuple[Probe, ProbeResult]]) -> list[Probe]:
    """Those accepted most often that may still gain, the best of each family first."""
    ranked = sorted((pair for pair in passed if pair[1].share < 1), key=lambda pair: -pair[1].share)
    families: set[str] = set()
    firsts: list[Probe] = []
    rest: list[Probe] = []
    for probe, _ in ranked:
        (rest if probe.family in families else firsts).append(probe)
        families.add(probe.family)
    return [*firsts, *rest][:MAX_PARENTS]


def _combined(
    one: Probe, other: Probe, problems: Sequence[Problem], tally: Tally, is_right: IsRight | None
) -> list[Trial]:
    """Both answers below each other; of a problem for which one of them cannot be made, the other alone."""
    forms = tuple(form for form in one.forms if form in other.forms)
    probe = replace(
        one, family=FAMILY, name=f"{one.name} + {other.name}", forms=forms, make=_both(one.make, other.make)
    )
    return build([probe], problems, tally, is_right)


def _both(one: Make, other: Make) -> Make:
    def make(problem: Problem) -> str | None:
        answers = [answer for answer in (one(problem), other(problem)) if answer is not None]
        return "\n".join(answers) if answers else None

    return make
