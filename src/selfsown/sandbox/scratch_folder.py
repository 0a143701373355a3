"""The folder of a program, and how much it may hold: files that were unlinked and are still open or mapped count too.

Where the kernel lets us, the folder is a file system of its own in memory, and no larger. Elsewhere the guard adds up
what it finds.
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

DISK = 16_000_000  # bytes, in one file and in all
FILES = 256

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000  # of unshare
_PRIVATE, _HARMLESS = 0x44000, 0xE  # of mount: seen from nowhere else; no devices, no rights, no programs


class Store:
    """A folder, made empty for each program."""

    def __init__(self, folder: str, *, bounded: bool) -> None:
        """bounded: as the kernel can. In a process without threads, for it changes what that sees of the disk."""
        self._folder = folder
        self.bounded = bounded and sys.platform == "linux" and _bounded(folder)

    def empty(self) -> None:
        for each in os.scandir(self._folder):
            if each.is_dir(follow_symlinks=False):  # without walls there may be some
                shutil.rmtree(each.path, ignore_errors=True)
            else:
                os.unlink(each.path)
        os.utime(self._folder, (0, 0))  # so that any file that is made can be noticed

    def full(self, pid: int, known: int) -> bool:
        """Whether the process stores more than it may; known: the inode of the file that it was given to read."""
        if self.bounded:
            found = os.statvfs(self._folder)
            return (found.f_blocks - found.f_bfree - 1) * found.f_frsize > DISK
        if not os.stat(self._folder).st_mtime_ns:
            return False  # it never made a file
        listed = [each.stat(follow_symlinks=False) for each in os.scandir(self._folder)]
        listed += [each for each in _open(pid) if each.st_ino != known and not each.st_nlink]
        sizes = dict.fromkeys(self._mapped(pid), DISK)  # how much they hold cannot be seen
        sizes |= {each.st_ino: max(each.st_size, each.st_blocks * 512) for each in listed}
        return len(sizes) > FILES or sum(sizes.values()) > DISK

    def _mapped(self, pid: int) -> Iterator[int]:
        """The unlinked files of the folder that are mapped."""
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            if line.endswith(" (deleted)") and self._folder in line:
                yield int(line.split()[4])


def _open(pid: int) -> Iterator[os.stat_result]:
    """The plain files that a process has open."""
    for each in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found = os.stat(each.path)
            if stat.S_ISREG(found.st_mode):
                yield found


def _bounded(folder: str) -> bool:
    """Mount it, first as whoever may mount anything, then as the root of nothing but this process; each is tried in
    another process, for half of it would be worse than nothing."""
    for flags in (_NEW_MOUNTS, _NEW_MOUNTS | _NEW_USER):
        pid = fork()
        if not pid:
            with contextlib.suppress(BaseException):
                os._exit(0 if _mounted(folder, flags) else 1)
            os._exit(1)
        if not os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            return _mounted(folder, flags)
    return False


def _mounted(folder: str, flags: int) -> bool:
    libc, user, group = ctypes.CDLL(None, use_errno=True), os.geteuid(), os.getegid()
    if libc.unshare(flags):
        return False
    if flags & _NEW_USER:
        own = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
        for name, words in own.items():
            Path("/proc/self", name).write_text(words)
    options = f"size={DISK},nr_inodes={FILES + 1},mode=700".encode()
    mounts = libc.mount(None, b"/", None, ctypes.c_ulong(_PRIVATE), None)
    mounts = mounts or libc.mount(b"tmpfs", folder.encode(), b"tmpfs", ctypes.c_ulong(_HARMLESS), options)
    return not mounts
