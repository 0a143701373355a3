"""Programs that attack: each must fail inside, and would succeed outside, so that the failing means something."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfsown.records import SelfsownError
from selfsown.sandbox.sandbox import Job, Outcome, Sandbox

# Each prints BREACH where it gets through. {secret}: a file that holds "treasure"; {port}, {path}, {abstract}: servers.
ATTACKS = {
    "read a file": "assert open('{secret}').read() == 'treasure'",
    "read the passwords": "assert open('/etc/passwd').read()",
    "list the home": "assert os.listdir('{home}')",
    "list the root": "assert os.listdir('/')",
    "read this repository": "assert open('{here}').read()",
    "read what is installed": "import pytest",
    "read the environment of another process": "assert open('/proc/{pid}/environ', 'rb').read() is not None",
    "read its own memory": "open('/proc/self/mem', 'rb')",
    "read through a symbolic link": "os.symlink('{secret}', 'link'); assert open('link').read() == 'treasure'",
    "read through a hard link": "os.link('{secret}', 'hard'); assert open('hard').read() == 'treasure'",
    "write outside": "open('{folder}/made', 'w')",
    "write over a file": "open('{secret}', 'a')",
    "cut a file": "os.truncate('{secret}', 8)",
    "move a file in": "os.rename('{secret}', 'mine'); os.rename('mine', '{secret}')",
    "make a folder": "os.mkdir('{folder}/folder-%d' % os.getpid())",
    "change a file's mode": "os.chmod('{secret}', 0o644)",
    "change a file's times": "os.utime('{secret}')",
    "make a pipe with a name": "os.mkfifo('{folder}/pipe-%d' % os.getpid())",
    "connect on the loopback": "socket.create_connection(('127.0.0.1', {port}), 2)",
    "listen on the loopback": "socket.create_server(('127.0.0.1', 0))",
    "send a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "connect to a socket with a path": "socket.socket(socket.AF_UNIX).connect('{path}')",
    "connect to an abstract socket": "socket.socket(socket.AF_UNIX).connect('\\0{abstract}')",
    "reach a socket through a pair": "socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', '{datagram}')",
    "fork": "os.fork() or os._exit(0)",
    "start a process": "assert subprocess.run(['/bin/true']).returncode == 0",
    "start a shell": "assert os.system('true') == 0",
    "become another program": "os.execv('/bin/echo', ['echo', 'BREACH'])",
    "leave the session": "assert os.fork() or os.setsid()",
    "signal its parent": "os.kill(os.getppid(), 0)",
    "signal another process": "os.kill({pid}, 0)",
    "raise its limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (32, 64))",
    "be traced by its parent": "assert libc.ptrace(0, 0, 0, 0) == 0",
    "call fork by its number": "pid = libc.syscall(57); assert pid >= 0; pid or os._exit(0)",
    "open by the system call": "assert libc.syscall(2, b'{secret}', 0) >= 0",
    "make a namespace": "assert libc.unshare(0x10000000) == 0",
    "make a file of memory": "os.memfd_create('x')",
    "shared memory": "assert libc.shmget(0, 4096, 0o1600) >= 0",
}
HEAD = "import ctypes, os, resource, socket, subprocess\nlibc = ctypes.CDLL(None, use_errno=True)\n"


@pytest.fixture(scope="module")
def held() -> Iterator[Sandbox]:
    try:
        sandbox = Sandbox(cpu_seconds=1, workers=1)
    except SelfsownError as error:
        pytest.skip(str(error))
    with sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def bare() -> Iterator[Sandbox]:
    with Sandbox(cpu_seconds=1, workers=1, unsafe=True) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("treasure")
    abstract = f"selfsown-{os.getpid()}"
    servers = [socket.create_server(("127.0.0.1", 0), backlog=100)]
    for name in (str(folder / "stream"), f"\0{abstract}"):
        servers.append(socket.socket(socket.AF_UNIX))
        servers[-1].bind(name)
        servers[-1].listen(100)
    servers.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    servers[-1].bind(str(folder / "datagram"))
    found: dict[str, object] = {"secret": folder / "secret", "folder": folder, "here": __file__, "home": Path.home()}
    found |= {"port": servers[0].getsockname()[1], "path": folder / "stream", "abstract": abstract}
    yield found | {"datagram": folder / "datagram", "pid": os.getpid()}
    for server in servers:
        server.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_fails_inside_and_succeeds_outside(
    attack: str, held: Sandbox, bare: Sandbox, places: dict[str, object]
) -> None:
    program = f"{HEAD}{ATTACKS[attack].format(**places)}\nprint('BREACH')"
    inside, outside = held.run(Job(program)), bare.run(Job(program))
    assert "BREACH" not in inside.stdout
    assert inside.code != 0
    if attack != "read what is installed":  # a program finds the standard library alone, either way
        assert "BREACH" in outside.stdout, outside.stderr


BOMBS = {
    "an endless loop": ("while True: pass", "time"),
    "sleep": ("import time; time.sleep(60)", "time"),
    "no ear for signals": (
        "import signal\nfor each in (15, 2, 1, 24): signal.signal(each, signal.SIG_IGN)\nwhile True: pass",
        "time",
    ),
    "stop itself": ("import os; os.kill(os.getpid(), 19)", "time"),
    "a flood of output": ("while True: print('x' * 10000)", "output"),
    "a flood of complaints": ("import sys\nwhile True: sys.stderr.write('x' * 10000)", "output"),
    "output by the system call": ("import os\nwhile True: os.write(1, bytes(60000))", "output"),
    "files without end": ("for at in range(10**6): open(str(at), 'w').close()", None),
    "a full disk": ("for at in range(200): open(str(at), 'wb').write(bytes(10**6))", None),
    "one large file": ("open('large', 'wb').write(bytes(10**8))", ""),
    "memory": ("there = []\nwhile True: there.append(bytearray(10**7))", None),
    "memory at once": ("x = 'x' * 10**11", ""),
    "a bomb of forks": ("import os\nwhile True: os.fork()", ""),
    "a bomb of large threads": (
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
        None,
    ),
    "a bomb of small threads": (
        "import threading, time\nthreading.stack_size(32768)\n"
        "while True: threading.Thread(target=time.sleep, args=(60,)).start()",
        "threads",
    ),
    "recursion without end": ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()", None),
    "a number of many digits": ("9 ** 9 ** 9", None),
    "a closed line": ("import os\nos.closerange(0, 100)\nwhile True: pass", "time"),
}


IDLE_BOMBS = ("sleep", "stop itself", "a bomb of large threads")  # end by the wall time limit only: 3 s or more


@pytest.fixture(scope="module")
def short() -> Iterator[Sandbox]:
    """With a low CPU limit, since each bomb that computes takes that long."""
    try:
        sandbox = Sandbox(cpu_seconds=0.4, workers=1)
    except SelfsownError as error:
        pytest.skip(str(error))
    with sandbox:
        yield sandbox


@pytest.mark.parametrize("bomb", [bomb for bomb in BOMBS if bomb not in IDLE_BOMBS])
def test_a_bomb_ends_in_time_and_the_next_program_runs(bomb: str, short: Sandbox) -> None:
    start = time.monotonic()
    ended_as_expected(bomb, short.run(Job(BOMBS[bomb][0])))
    assert time.monotonic() - start < 30
    assert short.run(Job("print(1)")).stdout == "1\n"


def test_idle_bombs_end_in_time_and_the_next_program_runs(short: Sandbox) -> None:
    """Together, since all they do is wait."""
    start = time.monotonic()
    with Sandbox(cpu_seconds=0.4, workers=len(IDLE_BOMBS)) as sandbox:
        outcomes = list(sandbox.run_all([Job(BOMBS[bomb][0]) for bomb in IDLE_BOMBS]))
        assert time.monotonic() - start < 30
        for bomb, outcome in zip(IDLE_BOMBS, outcomes, strict=True):
            ended_as_expected(bomb, outcome)
        again = list(sandbox.run_all([Job("print(1)")] * len(IDLE_BOMBS)))
    assert [outcome.stdout for outcome in again] == ["1\n"] * len(IDLE_BOMBS)


def ended_as_expected(bomb: str, outcome: Outcome) -> None:
    ended = BOMBS[bomb][1]
    assert outcome.code != 0
    assert outcome.reason
    assert ended is None or outcome.ended == ended, outcome


def test_nothing_is_left_of_one_program_for_the_next(held: Sandbox) -> None:
    assert held.run(Job("open('kept', 'w').write('x'); import math; math.pi = 3")).code == 0
    found = held.run(Job("import math, os; print(os.listdir(), math.pi > 3, dict(os.environ))"))
    assert found.stdout == "[] True {}\n"


def test_no_file_of_the_sandbox_is_open_in_a_program(held: Sandbox) -> None:
    program = "import os\nfor at in range(3, 1000):\n try: os.fstat(at); print(at)\n except OSError: pass"
    assert held.run(Job(program)).stdout == ""


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        found += [int(child) for child in Path(f"/proc/{each}/task/{each}/children").read_text().split()]
    return found


@pytest.mark.parametrize("ending", ["close", "kill"])
def test_no_process_outlives_the_caller(held: Sandbox, ending: str) -> None:
    script = (
        "import sys, threading\nfrom selfsown.sandbox.sandbox import Job, Sandbox\n"
        "sandbox = Sandbox(cpu_seconds=60, workers=1)\n"
        "work = threading.Thread(target=sandbox.run, args=(Job('import time; time.sleep(50)'),), daemon=True)\n"
        "work.start()\nsys.stdin.read(1)\nsandbox.close()\n"
    )
    pipes: dict[str, int] = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", script], **pipes) as caller:
        until = time.monotonic() + 20
        while len(running := _descendants(caller.pid)) < 4:  # the caller, the supervisor, the watchdog and the program
            assert time.monotonic() < until
            time.sleep(0.05)
        if ending == "kill":
            caller.kill()
        else:
            caller.communicate(b"x")
    until = time.monotonic() + 5
    while any(_runs(pid) for pid in running):
        assert time.monotonic() < until
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"  # a zombie has ended
    except OSError:
        return False


def test_without_landlock_it_refuses_and_unsafe_runs_without_isolation(held: Sandbox) -> None:
    script = (
        "import ctypes, sys\nfrom selfsown.records import SelfsownError\n"
        "from selfsown.sandbox.sandbox import Job, Sandbox\n"
        "seccomp = ctypes.CDLL('libseccomp.so.2')\nseccomp.seccomp_init.restype = ctypes.c_void_p\n"
        "rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(0x7FFF0000)))\n"
        "assert seccomp.seccomp_rule_add(rules, ctypes.c_uint32(0x50026), 444, 0) == 0\n"
        "assert seccomp.seccomp_load(rules) == 0\n"
        "try:\n Sandbox()\nexcept SelfsownError as error:\n print(error)\n"
        "with Sandbox(unsafe=True) as sandbox:\n print(sandbox.run(Job('print(6 * 7)')).stdout)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "must be run in a sandbox, and this machine cannot provide one: this kernel's Landlock is missing" in said
    assert "unsafe: true" in said
    assert "42" in said
