"""Runs untrusted programs, several at a time, each in processes of its own that nothing outlives."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from selfsown.errors import SelfsownError
from selfsown.parallel import map_ordered, usable_cores
from selfsown.sandbox.probe import PROBE
from selfsown.sandbox.protocol import Json, ProgramReport, ProgramTask, TestTask

SOURCE_FOLDER = Path(__file__).parent.parent.parent
_SUPERVISOR_CODE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from selfsown.sandbox.supervisor import main; main()"
)


@dataclass(frozen=True)
class Job:
    """A program with text for its standard input; or with tests, and the name of the function that they test."""

    program: str
    stdin: str = ""
    tests: str = ""
    entry_point: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a program.

    code: its exit code. finished: it ended by itself, within its limits, with code 0. ended: what stopped it (time,
    output, threads, disk, tests, channel, or a signal's name), or "". passed: whether its tests passed; None without
    tests. reason: a sentence that explains the outcome, good or bad. invalid_tests: no program could pass these tests.
    """

    code: int
    stdout: str
    stderr: str
    finished: bool
    reason: str
    ended: str = ""
    passed: bool | None = None
    invalid_tests: bool = False


@dataclass(frozen=True)
class _Limits:
    """Of each program. seconds: CPU; memory: MB; output: bytes on each stream."""

    seconds: float
    memory: int
    output: int


class Sandbox:
    """Runs programs in isolation. Raises SelfsownError if this machine cannot isolate them.

    cpu_seconds: CPU time limit of each program; its wall time limit is three times as long. memory_mb: limit of its
    address space. output_bytes: limit on each of its streams. unsafe: run programs without isolation. workers: programs
    at a time (0: one per processor).
    """

    _probed = False  # whether this process tried the attacks of PROBE

    def __init__(
        self,
        *,
        cpu_seconds: float = 3.0,
        memory_mb: int = 512,
        output_bytes: int = 1_000_000,
        unsafe: bool = False,
        workers: int = 0,
    ) -> None:
        self._limits = _Limits(cpu_seconds, memory_mb, output_bytes)
        self._isolated = not unsafe
        self._idle = queue.SimpleQueue[_Worker | None]()  # None: a worker that is not started yet
        self._workers: list[_Worker] = []
        self._count = workers or usable_cores()
        for _ in range(self._count):
            self._idle.put(None)
        if self._isolated and not Sandbox._probed:
            self._probe()
            Sandbox._probed = True

    def run_all(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """The outcome of each program, in order. Raises SelfsownError if no process or thread can be started."""
        try:
            yield from map_ordered(self.run, jobs, self._count, self.close)
        except RuntimeError as error:
            if "new thread" not in str(error):
                raise
            raise SelfsownError(_cannot_continue("no thread can be started"), code=1) from error

    def run(self, job: Job) -> Outcome:
        """The outcome of one program. Raises SelfsownError if no process can be started."""
        worker = self._idle.get() or self._start_worker()
        try:
            report = worker.run(job, self._limits)
        except BaseException:
            worker.close()
            self._idle.put(None)
            raise
        self._idle.put(worker)
        return _outcome(report, bool(job.tests), self._limits)

    def close(self) -> None:
        for worker in list(self._workers):
            worker.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _start_worker(self) -> _Worker:
        try:
            worker = _Worker(self._isolated)
        except BaseException:
            self._idle.put(None)
            raise
        self._workers.append(worker)
        return worker

    def _probe(self) -> None:
        outcome = self.run(Job(PROBE))
        breaches, last = outcome.stdout.split()[:-1], outcome.stdout.split()[-1:]
        if not outcome.finished or last != ["works"] or breaches:
            self.close()
            reason = f"a program got access to: {', '.join(sorted(set(breaches)))}" if breaches else outcome.reason
            raise SelfsownError(_refusal(f"isolation does not work here: {reason}"))


class _Worker:
    """A supervisor process and the scratch folder of its programs."""

    def __init__(self, isolated: bool) -> None:
        self._folder = os.path.realpath(tempfile.mkdtemp(prefix="selfsown-"))
        self._lock = threading.Lock()
        python = [sys.executable, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _SUPERVISOR_CODE]
        python += [str(SOURCE_FOLDER), self._folder]
        bubblewrap = _bubblewrap(self._folder) if isolated else []
        greeting = self._start([*bubblewrap, *python, "isolated" if isolated else "unsafe"])
        if bubblewrap and "ready" not in greeting:  # a container may not allow it
            self._end()
            greeting = self._start([*python, "isolated"])
        if "ready" not in greeting:
            self.close()
            busy = greeting.get("busy")
            message = (_cannot_continue if busy else _refusal)(greeting["error"])
            raise SelfsownError(message, code=1 if busy else 2)

    def _start(self, command: list[str]) -> dict[str, Json]:
        """Start a supervisor; its first message."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if command[0] == sys.executable else subprocess.DEVNULL,
                env={"PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            message = _cannot_continue(f"no process can be started: {error.strerror}")
            raise SelfsownError(message, code=1) from error
        try:
            return self._receive()
        except EOFError:
            return {"error": "its process did not start"}

    def run(self, job: Job, limits: _Limits) -> ProgramReport:
        """The watchdog's report on a program; the tests are sent after the program, once it is being run."""
        task = ProgramTask(
            program=job.program,
            stdin=job.stdin,
            tests=bool(job.tests),
            seconds=limits.seconds,
            memory=limits.memory,
            output=limits.output,
        )
        try:
            with contextlib.suppress(BrokenPipeError):  # it may have sent the cause before it ended
                self._send(task)
                if job.tests:
                    self._send(TestTask(tests=job.tests, entry_point=job.entry_point))
            reply = self._receive()
        except EOFError as error:
            raise SelfsownError(_cannot_continue("it ended while a program ran"), code=1) from error
        if "error" in reply:
            raise SelfsownError(_cannot_continue(reply["error"]), code=1)
        report: ProgramReport = reply["report"]
        return report

    def close(self) -> None:
        with self._lock:
            self._end()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # tells the supervisor to end, with everything that it runs
        self._process.wait()
        self._process.stdout.close()

    def _send(self, message: ProgramTask | TestTask) -> None:
        data = json.dumps(message).encode()
        assert self._process.stdin
        self._process.stdin.write(struct.pack(">I", len(data)) + data)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Json]:
        assert self._process.stdout
        head = self._process.stdout.read(4)
        if len(head) < 4:
            raise EOFError
        message: dict[str, Json] = json.loads(self._process.stdout.read(struct.unpack(">I", head)[0]))
        return message


