"""What a program may do: Landlock for files, libseccomp for system calls, kernel limits for resources.

All of it binds the calling process for good and every thread that it starts, and needs no privileges.
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

from selfsown.sandbox.scratch_folder import MAX_DISK_BYTES

# What a Python program of one process needs. Every other call fails with "operation not permitted".
ALLOWED_CALLS = """
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

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # actions of seccomp
_EQUAL, _MASKED_EQUAL = 4, 7  # comparisons of seccomp
_CLONE_THREAD = 0x00010000  # a thread of the same process, not a new process
_O_TMPFILE = getattr(os, "O_TMPFILE", 0) & ~getattr(os, "O_DIRECTORY", 0)
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # what Python asks of a file: its kind, its size
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 1030)  # duplicates, flags and locks, but no signals to other processes

_READ, _LIST, _WRITE = 1 << 2, 1 << 3, 1 << 1  # rights of Landlock
_SCRATCH = _READ | _LIST | _WRITE | 1 << 5 | 1 << 8 | 1 << 14  # regular files: also create, remove, truncate


class _Compare(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64))


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):  # the kernel's is packed; nothing follows that padding could move
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


class Isolation:
    """The rules, built once per supervisor; each process applies them to itself."""

    def __init__(self, folder: str) -> None:
        """folder: the scratch folder of a program. Raises OSError with what this machine lacks."""
        if sys.platform != "linux":
            raise OSError(f"{platform.system()} has neither Landlock nor seccomp")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._abi = self._libc.syscall(444, None, 0, 1)
        if self._abi < 3:
            raise OSError("this kernel's Landlock is missing or too old; Linux 6.2 or later is required")
        try:
            self._seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        except OSError as error:
            raise OSError("libseccomp is not installed; Debian and Ubuntu: apt install libseccomp2") from error
        self._filter = self._build_filter()
        self._rulesets = {scratch: self._build_ruleset(folder if scratch else "") for scratch in (True, False)}

    def apply(self, scratch: bool, *, inspectable: bool = False) -> None:
        """From here on, and for good, this process can read Python's library and make the allowed system calls, without
        privileges. scratch: it can use the scratch folder; inspectable: the watchdog can list its open files."""
        self._checked(self._libc.prctl(38, 1, 0, 0, 0))  # no new privileges
        if not inspectable:
            self._checked(self._libc.prctl(4, 0, 0, 0, 0))  # no other process may read its memory
        self._checked(self._libc.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()))
        self._checked(self._libc.syscall(446, self._rulesets[scratch], 0))
        for call in ("kill", "tgkill"):
            self._add_rule(self._filter, call, {0: (_EQUAL, os.getpid(), 0)})
        self._checked(self._seccomp.seccomp_load(self._filter))

    def _build_ruleset(self, folder: str) -> int:
        """Landlock: access to any other path is denied, also through links."""
        everything = (1 << 15) - 1 | (1 << 15 if self._abi >= 5 else 0)
        rules = _Ruleset(everything, 3 if self._abi >= 4 else 0, 3 if self._abi >= 6 else 0)
        size = 24 if self._abi >= 6 else 16 if self._abi >= 4 else 8
        ruleset = self._checked(self._libc.syscall(444, ctypes.byref(rules), size, 0))
        allowed = dict.fromkeys(_readable_paths(), _READ | _LIST) | {"/dev/null": _READ | _WRITE}
        for path, rights in (allowed | ({folder: _SCRATCH} if folder else {})).items():
            file = os.open(path, os.O_PATH | os.O_CLOEXEC)
            applicable = rights if os.path.isdir(path) else rights & ~_LIST
            self._checked(self._libc.syscall(445, ruleset, 1, ctypes.byref(_PathBeneath(applicable, file)), 0))
            os.close(file)
        return fcntl.fcntl(ruleset, fcntl.F_DUPFD_CLOEXEC, 100)  # above the numbers that a child uses

    def _build_filter(self) -> ctypes.c_void_p:
        """Seccomp: the allowed calls, some with certain arguments only."""
        self._seccomp.seccomp_init.restype = ctypes.c_void_p
        rules = ctypes.c_void_p(self._seccomp.seccomp_init(_ERRNO | errno.EPERM))
        self._seccomp.seccomp_attr_set(rules, 2, ctypes.c_uint32(_KILL))  # calls of another architecture
        self._seccomp.seccomp_attr_set(rules, 8, 2)  # a binary tree, for speed; old versions ignore it
        for call in ALLOWED_CALLS.split():
            self._add_rule(rules, call, {})
        self._add_rule(rules, "fallocate", {}, _ERRNO | errno.EOPNOTSUPP)  # would fill a disk at once; callers write
        for call, flags in (
            ("open", 1),
            ("openat", 2),
        ):  # no files without a name: callers create and unlink one instead
            self._add_rule(rules, call, {flags: (_MASKED_EQUAL, _O_TMPFILE, 0)})
            self._add_rule(rules, call, {flags: (_MASKED_EQUAL, _O_TMPFILE, _O_TMPFILE)}, _ERRNO | errno.EOPNOTSUPP)
        for call, argument, values in (("ioctl", 1, _IOCTLS), ("fcntl", 1, _FCNTLS), ("prctl", 0, (15, 16))):
            for value in values:
                self._add_rule(rules, call, {argument: (_EQUAL, value, 0)})
        self._add_rule(rules, "clone", {0: (_MASKED_EQUAL, _CLONE_THREAD, _CLONE_THREAD)})
        self._add_rule(rules, "clone3", {}, _ERRNO | errno.ENOSYS)  # its arguments are unreadable; callers use clone
        self._add_rule(rules, "prlimit64", {0: (_EQUAL, 0, 0), 2: (_EQUAL, 0, 0)})  # to read limits only
        self._add_rule(rules, "socketpair", {0: (_EQUAL, 1, 0), 1: (_MASKED_EQUAL, 0xF, 1)})
        self._add_rule(rules, "sendto", {4: (_EQUAL, 0, 0)})  # on connected sockets only
        return rules

    def _add_rule(
        self, rules: ctypes.c_void_p, call: str, arguments: Mapping[int, tuple[int, int, int]], action: int = _ALLOW
    ) -> None:
        """arguments: by position, the comparison and its two numbers. A call that this machine lacks needs no rule."""
        number = self._seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            comparisons = (_Compare * len(arguments))(*[_Compare(index, *test) for index, test in arguments.items()])
            rule = (rules, ctypes.c_uint32(action), number, len(arguments), comparisons)
            self._checked(self._seccomp.seccomp_rule_add_array(*rule))

    def _checked(self, code: int) -> int:
        if code < 0:
            raise OSError(ctypes.get_errno() or -code, "the sandbox cannot be set up")
        return int(code)


def die_with(parent: int) -> None:
    """Let the kernel end this process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit_resources(seconds: float, memory: int) -> None:
    """seconds: of CPU; memory: MB. The limits hold for this process, and none can be raised again."""
    whole = int(seconds) + (seconds > int(seconds))
    bounds = {"CPU": (whole, whole + 1), "AS": (memory << 20,) * 2, "FSIZE": (MAX_DISK_BYTES,) * 2, "NOFILE": (64,) * 2}
    for name, bound in (bounds | {"CORE": (0, 0), "MEMLOCK": (0, 0), "MSGQUEUE": (0, 0)}).items():
        if hasattr(resource, f"RLIMIT_{name}"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), bound)


def _readable_paths() -> list[str]:
    """Python's standard library, without installed packages, and the time zones."""
    paths = []
    for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        installed = ("site-packages", "dist-packages")
        paths += [str(path) for path in Path(folder).iterdir() if path.name not in installed and path.exists()]
    return [*paths, *filter(os.path.exists, ["/usr/share/zoneinfo"])]
