"""What the forked processes do: one runs the program, and serves it to its tests; one runs the tests."""

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
from selfsown.sandbox.protocol import ChannelClosed, MessageChannel


def run_program(program: str) -> int:
    """Run the program as a script; its exit code."""
    return _shut_down(_execute(program, types.ModuleType("__main__")))


def serve_program(program: str) -> int:
    """Run the program as if it were imported, then answer its tests."""
    module = types.ModuleType("program")
    failure = _execute(program, module)
    with contextlib.suppress(ChannelClosed, OSError):
        program_side.serve(MessageChannel(socket.socket(fileno=3)), module, failure)
    return 0


def run_tests(tests: str, entry_point: str) -> int:
    """Run the tests on what the program at the other end defines, and write the verdict."""
    verdict = test_verdict.judge(MessageChannel(socket.socket(fileno=3)), tests, entry_point)
    data = json.dumps(verdict).encode()
    while data:
        data = data[os.write(4, data) :]
    return 0


def _execute(program: str, module: types.ModuleType) -> BaseException | None:
    """The exception that ended the program, or None."""
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
    except BaseException as error:  # a program may raise anything
        return error
    return None


def _shut_down(failure: BaseException | None) -> int:
    """What the interpreter does at its exit; the exit code."""
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
