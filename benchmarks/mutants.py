"""How many wrong programs the tests of a data set reject, alone and with tests derived from its known answers.

    python -m benchmarks.mutants humaneval.jsonl.gz
    python -m benchmarks.mutants humaneval.jsonl.gz --unseen --problems 40

A wrong program is a known answer with one change. `--unseen`: also with tests chosen without the wrong programs
that are measured. `--programs FILE`: programs that a model wrote, too (lines with "prompt" and "samples"): how many of
those that pass a problem's own tests pass the derived ones. `--details FILE`: what is measured of each problem is added
here; problems that the file has are not measured again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfsown.parallel import map_ordered, usable_cores
from selfsown.sandbox.sandbox import Job, Sandbox
from selfsown.stats.intervals import share
from selfsown.test_generation.derivation import CPU_SECONDS, FurtherTests, Problem, further_tests
from testing.mutants import changed_line, mutants

PROGRAM_SECONDS = 1.0  # CPU time of a program with its tests
EQUIVALENT = Path(__file__).parent / "equivalent_mutants.json"


@dataclass(frozen=True)
class Wrong:
    """A wrong program: its kind, the line that changed, and why its own tests, the derived ones, and those derived
    without it reject it ("" where they do not)."""

    kind: str
    change: str
    own: str
    derived: str
    unseen: str


@dataclass
class Measured:
    """Of one problem; tests: how many are derived; accepted: whether the known answer passes them; written: a model's
    programs that pass the own tests, with why the derived ones reject them."""

    name: str
    tests: int
    reason: str
    accepted: bool
    wrong: list[Wrong] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--tests", type=int, default=30, help="derived tests of a problem, at most")
    parser.add_argument("--problems", type=int, default=0, help="a sample of so many")
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--programs", type=Path)
    parser.add_argument("--details", type=Path)
    options = parser.parse_args()
    records = _records(options.file)
    random.Random(0).shuffle(records)
    records = records[: options.problems or None]
    written = _written(options.programs) if options.programs else {}
    measured = _read(options.details) if options.details and options.details.exists() else []
    left = [record for record in records if record["task_id"] not in {result.name for result in measured}]
    with Sandbox(cpu_seconds=CPU_SECONDS) as deriving, Sandbox(cpu_seconds=PROGRAM_SECONDS) as sandbox:

        def measure(record: dict[str, str]) -> Measured:
            derived = _derived(record, options.tests, options.unseen, deriving)
            return _measure(record, derived, written.get(_signature(record["prompt"]), []), sandbox)

        def close() -> None:
            deriving.close()
            sandbox.close()

        for result in map_ordered(measure, left, usable_cores(), close):
            measured.append(result)
            if options.details:
                with options.details.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({**vars(result), "wrong": [vars(item) for item in result.wrong]}) + "\n")
            print(f"{len(measured)} of {len(records)}: {result.name}", end="\r", file=sys.stderr)
    _report(measured, options.unseen)


def _problem(record: dict[str, str]) -> Problem:
    right = record["prompt"] + record["canonical_solution"]
    return Problem(right, record["test"], record["entry_point"], record["prompt"])


def _derived(record: dict[str, str], count: int, unseen: bool, sandbox: Sandbox) -> tuple[FurtherTests, FurtherTests]:
    """The derived tests, and those chosen without the wrong programs that are measured."""
    problem = _problem(record)
    derived = further_tests(problem, count, sandbox)
    programs = frozenset(text for _, text in mutants(problem.program, problem.entry_point))
    return derived, further_tests(problem, count, sandbox, programs) if unseen else derived


def _measure(
    record: dict[str, str], tests: tuple[FurtherTests, FurtherTests], written: Sequence[str], sandbox: Sandbox
) -> Measured:
    problem, derived = _problem(record), tests[0]
    right = problem.program
    result = Measured(record["task_id"], derived.count, derived.reason, not _failure(right, derived, sandbox))
    for kind, program in mutants(right, problem.entry_point):
        own = _own_failure(program, problem, sandbox)
        reasons = ["", ""] if own else [_failure(program, chosen, sandbox) for chosen in tests]
        result.wrong.append(Wrong(kind, changed_line(right, program), own, *reasons))
    for body in written:
        program = record["prompt"] + body
        if not _own_failure(program, problem, sandbox):
            result.written.append((body, _failure(program, derived, sandbox)))
    return result


def _own_failure(program: str, problem: Problem, sandbox: Sandbox) -> str:
    outcome = sandbox.run(Job(program, tests=problem.tests, entry_point=problem.entry_point))
    return "" if outcome.passed else outcome.reason


def _failure(program: str, derived: FurtherTests, sandbox: Sandbox) -> str:
    """Why the derived tests reject a program; "" if they do not."""
    if not derived.tests:
        return ""
    outcome = sandbox.run(Job(program, tests=derived.tests, entry_point=derived.function))
    return "" if outcome.passed else outcome.reason


def _report(measured: Sequence[Measured], unseen: bool) -> None:
    without = [f"{result.name} ({result.reason})" for result in measured if not result.tests]
    tests = sum(result.tests for result in measured)
    print(f"{tests / len(measured):.1f} derived tests of a problem; none of {', '.join(without) or 'no problem'}")
    _print_share("known answers accepted", [result.accepted for result in measured])
    equivalent = json.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    rows = [(result.name, item) for result in measured for item in result.wrong]
    same = [item for name, item in rows if item.change in equivalent.get(name, ())]
    counted = [(name, item) for name, item in rows if item.change not in equivalent.get(name, ())]
    rejected = sum(bool(item.own or item.derived) for item in same)
    print(
        f"{len(rows):,} wrong programs; {len(same)} do what the known answer does, by an argument: {rejected} rejected"
    )
    for title, population in (("all", [item for _, item in rows]), ("the others", [item for _, item in counted])):
        _print_share(f"{title}, by their own tests", [bool(item.own) for item in population])
        _print_share(f"{title}, with derived tests", [bool(item.own or item.derived) for item in population])
        if unseen:
            _print_share(f"{title}, with tests chosen without", [bool(item.own or item.unseen) for item in population])
    for kind in sorted(Counter(item.kind for _, item in counted)):
        _print_share(f"  {kind}", [bool(item.own or item.derived) for _, item in counted if item.kind == kind])
    for name, item in counted:
        if not item.own and not (item.derived and item.unseen):
            print(f"survives{'' if not item.derived else ' where unseen'}: {name} {item.kind}: {item.change}")
    written = [bool(reason) for result in measured for _, reason in result.written]
    if written:
        _print_share("a model's programs that pass their own tests: rejected by derived ones", written)


def _print_share(title: str, hits: Sequence[bool]) -> None:
    low, high = share(sum(hits), len(hits))
    print(f"{title}: {sum(hits):,} of {len(hits):,}, {sum(hits) / max(len(hits), 1):.2%} [{low:.2%}, {high:.2%}]")


def _records(file: Path) -> list[dict[str, str]]:
    content = file.read_bytes()
    text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
    return [json.loads(line) for line in text.splitlines()]


def _read(file: Path) -> list[Measured]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [Measured(**{**line, "wrong": [Wrong(**item) for item in line["wrong"]]}) for line in lines]


def _written(file: Path) -> dict[str, list[str]]:
    """A model's distinct programs, by the head of their function."""
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {_signature(line["prompt"]): list(dict.fromkeys(map(_body, line["samples"]))) for line in lines}


def _body(sample: str) -> str:
    """The function's own lines, without what the model wrote after them."""
    return "\n".join(_indented(sample.rstrip().splitlines()))


def _indented(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() and not line.startswith((" ", "\t")):
            return
        yield line


def _signature(prompt: str) -> str:
    return next(line for line in reversed(prompt.splitlines()) if line.startswith("def ")).strip()


if __name__ == "__main__":
    main()
