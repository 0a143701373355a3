"""The process that watches one program: it starts the program and its tests, ends both, and reports what happened.
It reports a pass only where the process of the tests reported one, whole and within its limits, and then exited with 0.
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

from selfsown.sandbox import child, isolation
from selfsown.sandbox.forking import fork
from selfsown.sandbox.protocol import Json, ProgramReport, ProgramTask, TestTask, TestVerdict
from selfsown.sandbox.scratch_folder import ScratchFolder

POLL_SECONDS = 0.02  # between checks of what a program started and stored
MAX_THREADS = 64  # of a program at once
WALL_TIME_FACTOR = 3  # a program's wall time limit, in multiples of its CPU time limit: other programs run as well
MIN_WALL_SECONDS = 3.0  # the lowest wall time limit: starting a process takes a while, too
WAITING_FACTOR = 4  # time spent waiting for a processor does not count, up to this multiple of the wall time limit
MAX_VERDICT_BYTES = 10_000

_LIMIT_SIGNALS: dict[int, str] = {signal.SIGXCPU: "time", signal.SIGKILL: "time", signal.SIGXFSZ: "disk"}
_VERDICTS = ("passed", "failed", "invalid", "lost")


class Watchdog:
    """One program, from its start to its end."""

    def __init__(self, task: ProgramTask, scratch: ScratchFolder, rules: isolation.Isolation | None) -> None:
        self._task = task
        self._scratch = scratch
        self._rules = rules
        self._pids: list[int] = []
        self._setup_errors: list[int] = []  # a pipe for each process
        self._stdin_inode = 0
        self._start = time.monotonic()
        self._wall_seconds = max(MIN_WALL_SECONDS, WALL_TIME_FACTOR * task["seconds"])

    def run(self) -> ProgramReport:
        """Run the program to its end. Raises OSError if it cannot be run, through no fault of its own."""
        self._scratch.empty()
        try:
            return self._watch(*self._start_processes())
        finally:
            for pid in list(self._pids):
                self._end(pid)
            self._scratch.empty()

    def _start_processes(self) -> tuple[list[int], dict[int, str]]:
        """The processes of the program and, if there are any, of its tests; and the pipes to read from."""
        task = self._task
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        pipes = {out: "stdout", err: "stderr"}
        stdin = text_file(task["stdin"])
        self._stdin_inode = os.fstat(stdin).st_ino
        if not task["tests"]:
            self._fork(lambda: child.run_program(task["program"]), [stdin, out_end, err_end], scratch=True)
        else:
            tests_end, program_end = socket.socketpair()
            files = [stdin, out_end, err_end, program_end.fileno()]
            self._fork(lambda: child.serve_program(task["program"]), files, scratch=True)
            program_end.close()
            tests: TestTask = json.loads(read_message(0))
            verdict, verdict_end = os.pipe()
            null = os.open(os.devnull, os.O_RDWR)
            files = [null, null, null, tests_end.fileno(), verdict_end]
            self._fork(lambda: child.run_tests(tests["tests"], tests["entry_point"]), files, scratch=False)
            tests_end.close()
            os.close(verdict_end)
            pipes |= {verdict: "verdict"}
        os.close(out_end)
        os.close(err_end)
        return list(self._pids), pipes

    def _fork(self, work: Callable[[], int], files: list[int], *, scratch: bool) -> None:
        """Run the work in a child process with these files as its file descriptors 0, 1, 2 …, limited and isolated."""
        setup_error, setup_error_end = os.pipe()
        parent, pid = os.getpid(), fork()
        if pid:
            os.close(setup_error_end)
            self._pids.append(pid)
            self._setup_errors.append(setup_error)
            return
        code, started = 120, False
        try:
            os.setsid()
            setup_error_end = os.dup2(setup_error_end, 90)
            for number, file in enumerate(files):
                os.dup2(file, number)
            isolation.die_with(parent)
            isolation.limit_resources(self._task["seconds"], self._task["memory"])
            if self._rules:
                self._rules.apply(scratch, inspectable=scratch and not self._scratch.bounded)
            os.closerange(len(files), 4096)
            started = True
            code = work()
        except BaseException as error:  # the child must never continue as its parent
            with contextlib.suppress(BaseException):
                if started:
                    traceback.print_exc()
                else:
                    os.write(setup_error_end, f"{type(error).__name__}: {error}"[:300].encode())
        finally:
            os._exit(code)

    def _watch(self, pids: list[int], pipes: dict[int, str]) -> ProgramReport:
        """Read all output until the end, or until a limit is exceeded."""
        output = {name: bytearray() for name in pipes.values()}
        poll, open_pipes, ended, last_check = select.poll(), set(pipes), "", 0.0
        poll.register(0, 0)  # reports when the parent hangs up
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
        if hasattr(os, "pidfd_open"):
            poll.register(os.pidfd_open(pids[0]), select.POLLIN)  # to wake up
        while not ended:
            over = _exited(pids[0]) if len(pids) == 1 else not any(pipes[file] == "verdict" for file in open_pipes)
            timeout = 0 if over else POLL_SECONDS * 1000
            ready = [file for file, _ in poll.poll(timeout) if file in open_pipes or file == 0]
            if over and not ready:
                break
            for file in ready:
                if file == 0:
                    raise EOFError
                part = os.read(file, 1 << 16)
                output[pipes[file]] += part
                if not part:
                    poll.unregister(file)
                    open_pipes.discard(file)
            if (now := time.monotonic()) - last_check > POLL_SECONDS:
                last_check, ended = now, self._exceeded_limit(pids)
            limits = {"verdict": MAX_VERDICT_BYTES}
            if any(len(data) > limits.get(name, self._task["output"]) for name, data in output.items()):
                ended = "output"
        return self._report(output, ended, pids)

    def _exceeded_limit(self, pids: list[int]) -> str:
        """The limit that the program or its tests exceed, or ""."""
        for pid, ended in zip(pids, ("time", "tests"), strict=False):
            if _cpu_seconds(pid) > self._task["seconds"]:
                return ended
        late = time.monotonic() - self._start - self._wall_seconds
        if late > 0 and late > min(sum(map(_waiting_seconds, pids)), WAITING_FACTOR * self._wall_seconds):
            return "time"
        with contextlib.suppress(OSError):
            if sys.platform == "linux" and len(os.listdir(f"/proc/{pids[0]}/task")) > MAX_THREADS:
                return "threads"
        with contextlib.suppress(OSError):
            if self._scratch.is_full(pids[0], self._stdin_inode):
                return "disk"
        return ""

    def _report(self, output: dict[str, bytearray], ended: str, pids: list[int]) -> ProgramReport:
        """End both processes, and report what became of them."""
        verdict = _parse_verdict(bytes(output.pop("verdict", b"")))
        lost, tests = bool(verdict and verdict["verdict"] == "lost"), ""
        if pids[1:]:
            code = self._end(pids[1], timeout=0.0 if ended else 1.0)
            if not verdict or code:
                tests = _LIMIT_SIGNALS.get(-code) or (_signal_name(code) if code < 0 else f"code {code}")
            tests = "time" if ended == "tests" else tests
        running = not _wait(pids[0], timeout=1.0 if lost and not ended else 0.0)
        code = self._end(pids[0])
        if not ended and running and lost:
            ended = "channel"
        elif not ended and not running and code < 0 and (lost or not pids[1:]):
            ended = _LIMIT_SIGNALS.get(-code) or _signal_name(code)
        elif not ended and tests:
            ended = "tests"
        for pipe in self._setup_errors:
            if message := os.read(pipe, 300):
                raise OSError(f"the sandbox cannot be set up: {message.decode('utf-8', 'replace')}")
        texts = {name: bytes(data).decode("utf-8", "replace") for name, data in output.items()}
        stdout, stderr = texts["stdout"], texts["stderr"]
        return ProgramReport(stdout=stdout, stderr=stderr, ended=ended, code=code, verdict=verdict, tests=tests)

    def _end(self, pid: int, timeout: float = 0.0) -> int:
        """The exit code of a process; it is killed unless it ends by itself within so many seconds."""
        _wait(pid, timeout)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)
        self._pids.remove(pid)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _parse_verdict(data: bytes) -> TestVerdict | None:
    """The verdict, if the data is a whole and valid one."""
    with contextlib.suppress(ValueError, RecursionError):
        verdict = json.loads(data)
        if isinstance(verdict, dict) and verdict.get("verdict") in _VERDICTS and isinstance(verdict.get("reason"), str):
            return TestVerdict(verdict=verdict["verdict"], reason=verdict["reason"])
    return None


def _wait(pid: int, timeout: float) -> bool:
    """Whether a process ends by itself within so many seconds."""
    deadline = time.monotonic() + timeout
    while not (exited := _exited(pid)) and time.monotonic() < deadline:
        time.sleep(0.001)
    return exited


def _exited(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_name(code: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    with contextlib.suppress(OSError):
        return time.clock_gettime(~pid << 3 | 2) if sys.platform == "linux" else 0.0  # the clock of another process
    return 0.0


def _waiting_seconds(pid: int) -> float:
    """Time that a process was ready to run and waited for a processor."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9
    return 0.0


def text_file(text: str) -> int:
    """A read-only file descriptor of an unlinked file that holds the text."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode("utf-8", "replace"))
        file.flush()
        return os.open(file.name, os.O_RDONLY)


def read_message(file: int) -> bytes:
    """A message from the parent, and not a byte more. Raises EOFError if the parent is gone."""
    return _read_exactly(file, struct.unpack(">I", _read_exactly(file, 4))[0])


def _read_exactly(file: int, length: int) -> bytes:
    parts: list[bytes] = []
    while length:
        part = os.read(file, min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def write_message(message: Json) -> None:
    """Write a message to the parent."""
    data = json.dumps(message).encode()
    data = struct.pack(">I", len(data)) + data
    while data:
        data = data[os.write(1, data) :]
