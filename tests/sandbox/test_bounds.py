"""What a program may take of the machine is bounded, also where it hides it; what it lacks is said in words."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfsown.sandbox.sandbox import Job, Sandbox

pytestmark = pytest.mark.usefixtures("walled")

MEGABYTE = 1_000_000
WRITE = "def fill(f, size=15_000_000):\n    for at in range(0, size, 1 << 20): os.pwrite(f, b'x' * (1 << 20), at)\n"
OPEN = f"import ctypes, mmap, os, time\n{WRITE}def new(name='x'): return os.open(name, os.O_RDWR | os.O_CREAT)\n"
MAP = (
    "libc = ctypes.CDLL(None, use_errno=True)\nlibc.mmap.restype = ctypes.c_void_p\n"
    "libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]\n"
)
HIDDEN = {
    "unlinked and open": "for _ in range(50):\n    f = new(); os.unlink('x'); fill(f)",
    "unlinked and reserved": "for _ in range(50):\n    f = new(); os.unlink('x'); os.posix_fallocate(f, 0, 15_000_000)",
    "unlinked and mapped": (
        f"{MAP}for _ in range(100):\n    f = new(); os.unlink('x'); fill(f)\n"
        "    libc.mmap(None, 4096, 1, 1, f, 0); os.close(f)"
    ),
    "unlinked and mapped for oneself": (
        f"{MAP}for _ in range(100):\n    f = new(); os.unlink('x'); fill(f)\n"
        "    libc.mmap(None, 4096, 1, 2, f, 0); os.close(f)"
    ),
    "written through a map": (
        "for _ in range(50):\n    f = new(); os.unlink('x'); os.ftruncate(f, 15_000_000)\n"
        "    m = mmap.mmap(f, 15_000_000); m[:] = b'x' * 15_000_000; m.close()"
    ),
    "without a name": "for _ in range(50): fill(os.open('.', os.O_RDWR | os.O_TMPFILE))",
    "replaced by another": "for _ in range(50):\n    f = new('y'); fill(f); os.rename('y', 'x')",
    "in place of the input": "for _ in range(50):\n    f = new(); os.unlink('x'); fill(f); os.dup2(f, 0); os.dup(f)",
    "copied": "f = new(); fill(f)\nfor at in range(50): os.copy_file_range(f, new(str(at)), 15_000_000, 0, 0)",
    "many with names": "for at in range(50): fill(new(str(at)))",
    "truncated and written at the end": "for at in range(50):\n f = new(str(at)); os.pwrite(f, b'x', 15**6); fill(f)",
}
# Run by a Python of its own: unbounded where the kernel mounts nothing for us.
SCRIPT = """
import ctypes, sys
from selfsown.sandbox.sandbox import Job, Sandbox
def forbid(call, *compares, code):
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(0x7FFF0000)))
    class Compare(ctypes.Structure):
        _fields_ = [("a", ctypes.c_uint), ("o", ctypes.c_int), ("x", ctypes.c_uint64), ("y", ctypes.c_uint64)]
    number = seccomp.seccomp_syscall_resolve_name(call)
    given = (Compare * len(compares))(*[Compare(*each) for each in compares])
    assert seccomp.seccomp_rule_add_array(rules, ctypes.c_uint32(0x50000 | code), number, len(compares), given) == 0
    assert seccomp.seccomp_load(rules) == 0
"""


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system where few others write, if there is one."""
    if os.access("/dev/shm", os.W_OK):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            yield Path(folder)
    else:
        yield tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="statvfs and seccomp of Linux")
@pytest.mark.parametrize(
    ("way", "mounts"),
    [
        pytest.param(way, mounts, marks=[pytest.mark.slow] * (mounts or at % 3 > 0))
        for mounts in (False, True)
        for at, way in enumerate(HIDDEN)
    ],
)
def test_what_a_program_stores_is_bounded_also_out_of_sight(way: str, mounts: bool, quiet: Path) -> None:
    """By a few times what it may store, where the guard has to look; there it is a matter of how fast it looks."""
    program = f"{OPEN}{HIDDEN[way]}\ntime.sleep(0.3)\nprint('BREACH')"
    script = SCRIPT + ("" if mounts else "forbid(b'unshare', code=1)\n")
    script += (
        f"with Sandbox(cpu_seconds=2, workers=1) as sandbox:\n    found = sandbox.run(Job({program!r}))\n"
        "    print(found.finished, found.ended, found.reason)\n"
        '    print(sandbox.run(Job(\'import os; open("a", "w").write("x"); print(os.listdir())\')).stdout)\n'
    )
    peak, stop = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(quiet, stop, peak))
    environment = os.environ | {"TMPDIR": str(quiet), "PYTHONPATH": os.pathsep.join(sys.path)}
    watch.start()
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    stop.set()
    watch.join()
    assert "['a']" in found.stdout, found
    assert found.stdout.startswith("False"), found.stdout
    assert not list(quiet.iterdir())
    assert peak[0] < (64 if mounts else 250) * MEGABYTE, f"{peak[0]:,} bytes"