def _bubblewrap(folder: str) -> list[str]:
    """The command to run something in bubblewrap, if it is installed: no network, no other processes, and a read-only
    file system but for the scratch folder."""
    command = shutil.which("bwrap")
    options = ["--unshare-all", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev-bind", "/dev/null", "/dev/null"]
    options += ["--proc", "/proc"]
    return [command, *options, "--bind", folder, folder, "--"] if command else []


def _refusal(reason: str) -> str:
    return (
        f"programs that a model wrote must be run in a sandbox, and this machine cannot provide one: {reason}. "
        "On a machine that you can afford to lose, unsafe: true runs them without isolation"
    )


def _cannot_continue(reason: str) -> str:
    return f"the sandbox cannot continue: {reason}; the program was not graded; run again when the machine is less busy"


def _outcome(report: ProgramReport, has_tests: bool, limits: _Limits) -> Outcome:
    """The report, with a reason in words. A program passed only if its tests reported it and nothing was stopped."""
    code, ended, verdict = report["code"], report["ended"], report["verdict"]
    result = verdict["verdict"] if verdict and has_tests and not ended else ""
    stopped_tests = f"were ended by {report['tests']}"
    if report["tests"] == "time":
        stopped_tests = f"took longer than {limits.seconds:g} s"
    reasons = {
        "time": f"takes longer than {limits.seconds:g} s",
        "output": f"writes more than {limits.output:,} bytes",
        "threads": "starts too many threads",
        "disk": "exceeds the disk limit of its folder",
        "channel": "closes the connection to its tests and continues without them",
        "tests": f"its tests gave no verdict: they {stopped_tests}",
    }
    if ended:
        reason = reasons.get(ended, f"ended by {ended}")
    elif result == "lost":
        reason = f"exits with code {code} before its tests end"
    elif has_tests:
        reason = verdict["reason"] if verdict else "its tests gave no verdict"
    else:
        reason = (report["stderr"].strip().splitlines() or [""])[-1][:200] if code else "exits with code 0"
    return Outcome(
        code=code,
        stdout=report["stdout"],
        stderr=report["stderr"],
        finished=not ended and code == 0 and not has_tests,
        reason=reason or f"exits with code {code}",
        ended=ended,
        passed=result == "passed" if has_tests else None,
        invalid_tests=result == "invalid",
    )
