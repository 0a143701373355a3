"""How many short programs a second run in the sandbox, and how much more each takes than a bare process of Python.

    python benchmarks/sandbox.py --programs 300

Three arms in turns: `python -c` as it comes, a program in the sandbox, a program and its tests in the sandbox. On
all cores at once, as a grader does it; the ratios are of the medians. The programs do next to nothing.
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
    def work(at: int) -> str:
        return subprocess.run([sys.executable, "-c", f"print({at})"], capture_output=True, text=True).stdout

    found = map_ordered(work, range(count), len(os.sched_getaffinity(0)), lambda: None)
    return list(found) == [f"{at}\n" for at in range(count)]


def walled(count: int) -> bool:
    with Sandbox() as sandbox:
        found = [each.stdout for each in sandbox.run_all(Job(f"print({at})") for at in range(count))]
    return found == [f"{at}\n" for at in range(count)]


def tested(count: int) -> bool:
    def job(at: int) -> Job:
        return Job(f"def add(x):\n    return x + {at}\n", tests=f"assert add(1) == {at + 1}\nassert add(2) == {at + 2}")

    with Sandbox() as sandbox:
        return all(each.passed for each in sandbox.run_all(map(job, range(count))))


ARMS: dict[str, Callable[[int], bool]] = {"bare process": bare, "sandbox": walled, "sandbox, with tests": tested}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--programs", type=int, default=300)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    walls: dict[str, list[float]] = {arm: [] for arm in ARMS}
    cpus: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for _ in range(given.rounds):
        for arm, work in ARMS.items():
            start, before = time.monotonic(), _cpu()
            assert work(given.programs), f"{arm}: not every program did what it should"
            walls[arm].append(time.monotonic() - start)
            cpus[arm].append(_cpu() - before)
    print(f"{given.programs} programs, median of {given.rounds} rounds, {len(os.sched_getaffinity(0))} cores")
    base = statistics.median(cpus["bare process"])
    for arm in ARMS:
        wall, cpu = statistics.median(walls[arm]), statistics.median(cpus[arm])
        each = f"{1000 * cpu / given.programs:6.1f} ms of CPU each, {cpu / base:5.2f} times a bare process"
        print(f"{arm:20} {given.programs / wall:6.0f} a second, {each}")


def _cpu() -> float:
    """Of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