def _watch(folder: Path, stop: threading.Event, peak: list[int]) -> None:
    start = os.statvfs(folder)
    while not stop.wait(0.002):
        now = os.statvfs(folder)
        peak[0] = max(peak[0], (start.f_bfree - now.f_bfree) * now.f_frsize)


HONEST = {
    "a file that has no name": (
        "import tempfile\nwith tempfile.TemporaryFile(dir='.') as f:\n"
        " f.write(b'x' * 5_000_000); f.seek(0); print(len(f.read()))",
        "5000000\n",
    ),
    "one after another": (
        "import os\nfor at in range(20):\n"
        " with open('x', 'wb') as f: f.write(b'x' * 2_000_000)\n os.unlink('x')\nprint(at)",
        "19\n",
    ),
    "many small ones": (
        "import os\nfor at in range(2000):\n"
        " with open(f'{at}', 'w') as f: f.write('x')\n os.remove(f'{at}')\nprint(at)",
        "1999\n",
    ),
    "a map": (
        "import mmap\nf = open('x', 'w+b'); f.truncate(1_000_000)\n"
        "m = mmap.mmap(f.fileno(), 0); m[:2] = b'ok'; print(m[:2])",
        "b'ok'\n",
    ),
    "a data base": (
        "import sqlite3\nc = sqlite3.connect('a.db'); c.execute('create table t (x)')\n"
        "c.executemany('insert into t values (?)', [(x,) for x in range(1000)]); c.commit()\n"
        "print(c.execute('select sum(x) from t').fetchone())",
        "(499500,)\n",
    ),
}


@pytest.mark.parametrize("case", HONEST)
def test_honest_programs_store_what_they_need(case: str) -> None:
    with Sandbox(workers=1) as sandbox:
        found = sandbox.run(Job(HONEST[case][0]))
    assert (found.stdout, found.finished) == (HONEST[case][1], True), found


_GRADE = """
from selfsown.grade.unit_tests import grade
from selfsown.records import Row, SelfsownError
rows = [Row("p", "def f(x): return x + 1", metadata={"tests": "assert f(1) == 2"})] * 3
Sandbox(workers=1).close()
FORBID
try:
    print(list(grade(rows)))
except SelfsownError as error:
    print(error.code, error)
"""
FORKS = {
    # a fork of its own, as os.fork is, by its flags; what starts a program shares its memory for the while
    "fork": "forbid(b'clone', (0, 7, 0x10100, 0), code=11)",
    "fork without memory": "forbid(b'clone', (0, 7, 0x10100, 0), code=12)",
    "start": "forbid(b'clone', (0, 7, 0x10000, 0), code=11); forbid(b'vfork', code=11); forbid(b'clone3', code=38)",
    "thread": "forbid(b'clone', (0, 7, 0x10000, 0x10000), code=11); forbid(b'clone3', code=38)",
}


SLOW = ("fork", "fork without memory")  # each waits twice until the sandbox gives up


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp of Linux")
@pytest.mark.parametrize("what", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else []) for name in FORKS])
def test_where_no_process_can_be_started_nothing_is_graded(what: str, tmp_path: Path) -> None:
    script = (SCRIPT + _GRADE).replace("FORBID", FORKS[what])
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert found.stdout.startswith("1 the sandbox cannot continue: no "), found
    assert "can be started" in found.stdout
    assert found.stdout.count("\n") == 1
    assert found.stderr == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() == 0, reason="root may start as many processes as it likes")
@pytest.mark.parametrize("most", range(1, 9))
def test_with_too_few_processes_it_grades_or_says_so(most: int, tmp_path: Path) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (COUNT, COUNT))".replace("COUNT", str(most))
    script = _GRADE.replace("Sandbox(workers=1).close()\nFORBID", limited)
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert found.stdout.startswith(("1 the sandbox cannot continue", "[Grade(score=1.0")), found
    assert found.stderr == ""


def test_a_program_that_computes_longer_than_a_part_of_a_second_is_ended() -> None:
    with Sandbox(cpu_seconds=0.2, workers=1) as sandbox:
        found = sandbox.run(Job("import time\nwhile time.process_time() < 0.6: pass\nprint('late')"))
        assert (found.ended, found.finished) == ("time", False)
        assert "0.2 s" in found.reason
        waits = sandbox.run(Job("import time\ntime.sleep(1.2)\nprint('waited')"))
    assert waits.finished, "by the clock it has three seconds at least"


def test_no_temporary_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(workers=1) as sandbox:
        assert sandbox.run(Job("open('x', 'w').write('x')")).finished
    assert not list(tmp_path.iterdir())
