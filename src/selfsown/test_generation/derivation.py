"""Derive further tests of a function from its known answer.

Inputs are varied from those of the function's own tests; the known answer says what a right program returns
(differential testing, as in EvalPlus, Liu et al. 2023). Of many inputs those are chosen by which wrong programs are
noticed, so that few tests notice much. All of it is drawn from the problem alone: the same problem has the same tests.
"""

from __future__ import annotations

import ast
import inspect
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfsown.sandbox.sandbox import Job, Outcome, Sandbox
from selfsown.test_generation import runner
from selfsown.test_generation.calls import Arguments, calls_in, constants, function_under_test, tolerance
from selfsown.test_generation.domain import Domain
from selfsown.test_generation.selection import chosen
from selfsown.test_generation.variations import Variations
from selfsown.test_generation.wrong_programs import wrong_programs

CPU_SECONDS = 20.0  # of one round, at most; its steps are fewer
INPUTS = 200  # of a round
ROUNDS, QUIET_ROUNDS = 5, 2  # at most, and at most without a wrong program that is newly noticed
MAX_DRAWS = 20  # for each input of a round
STEPS = 1_000_000  # lines that the known answer may run in a round
_RUNNER = inspect.getsource(runner)


@dataclass(frozen=True)
class Problem:
    """A function to write. program: the known answer, complete. text: its prompt, for examples. tests, entry_point: as
    the grader has them."""

    program: str
    tests: str
    entry_point: str = ""
    text: str = ""


@dataclass(frozen=True)
class FurtherTests:
    """tests: Python, a line an assert; "" with the reason where there are none. function: which they call. inputs: how
    many were tried."""

    tests: str = ""
    function: str = ""
    count: int = 0
    inputs: int = 0
    reason: str = ""


@dataclass
class _Search:
    """What is known so far: inputs that the known answer accepts, what it returns, and which notice a wrong program."""

    known: list[Arguments]  # that further inputs are varied from
    inputs: list[Arguments] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    paths: list[int] = field(default_factory=list)
    noticed: dict[str, list[int]] = field(default_factory=dict)  # by wrong program
    tried: set[str] = field(default_factory=set)


def further_tests(problem: Problem, count: int, sandbox: Sandbox, unused: frozenset[str] = frozenset()) -> FurtherTests:
    """Up to `count` tests of a problem.

    unused: wrong programs by which no test is chosen, so that tests can be measured on them. A known answer that is no
    Python, defines no function that the tests call, or does not pass them gives none, with the reason.
    """
    try:
        function = function_under_test(problem.program, problem.tests, problem.entry_point)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return FurtherTests(reason="the known answer is no Python")
    if not function:
        return FurtherTests(reason="the known answer defines no function that its tests call")
    outcome = sandbox.run(Job(problem.program, tests=problem.tests, entry_point=problem.entry_point))
    if not outcome.passed:
        return FurtherTests(reason="the known answer does not pass its own tests")
    own = _own_calls(problem, function, sandbox)
    if not own:
        return FurtherTests(reason="its tests call the function with no plain values")
    search = _searched(problem, function, own, sandbox, unused)
    picked = chosen(search.noticed, search.paths, search.results, search.inputs, count)
    lines = [
        _assert(function, search.inputs[index], search.results[index], tolerance(problem.tests)) for index in picked
    ]
    if not lines:
        return FurtherTests(inputs=len(search.tried), reason="no further input has a plain result")
    tests = "\n".join([inspect.getsource(runner.same), *lines])
    return FurtherTests(tests, function, len(lines), len(search.tried))


def _own_calls(problem: Problem, function: str, sandbox: Sandbox) -> list[tuple[Arguments, str]]:
    """The inputs of the problem's tests and of the examples in its prompt, with the result ("" where not known)."""
    request = {"program": problem.program, "function": function, "tests": problem.tests}
    replies = _replies(sandbox.run(Job(_RUNNER, json.dumps(request))))
    calls = [(ast.literal_eval(arguments), result) for arguments, result in (replies[0] if replies else [])]
    for text in (problem.tests, problem.text):
        for name in {function, "candidate"}:
            calls += [(arguments, "") for arguments in calls_in(text, name)]
    distinct: dict[str, tuple[Arguments, str]] = {}
    for arguments, result in calls:
        if len(repr(arguments)) <= 2_000:
            distinct.setdefault(repr(arguments), (arguments, result))
    lengths = [len(arguments) for arguments, result in distinct.values() if result] or [
        len(arguments) for arguments, _ in distinct.values()
    ]
    return [pair for pair in distinct.values() if len(pair[0]) in lengths]


