"""Programs in, what became of them out: several at a time, each in processes of its own that nothing outlives."""

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
from typing import Any

from selfsown.parallel import ordered
from selfsown.records import SelfsownError

SOURCE = Path(__file__).parent.parent.parent
_SOFT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from selfsown.sandbox.supervisor import main; main()"

# What must fail, tried once before anything else is run: it prints what did not.
_PROBE = """
import ctypes, os, socket, sys
def attempt(name, work):
    try:
        work()
    except (OSError, MemoryError):
        return
    print(name)
attempt("files", lambda: open(os.path.join(os.path.dirname(os.getcwd()), "selfsown-probe"), "w"))
attempt("files", lambda: os.listdir("/"))
attempt("files", lambda: open("/proc/self/status"))
attempt("files", lambda: os.chmod(os.getcwd(), 0o700))
attempt("network", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("network", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("processes", os.fork)
attempt("processes", lambda: os.execv(sys.executable, [sys.executable, "-V"]))
attempt("signals", lambda: os.kill(os.getppid(), 0))
attempt("memory", lambda: bytearray(1 << 40))
if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0:
    print("ptrace")
if os.environ:
    print("environment")
with open("own", "w") as file:
    file.write("works")
print(open("own").read())
"""


@dataclass(frozen=True)
class Job:
    """A program, and what it is given: words on its standard input; or tests, with the name that they test."""

    program: str
    stdin: str = ""
    tests: str = ""
    entry: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a program.

    finished: it came to its own end, within its limits, with code 0. ended: what ended it before that (time, output,
    threads, disk, tests, line, or a signal's name), or "". passed: whether its tests said that it passes, None without
    tests. reason: all that in words, whichever way it went. broken: no program could pass such tests.
    """

    code: int
    stdout: str
    stderr: str
    finished: bool
    reason: str
    ended: str = ""
    passed: bool | None = None
    broken: bool = False


class Sandbox:
    """Runs programs, or refuses to exist where this machine cannot hold them.

    seconds: of computing, for each program; by the clock it may take three times as long. memory: MB. output: bytes
    on each stream. unsafe: without walls, by the user's own will.
    """

    _proved = False  # in this process, once

    def __init__(
        self, *, seconds: float = 3.0, memory: int = 512, output: int = 1_000_000, unsafe: bool = False, cells: int = 0
    ) -> None:
        self._limits = {"seconds": seconds, "memory": memory, "output": output}
        self._walled, self._cells = not unsafe, queue.SimpleQueue[_Cell | None]()
        self._all: list[_Cell] = []
        self._count = cells or _cores()
        for _ in range(self._count):
            self._cells.put(None)
        if self._walled and not Sandbox._proved:
            self._try()
            Sandbox._proved = True

    def each(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """What becomes of each program, in order."""
        try:
            yield from ordered(self.run, jobs, self._count, self.close)
        except RuntimeError as error:
            if "new thread" not in str(error):
                raise
            raise SelfsownError(_stuck("no thread can be started"), code=1) from error

    def run(self, job: Job) -> Outcome:
        cell = self._cells.get() or self._opened()
        try:
            found = cell.ask(job, self._limits)
        except BaseException:
            cell.close()
            self._cells.put(None)
            raise
        self._cells.put(cell)
        return _outcome(found, bool(job.tests), self._limits)

    def close(self) -> None:
        for cell in list(self._all):
            cell.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _opened(self) -> _Cell:
        try:
            cell = _Cell(self._walled)
        except BaseException:
            self._cells.put(None)
            raise
        self._all.append(cell)
        return cell

    def _try(self) -> None:
        found = self.run(Job(_PROBE))
        open_, last = found.stdout.split()[:-1], found.stdout.split()[-1:]
        if not found.finished or last != ["works"] or open_:
            self.close()
            said = f"a program reached: {', '.join(sorted(set(open_)))}" if open_ else found.reason
            raise SelfsownError(_refusal(f"it does not hold here: {said}"))


class _Cell:
    """A warden and the folder of its programs."""

    def __init__(self, walled: bool) -> None:
        self._box = os.path.realpath(tempfile.mkdtemp(prefix="selfsown-"))
        self._lock = threading.Lock()
        python = [sys.executable, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _SOFT, str(SOURCE), self._box]
        front = _bwrap(self._box) if walled else []
        first = self._start([*front, *python, "walled" if walled else "unsafe"])
        if front and "ready" not in first:  # in a container it may not be allowed to do its work
            self._end()
            first = self._start([*python, "walled"])
        if "ready" not in first:
            self.close()
            busy = first.get("busy")
            raise SelfsownError((_stuck if busy else _refusal)(first["lacks"]), code=1 if busy else 2)

    def _start(self, command: list[str]) -> dict[str, Any]:
        """What the warden says first."""
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
            shutil.rmtree(self._box, ignore_errors=True)
            raise SelfsownError(_stuck(f"no process can be started: {error.strerror}"), code=1) from error
        try:
            return self._receive()
        except EOFError:
            return {"lacks": "its process did not start"}

    def ask(self, job: Job, limits: dict[str, Any]) -> dict[str, Any]:
        """What the guard says became of the program; the tests follow when the program is on its way."""
        try:
            with contextlib.suppress(BrokenPipeError):  # it may have said why before it ended
                self._send({"program": job.program, "stdin": job.stdin, "tests": bool(job.tests), **limits})
                if job.tests:
                    self._send({"tests": job.tests, "entry": job.entry})
            found = self._receive()
        except EOFError as error:
            raise SelfsownError(_stuck("it ended while a program ran"), code=1) from error
        if "lacks" in found:
            raise SelfsownError(_stuck(found["lacks"]), code=1)
        return found

    def close(self) -> None:
        with self._lock:
            self._end()
            shutil.rmtree(self._box, ignore_errors=True)

    def _end(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # the warden hears it, and whatever it runs ends with it
        self._process.wait()
        self._process.stdout.close()

    def _send(self, message: Any) -> None:
        said = json.dumps(message).encode()
        assert self._process.stdin
        self._process.stdin.write(struct.pack(">I", len(said)) + said)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout
        head = self._process.stdout.read(4)
        if len(head) < 4:
            raise EOFError
        found: dict[str, Any] = json.loads(self._process.stdout.read(struct.unpack(">I", head)[0]))
        return found


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bwrap(own: str) -> list[str]:
    """Bubblewrap in front, where there is one: no network, no processes but these, and nothing that can be written."""
    command = shutil.which("bwrap")
    held = ["--unshare-all", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev-bind", "/dev/null", "/dev/null"]
    held += ["--proc", "/proc"]
    return [command, *held, "--bind", own, own, "--"] if command else []


def _refusal(why: str) -> str:
    return (
        f"programs that a model wrote are not run without a sandbox: {why}. "
        "On a machine that you can lose, unsafe: true runs them bare"
    )


def _stuck(why: str) -> str:
    return f"the sandbox cannot go on: {why}; nothing is said of the program; run again once the machine can"


def _outcome(found: dict[str, Any], tests: bool, limits: dict[str, Any]) -> Outcome:
    """In words what the guard says in short. Passed is what said so itself, and was not ended."""
    verdict, ended, code = found["verdict"], found["ended"], found["code"]
    spoken = verdict["verdict"] if verdict and tests and not ended else ""
    words = {
        "time": f"takes longer than {limits['seconds']:g} s",
        "output": f"writes more than {limits['output']:,} bytes",
        "threads": "starts too many threads",
        "disk": "fills its folder",
        "line": "leaves its tests and goes on without them",
        "tests": "its tests come to no verdict: "
        + {"time": f"they take longer than {limits['seconds']:g} s"}.get(found["tests"], f"ended by {found['tests']}"),
    }
    if ended:
        reason = words.get(ended, f"ends by {ended}")
    elif spoken == "lost":
        reason = f"ends by itself, with code {code}, before its tests"
    elif tests:
        reason = verdict["reason"] if verdict else "its tests come to no verdict"
    else:
        reason = (found["stderr"].strip().splitlines() or [""])[-1][:200] if code else "ends with code 0"
    return Outcome(
        code=code,
        stdout=found["stdout"],
        stderr=found["stderr"],
        finished=not ended and code == 0 and not tests,
        reason=reason or f"ends with code {code}",
        ended=ended,
        passed=spoken == "passed" if tests else None,
        broken=spoken == "broken",
    )
