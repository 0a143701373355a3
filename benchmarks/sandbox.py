"""Short programs per second in the sandbox, and their cost relative to a bare Python process.

    python -m benchmarks.sandbox --programs 300

Three arms in turn: `python -c`, a program in the sandbox, a program with its tests in the sandbox. On all cores at
once, as a grader runs them; the ratios are of the medians. The programs do next to nothing.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from selfsown.parallel import map_ordered
from selfsown.sandbox.sandbox import Job, Sandbox


def bare(count: int) -> bool:
    def run_one(number: int) -> str:
        return subprocess.run([sys.executable, "-c", f"print({number})"], capture_output=True, text=True).stdout

    outputs = map_ordered(run_one, range(count), len(os.sched_getaffinity(0)), lambda: None)
    return list(outputs) == [f"{number}\n" for number in range(count)]


def sandboxed(count: int) -> bool:
    with Sandbox() as sandbox:
        outputs = [outcome.stdout for outcome in sandbox.run_all(Job(f"print({number})") for number in range(count))]
    return outputs == [f"{number}\n" for number in range(count)]


def sandboxed_with_tests(count: int) -> bool:
    def job(number: int) -> Job:
        return Job(
            f"def add(x):\n    return x + {number}\n",
            tests=f"assert add(1) == {number + 1}\nassert add(2) == {number + 2}",
        )

    with Sandbox() as sandbox:
        return all(outcome.passed for outcome in sandbox.run_all(map(job, range(count))))


ARMS: dict[str, Callable[[int], bool]] = {
    "bare process": bare,
    "sandbox": sandboxed,
    "sandbox, with tests": sandboxed_with_tests,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    wall_seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    cpu_seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for _ in range(args.rounds):
        for arm, run_arm in ARMS.items():
            start, before = time.monotonic(), _cpu()
            assert run_arm(args.programs), f"{arm}: not every program gave the right result"
            wall_seconds[arm].append(time.monotonic() - start)
            cpu_seconds[arm].append(_cpu() - before)
    print(f"{args.programs} programs, median of {args.rounds} rounds, {len(os.sched_getaffinity(0))} cores")
    base = statistics.median(cpu_seconds["bare process"])
    for arm in ARMS:
        wall, cpu = statistics.median(wall_seconds[arm]), statistics.median(cpu_seconds[arm])
        cost = f"{1000 * cpu / args.programs:6.1f} ms of CPU each, {cpu / base:5.2f} times a bare process"
        print(f"{arm:20} {args.programs / wall:6.0f} per second, {cost}")


def _cpu() -> float:
    """CPU seconds of this process and of its finished children."""
    used = [resource.getrusage(scope) for scope in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