def _searched(
    problem: Problem, function: str, own: Sequence[tuple[Arguments, str]], sandbox: Sandbox, unused: frozenset[str]
) -> _Search:
    """Rounds of inputs, until all wrong programs are noticed or the last round."""
    rng = random.Random(f"further tests {problem.program}")
    calls = [arguments for arguments, _ in own]
    types = {type(ast.literal_eval(result)) for _, result in own if result}
    domain, variations = Domain(calls), Variations(calls, constants(problem.program), rng)
    search = _Search(calls, tried={repr(arguments) for arguments, result in own if result})
    wrong = [program for program in wrong_programs(problem.program, rng) if program not in unused]
    drawn, quiet = _drawn(variations, domain, search, list(calls)), 0
    for _ in range(ROUNDS):
        inputs = [arguments for arguments, _ in zip(drawn, range(INPUTS), strict=False)]
        left = [program for program in wrong if program not in search.noticed]
        if not inputs or (not left and search.noticed) or quiet == QUIET_ROUNDS:
            break
        request = {
            "program": problem.program,
            "function": function,
            "calls": [repr(arguments) for arguments in inputs],
            "others": left,
            "budget": STEPS,
            "tolerance": tolerance(problem.tests),
        }
        _note(search, inputs, left, _replies(sandbox.run(Job(_RUNNER, json.dumps(request)))), types)
        quiet = 0 if any(program in search.noticed for program in left) else quiet + 1
    return search


def _drawn(
    variations: Variations, domain: Domain, search: _Search, examples: Sequence[Arguments]
) -> Iterator[Arguments]:
    """Inputs in the domain, none twice: examples that the tests leave out, then systematic and random ones in turn,
    until many draws give nothing new."""

    def is_new(arguments: Arguments) -> bool:
        text = repr(arguments)
        if text in search.tried or not domain.holds(arguments):
            return False
        search.tried.add(text)
        return True

    yield from filter(is_new, examples)
    systematic = filter(is_new, variations.systematic(examples))
    misses = 0
    while misses < MAX_DRAWS * INPUTS:
        if arguments := next(systematic, None):
            yield arguments
        varied = variations.varied(search.known)
        if is_new(varied):
            misses = 0
            yield varied
        else:
            misses += 1


def _note(
    search: _Search, inputs: Sequence[Arguments], wrong: Sequence[str], replies: list[Any], types: set[type]
) -> None:
    """Add what a round showed. A result of another type than those of the own tests may mark an input that the prompt
    leaves open."""
    results = replies[0] if replies else []
    places: dict[int, int] = {}
    for index, (arguments, result) in enumerate(zip(inputs, results, strict=False)):
        if result and (not types or type(ast.literal_eval(result[0])) in types):
            if result[2] not in search.paths:
                search.known.append(arguments)
            places[index] = len(search.inputs)
            search.inputs.append(arguments)
            search.results.append(result[0])
            search.paths.append(result[2])
    for program, indexes in zip(wrong, replies[1:], strict=False):
        noticing = [places[index] for index in indexes if index in places]
        if noticing:
            search.noticed[program] = noticing


def _replies(outcome: Outcome) -> list[Any]:
    """The lines of the runner, without one that was cut."""
    replies = []
    for line in outcome.stdout.splitlines():
        try:
            replies.append(json.loads(line))
        except ValueError:
            break
    return replies


def _assert(function: str, arguments: Arguments, result: str, tolerated: float) -> str:
    call = f"{function}({', '.join(map(repr, arguments))})"
    if any(isinstance(part, float) for part in _leaves(ast.literal_eval(result))):
        return f"assert same({call}, {result}, {tolerated!r})"
    return f"assert {call} == {result}"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
