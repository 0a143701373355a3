"""The scratch folder of a program, and its size limit: unlinked files that are still open or mapped count as well.

Where the kernel allows it, the folder is a file system in memory (tmpfs) of just that size. Elsewhere the watchdog adds
up the sizes of the files.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from selfsown.sandbox.forking import fork

MAX_DISK_BYTES = 16_000_000  # in one file and in all
MAX_FILES = 256

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000  # flags of unshare
_MS_PRIVATE_REC = 0x44000  # flags of mount: visible to no other process
_MS_NOSUID_NODEV_NOEXEC = 0xE


class ScratchFolder:
    """A folder, emptied for each program. bounded: whether the kernel limits its size."""

    def __init__(self, folder: str, *, bounded: bool) -> None:
        """bounded: let the kernel limit its size if it can. Call it in a process without threads: it changes what the
        process sees of the disk."""
        self._folder = folder
        self.bounded = bounded and sys.platform == "linux" and _try_mount(folder)

    def empty(self) -> None:
        for entry in os.scandir(self._folder):
            if entry.is_dir(follow_symlinks=False):  # without isolation there may be some
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        os.utime(self._folder, (0, 0))  # so that the creation of any file shows

    def is_full(self, pid: int, stdin_inode: int) -> bool:
        """Whether the process stores more than it may; its standard input, a file, does not count."""
        if self.bounded:
            status = os.statvfs(self._folder)
            return (status.f_blocks - status.f_bfree - 1) * status.f_frsize > MAX_DISK_BYTES
        if not os.stat(self._folder).st_mtime_ns:
            return False  # it never created a file
        files = [entry.stat(follow_symlinks=False) for entry in os.scandir(self._folder)]
        files += [file for file in _open_files(pid) if file.st_ino != stdin_inode and not file.st_nlink]
        sizes = dict.fromkeys(self._mapped_inodes(pid), MAX_DISK_BYTES)  # their size cannot be seen
        sizes |= {file.st_ino: max(file.st_size, file.st_blocks * 512) for file in files}
        return len(sizes) > MAX_FILES or sum(sizes.values()) > MAX_DISK_BYTES

    def _mapped_inodes(self, pid: int) -> Iterator[int]:
        """The unlinked files of the folder that are mapped into memory."""
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            if line.endswith(" (deleted)") and self._folder in line:
                yield int(line.split()[4])


def _open_files(pid: int) -> Iterator[os.stat_result]:
    """The regular files that a process has open."""
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            status = os.stat(entry.path)
            if stat.S_ISREG(status.st_mode):
                yield status


def _try_mount(folder: str) -> bool:
    """Mount a tmpfs on the folder: first with the rights that this process has, then as root of a new user namespace.
    Each is tried in a child process first, since a half-done attempt would be worse than none."""
    for flags in (_CLONE_NEWNS, _CLONE_NEWNS | _CLONE_NEWUSER):
        pid = fork()
        if not pid:
            with contextlib.suppress(BaseException):
                os._exit(0 if _mount(folder, flags) else 1)
            os._exit(1)
        if not os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            return _mount(folder, flags)
    return False


def _mount(folder: str, flags: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(flags):
        return False
    if flags & _CLONE_NEWUSER:
        settings = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
        for name, setting in settings.items():
            Path("/proc/self", name).write_text(setting)
    options = f"size={MAX_DISK_BYTES},nr_inodes={MAX_FILES + 1},mode=700".encode()
    failed = libc.mount(None, b"/", None, ctypes.c_ulong(_MS_PRIVATE_REC), None)
    flag_word = ctypes.c_ulong(_MS_NOSUID_NODEV_NOEXEC)
    failed = failed or libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flag_word, options)
    return not failed
