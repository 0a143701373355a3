"""The further tests of many problems, derived once for each problem and not for each answer to it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from selfsown.parallel import map_ordered, usable_cores
from selfsown.sandbox.sandbox import Sandbox
from selfsown.test_generation.derivation import CPU_SECONDS, FurtherTests, Problem, further_tests

MAX_PROBLEMS = 10_000  # that are remembered
_known: dict[tuple[Problem, int], FurtherTests] = {}


def derived_tests(
    problems: Iterable[Problem], count: int, *, memory_mb: int = 512, unsafe: bool = False
) -> Mapping[Problem, FurtherTests]:
    """Up to `count` further tests of each problem; those of problems that were seen before are not derived again.

    memory_mb, unsafe: as of the sandbox that runs the known answers. Raises SelfsownError if this machine cannot
    isolate programs. A note in the log says how many tests there are, and why some problems have none.
    """
    distinct = list(dict.fromkeys(problems))
    new = [problem for problem in distinct if (problem, count) not in _known]
    if new:
        while len(_known) + len(new) > MAX_PROBLEMS and _known:
            del _known[next(iter(_known))]
        with Sandbox(cpu_seconds=CPU_SECONDS, memory_mb=memory_mb, unsafe=unsafe) as sandbox:
            derived = map_ordered(
                lambda problem: further_tests(problem, count, sandbox), new, usable_cores(), sandbox.close
            )
            results = dict(zip(new, derived, strict=True))
        _known.update({(problem, count): tests for problem, tests in results.items()})
        logging.getLogger(__name__).info("selfsown: note: grade.unit_tests: %s", described(results))
    else:
        results = {}
    return {problem: results.get(problem) or _known[problem, count] for problem in distinct}


def described(derived: Mapping[Problem, FurtherTests]) -> str:
    """How many further tests the problems have, and why some have none."""
    counts = [tests.count for tests in derived.values() if tests.tests]
    reasons = Counter(tests.reason for tests in derived.values() if not tests.tests)
    mean = f", {sum(counts) / len(counts):.1f} each" if counts else ""
    without = "".join(f"; {number} without: {reason}" for reason, number in reasons.most_common())
    return f"{len(counts):,} problems have further tests{mean}{without}"
