"""Count wrong programs that pass their tests while the machine is busy: there must be none.

    python -m benchmarks.forged_passes --gradings 10000

Wrong programs are slow, endless or memory-hungry, on either side: they compute for about as long as the limit or
forever, return values that keep their tests busy forever, exit, or have slow tests. One program in five is right and
fast. All are graded by `grade: unit_tests` with limits of 0.05 to 0.2 s of CPU time, half of them next to processes
that keep every core busy. Exit code 1 if any wrong program passes.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from selfsown.grade.unit_tests import grade
from selfsown.records import Row

LIMITS = ((0.05, 0.7), (0.1, 0.2), (0.2, 0.1))  # CPU seconds, and the share of all gradings
SPIN = "import time\ndef spin(seconds):\n end = time.thread_time() + seconds\n while time.thread_time() < end: 0\n"
TESTS = "assert f(20) == 6765, f(20)\nfor got, want in zip(map(f, [9, 2]), [34, 1]):\n    assert got == want, got\n"
SLOW_TESTS = f"{SPIN}spin(ABOUT)\n{TESTS}"
CASES = '[{"stdin": "20\\n", "stdout": "6765"}, {"stdin": "9\\n", "stdout": "34"}]'
RIGHT = "def f(x):\n    a, b = 0, 1\n    for _ in range(x): a, b = b, a + b\n    return a\n"
PRINTS = "\nprint(f(int(input())))\n"
# The program, and its tests. ABOUT is replaced by a time close to the limit.
WRONG = {
    "slow": (f"{SPIN}def f(x):\n    spin(ABOUT)\n    return x", TESTS),
    "slow at the start": (f"{SPIN}spin(ABOUT)\ndef f(x): return x", TESTS),
    "slow, in cases": (f"{SPIN}spin(ABOUT)\ndef f(x): return x{PRINTS}", CASES),
    "with slow tests": ("def f(x): return x", SLOW_TESTS),
    "slow to be shown": (
        f"{SPIN}class A:\n def __repr__(self): return [spin(ABOUT), '6765'][1]\ndef f(x): return A()",
        TESTS,
    ),
    "right, and too late": (f"{SPIN}{RIGHT}g = f\ndef f(x):\n    spin(9)\n    return g(x)", TESTS),
    "endless": ("def f(x):\n    while True: pass", TESTS),
    "endless, in cases": (f"def f(x):\n    while True: pass{PRINTS}", CASES),
    "endless as it is gone through": (
        "def f(x):\n    while True: yield x",
        "assert sum(f(20)) == 6765",
    ),
    "hungry for memory": ("def f(x):\n    a = []\n    while True: a.append(bytearray(1_000_000))", TESTS),
    "hungry on the other side": ("def f(x): return [[]] * 300_000", TESTS),
    "a number of many digits": ("def f(x): return 1 << 50_000_000", "assert str(f(20)) == '6765'"),
    "a range without end": ("def f(x): return range(10**18)", "assert sum(f(20)) == 6765"),
    "a fraction without end": (
        "from fractions import Fraction\nclass F(Fraction): pass\ndef f(x): return Fraction(1, 3 ** 200_000) * 6765",
        "for at in range(10**6):\n    assert f(20) ** 7 == 6765",
    ),
    "it ends": ("import os\ndef f(x): os._exit(0)", TESTS),
    "it ends as it is shown": ("import os\nclass A:\n    def __repr__(self): os._exit(0)\ndef f(x): return A()", TESTS),
    "it ends loops": ("def f(x): raise StopIteration", TESTS.splitlines(True)[1] + TESTS.splitlines(True)[2]),
    "it is killed": ("import os\ndef f(x): os.kill(os.getpid(), 9)", TESTS),
    "wrong": ("def f(x): return x", TESTS),
}
RIGHTS = ((RIGHT, TESTS), (RIGHT + PRINTS, CASES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradings", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    counts, reasons, start = Counter[str](), Counter[str](), time.monotonic()
    for busy in (True, False):
        with busy_cores(3600.0 if busy else 0.0):
            for seconds, share in LIMITS:
                count = round(args.gradings * share / 2)
                grade_programs(count, seconds, random.Random(f"{args.seed} {busy} {seconds}"), counts, reasons)
    wrong, right = counts["wrong"], counts["right"]
    print(f"{wrong + right:,} gradings in {time.monotonic() - start:,.0f} s, {len(os.sched_getaffinity(0))} cores")
    print(f"{counts['forged']:,} of {wrong:,} wrong programs pass; {counts['no verdict']:,} could not be graded")
    print(f"{counts['refused']:,} of {right:,} right programs do not pass ({counts['refused'] / max(1, right):.2%})")
    for reason, count in reasons.most_common(8):
        print(f"  {count:6,} {reason}")
    sys.exit(counts["forged"] > 0)


def grade_programs(count: int, seconds: float, rng: random.Random, counts: Counter[str], reasons: Counter[str]) -> None:
    """Grade that many programs, and count the results. reasons: why right programs did not pass."""
    chosen = [rng.choice(RIGHTS) if rng.random() < 0.2 else None for _ in range(count)]
    names = [rng.choice(list(WRONG)) for _ in range(count)]
    rows = list[Row]()
    for right, name in zip(chosen, names, strict=True):
        near_limit = f"{seconds * rng.uniform(0.5, 1.5):.4f}"
        program, tests = (text.replace("ABOUT", near_limit) for text in right or WRONG[name])
        rows.append(Row("p", program, metadata={"tests": tests}))
    for right, name, result in zip(chosen, names, grade(rows, cpu_seconds=seconds, memory_mb=256), strict=True):
        passed = result.score == 1
        counts["right" if right else "wrong"] += 1
        counts["forged"] += passed and not right
        counts["no verdict"] += result.failed and not right
        counts["refused"] += bool(right and not passed)
        if right and not passed:
            reasons[f"{seconds:g} s: {result.reason}"] += 1
        if passed and not right:
            print(f"FORGED: {name}, {seconds:g} s: {result}", flush=True)


@contextmanager
def busy_cores(seconds: float) -> Iterator[None]:
    """Processes that keep each core busy, for at most this time."""
    code = f"import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: sum(range(10**5))"
    count = len(os.sched_getaffinity(0)) if seconds else 0
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
