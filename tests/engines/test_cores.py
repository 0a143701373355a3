"""Workers of one machine have cores of their own, until they end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

WORKER = """
import os, sys, threading
from selfsown.cluster.cores import reserve_cores
idle = threading.Event()
found = []
thread = threading.Thread(target=lambda: (idle.wait(), found.append(os.sched_getaffinity(0))))
thread.start()
held = reserve_cores(int(sys.argv[1]))
idle.set()
thread.join()
assert found == [os.sched_getaffinity(0)]
print(*sorted(os.sched_getaffinity(0)), flush=True)
sys.stdin.read()
"""
ALL = sorted(os.sched_getaffinity(0))


def worker(cores: int) -> tuple[subprocess.Popen[str], list[int]]:
    command = [sys.executable, "-c", WORKER, str(cores)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, list(map(int, process.stdout.readline().split()))


@pytest.mark.skipif(len(ALL) < 2, reason="one core")
def test_two_workers_have_different_cores_and_a_third_none_until_one_ends() -> None:
    (one, its), (other, others) = worker(1), worker(len(ALL) - 1)
    late, without = worker(1)
    assert len(its) == 1
    assert sorted(its + others) == ALL == without
    one.kill()
    one.communicate()
    again, free = worker(1)
    assert free == its
    for process in (other, late, again):
        process.kill()
        process.communicate()
