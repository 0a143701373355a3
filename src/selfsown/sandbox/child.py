"""What the forked processes do: one runs the program, and perhaps answers for it; one runs the tests."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import json
import os
import site
import socket
import sys
import threading
import traceback
import types

from selfsown.sandbox import program_side, test_verdict
from selfsown.sandbox.protocol import Gone, Line


def run(program: str) -> int:
    """The program as if it were started by its name; its exit code."""
    return _closed(_executed(program, types.ModuleType("__main__")))


def serve(program: str) -> int:
    """The program as if it were imported, then the line to its tests."""
    module = types.ModuleType("program")
    failure = _executed(program, module)
    with contextlib.suppress(Gone, OSError):
        program_side.offer(Line(socket.socket(fileno=3)), module, failure)
    return 0


def judge(tests: str, entry: str) -> int:
    """Say the verdict on what the program at the other end defines."""
    said = json.dumps(test_verdict.judged(Line(socket.socket(fileno=3)), tests, entry)).encode()
    while said:
        said = said[os.write(4, said) :]
    return 0


def _executed(program: str, module: types.ModuleType) -> BaseException | None:
    for name in ("stdin", "stdout", "stderr"):
        file = getattr(sys, f"__{name}__").fileno()
        stream = open(file, "r" if file == 0 else "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    site.setquit()
    sys.argv = ["program.py"]
    sys.modules[module.__name__] = module
    vars(module)["__builtins__"] = builtins
    try:
        exec(compile(program, "<program>", "exec", dont_inherit=True), vars(module))
    except BaseException as error:  # a program may raise whatever it likes
        return error
    return None


def _closed(failure: BaseException | None) -> int:
    """What the interpreter does at its end."""
    code = 0
    if isinstance(failure, SystemExit):
        code = failure.code if isinstance(failure.code, int) else int(failure.code is not None)
        if code and not isinstance(failure.code, int):
            print(failure.code, file=sys.stderr)
    elif failure is not None:
        traceback.print_exception(failure)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code & 255
