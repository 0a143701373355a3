"""The process that forks: it waits for programs, and has a fresh child run each, with another to run its tests.

This one reads no program and no test. For each it forks a guard, which reads the program and forks the process that
runs it, and only then reads the tests and forks the process that runs those. So a program finds no trace of any other,
nor of its tests. The guard watches both, ends them, and answers.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from selfsown.sandbox import inside, walls

POLL = 0.02  # seconds between looks at what a program has started and stored
THREADS, FILES = 64, 256  # of a program at once
PATIENCE = 3  # times as long may a program take by the clock as it may compute: others compute as well
LOST = 7  # how a guard ends whose parent is gone

# Loaded once, so that no program waits for them; some need libraries that a program may not read.
_READY = """
abc array ast asyncio base64 bisect bz2 calendar cmath collections collections.abc contextlib copy csv ctypes
dataclasses datetime decimal enum fractions functools getpass hashlib heapq hmac html inspect io itertools json
locale logging lzma math numbers operator pickle pprint queue random re secrets shutil sqlite3 ssl statistics string
struct subprocess tempfile textwrap threading time timeit traceback types typing unicodedata unittest urllib.parse
uuid weakref xml.etree.ElementTree zlib zoneinfo
"""

_USAGE = {signal.SIGXCPU: "time", signal.SIGKILL: "time", signal.SIGXFSZ: "disk"}


def main() -> None:
    """Arguments: the folder of the programs, and whether there are walls. Says "ready", or why it cannot be."""
    box, walled = sys.argv[1], sys.argv[2] == "walled"
    sys.path[:] = [each for each in sys.path if os.path.dirname(os.__file__) in (each, os.path.dirname(each))]
    os.environ.clear()
    os.chdir(box)
    try:
        _serve(box, walls.Walls(box) if walled else None)
    except BrokenPipeError:
        pass  # the parent is gone already
    except OSError as error:
        _answer({"lacks": error.strerror or str(error)})
    finally:
        shutil.rmtree(box, ignore_errors=True)


def _serve(box: str, built: walls.Walls | None) -> None:
    for name in _READY.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    _answer({"ready": True})
    while select.select([0], [], []):
        guard = os.fork()
        if not guard:
            _guarded(box, built)
        if os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1]):
            return


def _guarded(box: str, built: walls.Walls | None) -> NoReturn:
    code = 1
    try:
        task = json.loads(_read(0))
        _answer(_Guard(task, box, built).outcome())
        code = 0
    except EOFError:
        code = LOST
    finally:
        if code not in (0, LOST):
            traceback.print_exc()
        os._exit(code)


class _Guard:
    """One program, from its start to its end."""

    def __init__(self, task: dict[str, Any], box: str, built: walls.Walls | None) -> None:
        self._task, self._box, self._built = task, box, built
        self._pids: list[int] = []
        self._over = time.monotonic() + PATIENCE * task["seconds"]

    def outcome(self) -> dict[str, Any]:
        _empty(self._box)
        try:
            return self._watched(*self._started())
        finally:
            for pid in list(self._pids):
                self._end(pid)
            _empty(self._box)

    def _started(self) -> tuple[int, dict[int, str]]:
        """The process of the program, and the pipes to listen to; one process more where there are tests."""
        task = self._task
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        pipes = {out: "stdout", err: "stderr"}
        if not task["tests"]:
            program = self._fork(
                lambda: inside.run(task["program"]), [_text(task["stdin"]), out_end, err_end], own=True
            )
        else:
            ours, theirs = socket.socketpair()
            files = [_text(""), out_end, err_end, theirs.fileno()]
            program = self._fork(lambda: inside.serve(task["program"]), files, own=True)
            theirs.close()
            tests = json.loads(_read(0))
            said, said_end = os.pipe()
            null = os.open(os.devnull, os.O_RDWR)
            files = [null, null, null, ours.fileno(), said_end]
            self._fork(lambda: inside.judge(tests["tests"], tests["entry"]), files, own=False)
            ours.close()
            os.close(said_end)
            pipes |= {said: "verdict"}
        os.close(out_end)
        os.close(err_end)
        return program, pipes

    def _fork(self, work: Callable[[], int], files: list[int], *, own: bool) -> int:
        parent, pid = os.getpid(), os.fork()
        if pid:
            self._pids.append(pid)
            return pid
        code = 120
        try:
            os.setsid()
            for at, file in enumerate(files):
                os.dup2(file, at)
            walls.tie(parent)
            walls.limit(self._task["seconds"], self._task["memory"])
            if self._built:
                self._built.put_up(own)
            os.closerange(len(files), 4096)
            code = work()
        except BaseException:  # nothing of the child may go on as its parent
            with contextlib.suppress(BaseException):
                traceback.print_exc()
        finally:
            os._exit(code)

    def _watched(self, program: int, pipes: dict[int, str]) -> dict[str, Any]:
        """Listen to all that is said until the end, or until the program has gone too far."""
        said = {name: bytearray() for name in pipes.values()}
        listening, left, ended, looked = select.poll(), set(pipes), "", 0.0
        listening.register(0, 0)  # whether the parent hangs up
        for pipe in pipes:
            listening.register(pipe, select.POLLIN)
        if hasattr(os, "pidfd_open"):
            listening.register(os.pidfd_open(program), select.POLLIN)  # to wake up
        while not ended:
            over = _over(program) if "verdict" not in said else not any(pipes[file] == "verdict" for file in left)
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
                looked, ended = now, self._excess(program)
            ended = "output" if any(len(each) > self._task["output"] for each in said.values()) else ended
        return self._told(said, ended, program)

    def _excess(self, program: int) -> str:
        """Of what the program takes too much, if of anything."""
        if time.monotonic() > self._over:
            return "time"
        with contextlib.suppress(OSError):
            if sys.platform == "linux" and len(os.listdir(f"/proc/{program}/task")) > THREADS:
                return "threads"
        with contextlib.suppress(OSError):
            stored = [each.stat(follow_symlinks=False).st_size for each in os.scandir(self._box)]
            if len(stored) > FILES or sum(stored) > walls.DISK:
                return "disk"
        return ""

    def _told(self, said: dict[str, bytearray], ended: str, program: int) -> dict[str, Any]:
        text = {name: bytes(each).decode("utf-8", "replace") for name, each in said.items()}
        verdict = None
        with contextlib.suppress(ValueError):
            verdict = json.loads(text.pop("verdict", "null"))
        lost = bool(verdict and not verdict["passed"] and not verdict["reason"])
        code = self._end(program, patience=1.0 if lost else 0.0)
        if not ended and code < 0 and (lost or verdict is None):
            ended = _USAGE.get(signal.Signals(-code), signal.Signals(-code).name)
        return {**text, "ended": ended, "code": code, "verdict": verdict}

    def _end(self, pid: int, patience: float = 0.0) -> int:
        """The exit code of a process; it is ended unless it ends by itself."""
        until = time.monotonic() + patience
        while not _over(pid) and time.monotonic() < until:
            time.sleep(0.001)
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(pid, signal.SIGKILL)
        self._pids.remove(pid)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _over(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _text(words: str) -> int:
    """A file that holds the words, to be read alone."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(words.encode("utf-8", "replace"))
        file.flush()
        return os.open(file.name, os.O_RDONLY)


def _empty(box: str) -> None:
    for each in os.scandir(box):
        if each.is_dir(follow_symlinks=False):  # without walls there may be some
            shutil.rmtree(each.path, ignore_errors=True)
        else:
            os.unlink(each.path)


def _read(file: int) -> bytes:
    """A message from the parent; not a byte more is taken."""
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


def _answer(message: Any) -> None:
    said = json.dumps(message).encode()
    said = struct.pack(">I", len(said)) + said
    while said:
        said = said[os.write(1, said) :]
