"""What a program may do: Landlock for files, libseccomp for system calls, limits of the kernel for what it uses.

All of it binds the calling process for good, needs no rights, and holds for every thread that it starts.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import resource
import signal
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from selfsown.sandbox.scratch_folder import DISK

# What a Python program of one process needs. Whatever is not here fails with "operation not permitted".
CALLS = """
access arch_prctl brk clock_getres clock_gettime clock_nanosleep close close_range copy_file_range dup dup2 dup3
epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2 exit exit_group faccessat
faccessat2 fadvise64 fdatasync flock fstat fstatfs fsync ftruncate futex futex_waitv get_robust_list
getcwd getdents getdents64 getegid geteuid getgid getitimer getpgrp getpid getppid getrandom getsockname getsockopt
getresgid getresuid getrlimit getrusage gettid gettimeofday getuid lseek lstat madvise membarrier mincore mmap
mprotect mremap msync munmap nanosleep newfstatat pause pipe pipe2 poll ppoll pread64 preadv preadv2
pselect6 pwrite64 pwritev pwritev2 read readlink readlinkat readv recvfrom rename renameat renameat2 restart_syscall
riscv_flush_icache rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait
sched_getaffinity sched_yield select set_robust_list set_tid_address setitimer shutdown sigaltstack stat statfs
statx sysinfo time times truncate umask uname unlink unlinkat write writev
"""

_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EQUAL, _MASKED = 4, 7
_THREAD = 0x00010000  # of clone: a thread of the same process, no new one
_NAMELESS = getattr(os, "O_TMPFILE", 0) & ~getattr(os, "O_DIRECTORY", 0)  # of open
_TERMINAL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # what Python asks of a file: its kind, its size
_FILE = (0, 1, 2, 3, 4, 5, 6, 7, 1030)  # of fcntl: duplicates, flags and locks, but no signals to others

_READ, _LIST = 1 << 2, 1 << 3
_OWN = _READ | _LIST | 1 << 1 | 1 << 5 | 1 << 8 | 1 << 14  # plain files: read, write, make, remove, cut


class _Compare(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64))


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):  # the kernel's is packed; nothing follows that padding could move
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class Walls:
    """Made once, from what this machine has; put up in each process anew. OSError says what the machine lacks."""

    def __init__(self, folder: str) -> None:
        """folder: what a program may call its own."""
        if sys.platform != "linux":
            raise OSError(f"{platform.system()} has neither Landlock nor seccomp")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._abi = self._libc.syscall(444, None, 0, 1)
        if self._abi < 3:
            raise OSError("this kernel's Landlock is missing or too old; Linux 6.2 or later has what it takes")
        try:
            self._seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        except OSError as error:
            raise OSError("libseccomp is not installed; Debian and Ubuntu: apt install libseccomp2") from error
        self._filter = self._calls()
        self._files = {own: self._rules(folder if own else "") for own in (True, False)}

    def put_up(self, own: bool, *, seen: bool = False) -> None:
        """From here on: Python's library and, if so, the own folder; these system calls; no rights, and no way back.
        seen: the guard may see which files it has open."""
        self._checked(self._libc.prctl(38, 1, 0, 0, 0))  # no new privileges
        if not seen:
            self._checked(self._libc.prctl(4, 0, 0, 0, 0))  # no memory that another process may look at
        self._checked(self._libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()))
        self._checked(self._libc.syscall(446, self._files[own], 0))
        for call in ("kill", "tgkill"):
            self._rule(self._filter, call, {0: (_EQUAL, os.getpid(), 0)})
        self._checked(self._seccomp.seccomp_load(self._filter))

    def _rules(self, folder: str) -> int:
        """Landlock: whatever is not allowed is refused, wherever a link may point."""
        everything = (1 << 15) - 1 | (1 << 15 if self._abi >= 5 else 0)
        rules = _Rules(everything, 3 if self._abi >= 4 else 0, 3 if self._abi >= 6 else 0)
        size = 24 if self._abi >= 6 else 16 if self._abi >= 4 else 8
        ruleset = self._checked(self._libc.syscall(444, ctypes.byref(rules), size, 0))
        allowed = dict.fromkeys(_readable(), _READ | _LIST) | {"/dev/null": _READ | 1 << 1}
        for path, rights in (allowed | ({folder: _OWN} if folder else {})).items():
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            only = rights if os.path.isdir(path) else rights & ~_LIST
            self._checked(self._libc.syscall(445, ruleset, 1, ctypes.byref(_Beneath(only, place)), 0))
            os.close(place)
        return fcntl.fcntl(ruleset, fcntl.F_DUPFD_CLOEXEC, 100)  # out of the way of what a process begins with

    def _calls(self) -> ctypes.c_void_p:
        """Seccomp: what is allowed, some of it with these arguments alone."""
        self._seccomp.seccomp_init.restype = ctypes.c_void_p
        made = ctypes.c_void_p(self._seccomp.seccomp_init(0x00050000 | errno.EPERM))
        self._seccomp.seccomp_attr_set(made, 2, ctypes.c_uint32(_KILL))  # calls of another architecture
        self._seccomp.seccomp_attr_set(made, 8, 2)  # a binary tree, for speed; old versions know none
        for call in CALLS.split():
            self._rule(made, call, {})
        self._rule(made, "fallocate", {}, 0x00050000 | errno.EOPNOTSUPP)  # it fills a disk at once; who asks, writes
        for call, at in (("open", 1), ("openat", 2)):  # no file without a name: it is made, and unlinked, instead
            self._rule(made, call, {at: (_MASKED, _NAMELESS, 0)})
            self._rule(made, call, {at: (_MASKED, _NAMELESS, _NAMELESS)}, 0x00050000 | errno.EOPNOTSUPP)
        for call, argument, values in (("ioctl", 1, _TERMINAL), ("fcntl", 1, _FILE), ("prctl", 0, (15, 16))):
            for value in values:
                self._rule(made, call, {argument: (_EQUAL, value, 0)})
        self._rule(made, "clone", {0: (_MASKED, _THREAD, _THREAD)})
        self._rule(made, "clone3", {}, 0x00050000 | errno.ENOSYS)  # its arguments cannot be seen: clone, then
        self._rule(made, "prlimit64", {0: (_EQUAL, 0, 0), 2: (_EQUAL, 0, 0)})  # to read alone
        self._rule(made, "socketpair", {0: (_EQUAL, 1, 0), 1: (_MASKED, 0xF, 1)})
        self._rule(made, "sendto", {4: (_EQUAL, 0, 0)})  # on what is connected already
        return made

    def _rule(
        self, made: ctypes.c_void_p, call: str, arguments: Mapping[int, tuple[int, int, int]], action: int = _ALLOW
    ) -> None:
        """arguments: by place, the comparison and its numbers. A call that this machine does not know needs no rule."""
        number = self._seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            compares = (_Compare * len(arguments))(*[_Compare(at, *how) for at, how in arguments.items()])
            rule = (made, ctypes.c_uint32(action), number, len(arguments), compares)
            self._checked(self._seccomp.seccomp_rule_add_array(*rule))

    def _checked(self, code: int) -> int:
        if code < 0:
            raise OSError(ctypes.get_errno() or -code, "the sandbox cannot be put up")
        return int(code)


def tie(parent: int) -> None:
    """End with the parent, whatever ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit(seconds: float, memory: int) -> None:
    """seconds of computing; memory in MB. Each limit is the process's own, and none can be raised again."""
    whole = int(seconds) + (seconds > int(seconds))
    bounds = {"CPU": (whole, whole + 1), "AS": (memory << 20,) * 2, "FSIZE": (DISK,) * 2, "NOFILE": (64,) * 2}
    for name, bound in (bounds | {"CORE": (0, 0), "MEMLOCK": (0, 0), "MSGQUEUE": (0, 0)}).items():
        if hasattr(resource, f"RLIMIT_{name}"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), bound)


def _readable() -> list[str]:
    """Python's own library, without what was installed beside it, and the time zones."""
    found = []
    for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        beside = ("site-packages", "dist-packages")
        found += [str(each) for each in Path(folder).iterdir() if each.name not in beside and each.exists()]
    return [*found, *filter(os.path.exists, ["/usr/share/zoneinfo"])]
