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
import sys
from typing import NoReturn

from selfsown.sandbox import isolation
from selfsown.sandbox.forking import BUSY, fork
from selfsown.sandbox.scratch_folder import Store
from selfsown.sandbox.watchdog import Guard, answer, read

LOST = 7  # how a guard ends whose parent is gone

# Loaded once, so that no program waits for them; some need libraries that a program may not read.
_READY = """
abc array ast asyncio base64 bisect bz2 calendar cmath collections collections.abc contextlib copy csv ctypes
dataclasses datetime decimal enum fractions functools getpass hashlib heapq hmac html inspect io itertools json
locale logging lzma math numbers operator pickle pprint queue random re secrets shutil sqlite3 ssl statistics string
struct subprocess tempfile textwrap threading time timeit traceback types typing unicodedata unittest urllib.parse
uuid weakref xml.etree.ElementTree zlib zoneinfo
"""


def main() -> None:
    """Arguments: the folder of the programs, and whether there are walls. Says "ready", or what it lacks."""
    box, walled = sys.argv[1], sys.argv[2] == "walled"
    sys.path[:] = [each for each in sys.path if os.path.dirname(os.__file__) in (each, os.path.dirname(each))]
    os.environ.clear()
    try:
        store = Store(box, bounded=walled)
        os.chdir(box)
        _serve(store, isolation.Walls(box) if walled else None)
    except BrokenPipeError:
        pass  # the parent is gone already
    except OSError as error:
        answer({"lacks": error.strerror or str(error), "busy": error.errno in BUSY})
    finally:
        shutil.rmtree(box, ignore_errors=True)


def _serve(store: Store, built: isolation.Walls | None) -> None:
    for name in _READY.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    answer({"ready": True})
    while select.select([0], [], []):
        guard = fork()
        if not guard:
            _guarded(store, built)
        if os.waitstatus_to_exitcode(os.waitpid(guard, 0)[1]):
            return


def _guarded(store: Store, built: isolation.Walls | None) -> NoReturn:
    code = 1
    try:
        answer(Guard(json.loads(read(0)), store, built).outcome())
        code = 0
    except EOFError:
        code = LOST
    except BaseException as error:  # whatever it is, nothing is said of the program
        with contextlib.suppress(OSError):
            answer(
                {"lacks": (error.strerror if isinstance(error, OSError) else "") or f"{type(error).__name__}: {error}"}
            )
    finally:
        os._exit(code)
