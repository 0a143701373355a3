"""Scores of a package's scorers, each in a fork with limits; and the loop of the process in which the package runs.

An answer such as 9**9**9**9 costs its row the score and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from selfsown.sandbox.forking import fork

TIMEOUT_SECONDS = 5.0  # for one score
MAX_MEMORY_BYTES = 4_000_000_000  # of one score, the package's own included


def serve(reply: Callable[[dict[str, Any]], Any]) -> None:
    """One request per line in, one reply per line out; {"error": …} where it cannot be met."""
    replies = os.dup(1)
    os.dup2(2, 1)  # what the package prints
    for line in sys.stdin:
        try:
            result = reply(json.loads(line))
        except Exception as error:  # of the package: its configurations assert, its generators give up
            result = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}
        _write(replies, json.dumps(result) + "\n")


def limited_score(score: Callable[[], float]) -> dict[str, Any]:
    """The score, from 0 to 1, and why it is 0 where the answer could not be scored."""
    read, write = os.pipe()
    child = fork()
    if not child:
        with contextlib.suppress(BaseException):
            os.close(read)
            _limit()
            try:
                value = float(score())
                result = {"score": value if value == value else 0.0, "reason": ""}  # not NaN
            except Exception as error:
                result = {"score": 0.0, "reason": f"the package cannot score it: {type(error).__name__}"}
            _write(write, json.dumps(result))
        os._exit(0)
    os.close(write)
    try:
        return _result(read)
    finally:
        os.close(read)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _result(read: int) -> dict[str, Any]:
    deadline, data = time.monotonic() + TIMEOUT_SECONDS, b""
    while select.select([read], [], [], max(0.0, deadline - time.monotonic()))[0]:
        if not (part := os.read(read, 65536)):
            break
        data += part
    else:
        return {"score": 0.0, "reason": f"scoring it took longer than {TIMEOUT_SECONDS:g} s"}
    if not data:
        return {"score": 0.0, "reason": "scoring it took too much memory"}
    result: dict[str, Any] = json.loads(data)
    return result


def _limit() -> None:
    if hasattr(resource, "RLIMIT_AS"):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write(file: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(file, data) :]
