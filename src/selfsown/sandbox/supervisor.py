"""The process that forks: it waits for programs, and has a fresh child run each, and another one its tests.

It reads neither programs nor tests itself. For each program it forks a watchdog, which reads the program and forks the
process that runs it, and only then reads the tests and forks the process that runs those. So a program finds no trace
of other programs, nor of its tests. The watchdog ends both processes and writes the report.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import shutil
import sys
from typing import NoReturn

from selfsown.sandbox import isolation
from selfsown.sandbox.forking import BUSY_ERRORS, fork
from selfsown.sandbox.scratch_folder import ScratchFolder
from selfsown.sandbox.watchdog import Watchdog, read_message, write_message

PARENT_GONE = 7  # exit code of a watchdog whose parent is gone

# Loaded once, so that no program waits for them; some need libraries that a program may not read.
_PRELOADED_MODULES = """
abc array ast asyncio base64 bisect bz2 calendar cmath collections collections.abc contextlib copy csv ctypes
dataclasses datetime decimal enum fractions functools getpass hashlib heapq hmac html inspect io itertools json
locale logging lzma math numbers operator pickle pprint queue random re secrets shutil sqlite3 ssl statistics string
struct subprocess tempfile textwrap threading time timeit traceback types typing unicodedata unittest urllib.parse
uuid weakref xml.etree.ElementTree zlib zoneinfo
"""


def main() -> None:
    """Arguments: the scratch folder, and "isolated" or "unsafe". Writes {"ready": true}, or what the machine lacks."""
    folder, isolated = sys.argv[1], sys.argv[2] == "isolated"
    sys.path[:] = [path for path in sys.path if os.path.dirname(os.__file__) in (path, os.path.dirname(path))]
    os.environ.clear()
    try:
        scratch = ScratchFolder(folder, bounded=isolated)
        os.chdir(folder)
        _serve(scratch, isolation.Isolation(folder) if isolated else None)
    except BrokenPipeError:
        pass  # the parent is gone already
    except OSError as error:
        write_message({"error": error.strerror or str(error), "busy": error.errno in BUSY_ERRORS})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serve(scratch: ScratchFolder, rules: isolation.Isolation | None) -> None:
    for name in _PRELOADED_MODULES.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    write_message({"ready": True})
    while select.select([0], [], []):
        pid = fork()
        if not pid:
            _watch(scratch, rules)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            return


def _watch(scratch: ScratchFolder, rules: isolation.Isolation | None) -> NoReturn:
    """Run one program, in the forked watchdog process."""
    code = 1
    try:
        write_message({"report": Watchdog(json.loads(read_message(0)), scratch, rules).run()})
        code = 0
    except EOFError:
        code = PARENT_GONE
    except BaseException as error:  # whatever happened, nothing is reported about the program
        message = (error.strerror if isinstance(error, OSError) else "") or f"{type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            write_message({"error": message})
    finally:
        os._exit(code)
