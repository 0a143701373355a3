"""Work in forked processes comes back in order, is read ahead a little only, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfsown.errors import SelfsownError
from selfsown.processes import BATCHES_AHEAD, map_forked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
PROCESSES = 2
SENT = "x" * 300_000  # more than a socket holds, so that both sides must take turns

# Starts two workers and a fork that keeps its files open, prints the workers and the fork, and does no more.
ABANDONED = """
import os, time
from selfsown.processes import map_forked
results = map_forked(lambda sent: time.sleep(0.01) or os.getpid(), ((at, at) for at in range(100)), 2)
workers = {next(results)[1] for _ in range(50)}
child = os.fork()
if child:
    print(*sorted(workers), child, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only its exit code, which nobody may have asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def are_gone(pids: set[int], seconds: float) -> bool:
    """Whether all of them end within so long."""
    until = time.monotonic() + seconds
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(is_alive, pids))


def numbered(count: int) -> Iterator[tuple[int, list[str]]]:
    return ((at, [str(at), SENT]) for at in range(count))


def test_results_come_in_order_from_other_processes_which_end_with_the_last() -> None:
    def work(sent: list[str]) -> tuple[int, str, int]:
        time.sleep(0.02 if int(sent[0]) % 5 == 0 else 0.0)  # others overtake it
        return int(sent[0]), sent[1], os.getpid()

    out = list(map_forked(work, numbered(60), PROCESSES))
    assert [(kept, at) for kept, (at, _, _) in out] == [(at, at) for at in range(60)]
    assert all(text == SENT for _, (_, text, _) in out)
    workers = {pid for _, (_, _, pid) in out}
    assert len(workers) == PROCESSES
    assert os.getpid() not in workers
    assert are_gone(workers, 0.0)


def test_few_batches_are_read_ahead_and_a_reader_that_stops_leaves_no_process() -> None:
    read = [0]

    def counted() -> Iterator[tuple[int, int]]:
        for at in range(1_000):
            read[0] += 1
            yield at, at

    results = map_forked(lambda sent: time.sleep(0.01) or os.getpid(), counted(), PROCESSES)
    workers, furthest = set[int](), 0
    for _ in range(100):
        kept, pid = next(results)
        workers.add(pid)
        furthest = max(furthest, read[0] - kept)
    assert furthest <= BATCHES_AHEAD * PROCESSES
    assert any(map(is_alive, workers))
    results.close()
    assert are_gone(workers, 0.0)
    assert read[0] < 150


def test_a_process_that_is_killed_is_an_error_in_one_line_and_the_others_end() -> None:
    def work(sent: int) -> int:
        if sent == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    workers = set[int]()
    with pytest.raises(SelfsownError, match=r"has ended, perhaps because memory ran out") as raised:
        workers.update(pid for _, pid in map_forked(work, ((at, at) for at in range(60)), PROCESSES))
    assert "\n" not in str(raised.value)
    assert are_gone(workers, 0.0)


def test_an_error_of_the_work_or_of_the_batches_comes_after_the_results_before_it() -> None:
    def work(sent: int) -> float:
        return 1 / (20 - sent)

    def failing() -> Iterator[tuple[int, int]]:
        yield from ((at, at) for at in range(7))
        raise OSError("no more rows")

    for batches, before, error in (((at, at) for at in range(40)), 20, ZeroDivisionError), (failing(), 7, OSError):
        results, kept = map_forked(work, batches, PROCESSES), list[int]()
        with pytest.raises(error):
            kept.extend(at for at, _ in results)
        assert kept == list(range(before))


def test_where_no_process_can_be_started_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(os, "fork", refuse)
    out = list(map_forked(lambda sent: os.getpid(), ((at, at) for at in range(5)), PROCESSES))
    assert out == [(at, os.getpid()) for at in range(5)]


def test_a_connection_that_is_closed_ends_for_the_other_side_while_processes_work() -> None:
    ours, theirs = socket.socketpair()
    results = map_forked(lambda sent: sent, ((at, at) for at in range(100)), PROCESSES)
    assert next(results) == (0, 0)
    ours.close()
    theirs.settimeout(5)
    assert theirs.recv(1) == b""
    theirs.close()
    results.close()


def test_processes_end_when_the_one_that_started_them_is_killed_even_if_its_files_stay_open() -> None:
    run = subprocess.Popen([sys.executable, "-c", ABANDONED], stdout=subprocess.PIPE, text=True)
    assert run.stdout
    *workers, child = map(int, run.stdout.readline().split())
    try:
        assert len(workers) == 2
        assert all(map(is_alive, workers))
        run.kill()
        run.wait()
        assert are_gone(set(workers), 20.0)
        assert is_alive(child)
    finally:
        os.kill(child, signal.SIGKILL)
        run.stdout.close()
