"""The process that watches one program: it starts it, and the process of its tests, ends both, and says what became of
them. It says that tests passed only where their process said so itself, whole, within its limits, and then ended well.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any

from selfsown.sandbox import child, isolation
from selfsown.sandbox.forking import fork
from selfsown.sandbox.scratch_folder import Store

POLL = 0.02  # seconds between looks at what a program has started and stored
THREADS = 64  # of a program at once
PATIENCE = 3  # times as long may a program take by the clock as it may compute: others compute as well
LEAST = 3.0  # seconds that it may take by the clock at any rate: to be started takes a while, too
PUT_OFF = 4  # times as long as that may it have waited for a processor, which does not count
SPOKEN = 10_000  # bytes of a verdict

_USAGE: dict[int, str] = {signal.SIGXCPU: "time", signal.SIGKILL: "time", signal.SIGXFSZ: "disk"}
_VERDICTS = ("passed", "failed", "broken", "lost")


class Guard:
    """One program, from its start to its end. OSError where it cannot be run, by no fault of its own."""

    def __init__(self, task: dict[str, Any], store: Store, built: isolation.Walls | None) -> None:
        self._task, self._store, self._built = task, store, built
        self._pids: list[int] = []
        self._troubles: list[int] = []
        self._stdin = 0
        self._start, self._wall = time.monotonic(), max(LEAST, PATIENCE * task["seconds"])

    def outcome(self) -> dict[str, Any]:
        """code, stdout, stderr; ended: what ended the program, or its tests; verdict: what those said, if anything;
        tests: what ended them without one."""
        self._store.empty()
        try:
            return self._watched(*self._started())
        finally:
            for pid in list(self._pids):
                self._end(pid)
            self._store.empty()

    def _started(self) -> tuple[list[int], dict[int, str]]:
        """The process of the program, and the pipes to listen to; one process more where there are tests."""
        task = self._task
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        pipes = {out: "stdout", err: "stderr"}
        stdin = text(task["stdin"])
        self._stdin = os.fstat(stdin).st_ino
        if not task["tests"]:
            self._fork(lambda: child.run(task["program"]), [stdin, out_end, err_end], own=True)
        else:
            ours, theirs = socket.socketpair()
            files = [stdin, out_end, err_end, theirs.fileno()]
            self._fork(lambda: child.serve(task["program"]), files, own=True)
            theirs.close()
            tests = json.loads(read(0))
            said, said_end = os.pipe()
            null = os.open(os.devnull, os.O_RDWR)
            files = [null, null, null, ours.fileno(), said_end]
            self._fork(lambda: child.judge(tests["tests"], tests["entry"]), files, own=False)
            ours.close()
            os.close(said_end)
            pipes |= {said: "verdict"}
        os.close(out_end)
        os.close(err_end)
        return list(self._pids), pipes

    def _fork(self, work: Callable[[], int], files: list[int], *, own: bool) -> None:
        trouble, trouble_end = os.pipe()
        parent, pid = os.getpid(), fork()
        if pid:
            os.close(trouble_end)
            self._pids.append(pid)
            self._troubles.append(trouble)
            return
        code, begun = 120, False
        try:
            os.setsid()
            trouble_end = os.dup2(trouble_end, 90)
            for at, file in enumerate(files):
                os.dup2(file, at)
            isolation.tie(parent)
            isolation.limit(self._task["seconds"], self._task["memory"])
            if self._built:
                self._built.put_up(own, seen=own and not self._store.bounded)
            os.closerange(len(files), 4096)
            begun = True
            code = work()
        except BaseException as error:  # nothing of the child may go on as its parent
            with contextlib.suppress(BaseException):
                if begun:
                    traceback.print_exc()
                else:
                    os.write(trouble_end, f"{type(error).__name__}: {error}"[:300].encode())
        finally:
            os._exit(code)

    def _watched(self, pids: list[int], pipes: dict[int, str]) -> dict[str, Any]:
        """Listen to all that is said until the end, or until the program has gone too far."""
        said = {name: bytearray() for name in pipes.values()}
        listening, left, ended, looked = select.poll(), set(pipes), "", 0.0
        listening.register(0, 0)  # whether the parent hangs up
        for pipe in pipes:
            listening.register(pipe, select.POLLIN)
        if hasattr(os, "pidfd_open"):
            listening.register(os.pidfd_open(pids[0]), select.POLLIN)  # to wake up
        while not ended:
            over = _over(pids[0]) if len(pids) == 1 else not any(pipes[file] == "verdict" for file in left)
            heard = [file for file, _ in listening.poll(0 if over else POLL * 1000) if file in left or file == 0]
            if over and not heard:
                break
            for file in heard:
                if file == 0:
                    raise EOFError
                part = os.read(file, 1 << 16)
                said[pipes[file]] += part
                if not part:
                    listening.unregister(file)
                    left.discard(file)
            if (now := time.monotonic()) - looked > POLL:
                looked, ended = now, self._excess(pids)
            most = {"verdict": SPOKEN}
            if any(len(each) > most.get(name, self._task["output"]) for name, each in said.items()):
                ended = "output"
        return self._told(said, ended, pids)

    def _excess(self, pids: list[int]) -> str:
        """Of what the program, or its tests, take too much, if of anything."""
        for pid, ended in zip(pids, ("time", "tests"), strict=False):
            if _computed(pid) > self._task["seconds"]:
                return ended
        late = time.monotonic() - self._start - self._wall
        if late > 0 and late > min(sum(map(_put_off, pids)), PUT_OFF * self._wall):
            return "time"
        with contextlib.suppress(OSError):
            if sys.platform == "linux" and len(os.listdir(f"/proc/{pids[0]}/task")) > THREADS:
                return "threads"
        with contextlib.suppress(OSError):
            if self._store.full(pids[0], self._stdin):
                return "disk"
        return ""

    def _told(self, said: dict[str, bytearray], ended: str, pids: list[int]) -> dict[str, Any]:
        """What became of it, once all has ended."""
        verdict = _spoken(bytes(said.pop("verdict", b"")))
        lost, tests = bool(verdict and verdict["verdict"] == "lost"), ""
        if pids[1:]:
            code = self._end(pids[1], patience=0.0 if ended else 1.0)
            tests = "" if verdict and not code else _USAGE.get(-code) or (_name(code) if code < 0 else f"code {code}")
            tests = "time" if ended == "tests" else tests
        here = not _ended(pids[0], patience=1.0 if lost and not ended else 0.0)
        code = self._end(pids[0])
        if not ended and here and lost:
            ended = "line"
        elif not ended and not here and code < 0 and (lost or not pids[1:]):
            ended = _USAGE.get(-code) or _name(code)
        elif not ended and tests:
            ended = "tests"
        for trouble in self._troubles:
            if words := os.read(trouble, 300):
                raise OSError(f"the sandbox cannot be put up: {words.decode('utf-8', 'replace')}")
        texts = {name: bytes(each).decode("utf-8", "replace") for name, each in said.items()}
        return {**texts, "ended": ended, "code": code, "verdict": verdict, "tests": tests}

    def _end(self, pid: int, patience: float = 0.0) -> int:
        """The exit code of a process; it is ended unless it ends by itself."""
        _ended(pid, patience)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)
        self._pids.remove(pid)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _spoken(said: bytes) -> dict[str, str] | None:
    """The verdict, if this is one, whole and in words."""
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(said)
        if isinstance(found, dict) and found.get("verdict") in _VERDICTS and isinstance(found.get("reason"), str):
            return found
    return None


def _ended(pid: int, patience: float) -> bool:
    """Whether a process ends by itself within so many seconds."""
    until = time.monotonic() + patience
    while not (over := _over(pid)) and time.monotonic() < until:
        time.sleep(0.001)
    return over


def _over(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _name(code: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _computed(pid: int) -> float:
    """Seconds that a process has computed."""
    with contextlib.suppress(OSError):
        return time.clock_gettime(~pid << 3 | 2) if sys.platform == "linux" else 0.0  # the clock of another process
    return 0.0


def _put_off(pid: int) -> float:
    """Seconds that a process was ready and waited for a processor."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9
    return 0.0


def text(words: str) -> int:
    """A file that holds the words, to be read alone."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(words.encode("utf-8", "replace"))
        file.flush()
        return os.open(file.name, os.O_RDONLY)


def read(file: int) -> bytes:
    """A message from the parent; not a byte more is taken. EOFError where it is gone."""
    return _exactly(file, struct.unpack(">I", _exactly(file, 4))[0])


def _exactly(file: int, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = os.read(file, min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def answer(message: Any) -> None:
    """Say this to the parent."""
    said = json.dumps(message).encode()
    said = struct.pack(">I", len(said)) + said
    while said:
        said = said[os.write(1, said) :]
