"""A Ray cluster of two nodes, each a network namespace of its own on this machine, which takes root and `ip`.

with TwoNodes(folder) as nodes: nodes.run("python", "-m", "selfsown", …), nodes.kill(1), nodes.start(1)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ADDRESSES = ("10.77.0.1", "10.77.0.2")
PORT = 6379
START_SECONDS = 90
# No statistics; as much of the processor as anybody else; workers of the tests' own interpreter.
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}


def available() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() or not shutil.which("ip"):
        return False
    made = subprocess.run(["ip", "netns", "add", f"probe{os.getpid()}"], capture_output=True)
    subprocess.run(["ip", "netns", "del", f"probe{os.getpid()}"], capture_output=True)
    return not made.returncode


class TwoNodes:
    """The first node is the head; the driver and servers run there. started: whether Ray runs on both."""

    def __init__(self, folder: Path, cores: int = 1, started: bool = True) -> None:
        self.folder, self.cores, self.started = folder, cores, started
        self.names = [f"node{os.getpid()}{place}" for place in "ab"]
        self.address = f"{ADDRESSES[0]}:{PORT}"
        self.settings = os.environ | SETTINGS

    def __enter__(self) -> TwoNodes:
        one, other = self.names
        for name in self.names:
            self._ip("netns", "add", name)
            self._ip("-n", name, "link", "set", "lo", "up")
        self._ip("link", "add", f"v{one}"[:15], "netns", one, "type", "veth", "peer", "name", "eth0", "netns", other)
        self._ip("-n", one, "link", "set", f"v{one}"[:15], "name", "eth0")
        for name, address in zip(self.names, ADDRESSES, strict=True):
            self._ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            self._ip("-n", name, "link", "set", "eth0", "up")
        for place in (0, 1) if self.started else ():
            self.start(place)
        return self

    def __exit__(self, *_: object) -> None:
        for place in (1, 0):
            self.kill(place)
            self._ip("netns", "del", self.names[place])

    def start(self, place: int) -> None:
        """Start Ray on a node, and wait until it is up."""
        where = (
            ["--head", f"--port={PORT}", "--include-dashboard=false"] if place == 0 else [f"--address={self.address}"]
        )
        ray = str(Path(sys.executable).parent / "ray")
        options = [
            f"--node-ip-address={ADDRESSES[place]}",
            f"--num-cpus={self.cores}",
            "--object-store-memory=100000000",
        ]
        with (self.folder / f"ray-{place}.log").open("ab") as log:
            command = self.within(place, ray, "start", *where, *options)
            subprocess.run(command, env=self.settings, stdout=log, stderr=log, timeout=START_SECONDS, check=True)

    def kill(self, place: int) -> None:
        """End all processes of a node at once."""
        for _ in range(20):
            for number in self._processes(place):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(0.1)
            if not self._processes(place):
                return

    def workers(self, place: int) -> list[int]:
        """The processes of a node that are workers of ours."""
        return [number for number in self._processes(place) if "ray::Worker" in _command(number)]

    def within(self, place: int, *command: str) -> list[str]:
        """The command that runs this one on a node."""
        return ["ip", "netns", "exec", self.names[place], *command]

    def begin(self, place: int, *command: str) -> subprocess.Popen[str]:
        """Start a process on a node."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.within(place, *command), env=self.settings, stdout=pipe, stderr=pipe, text=True)

    def _processes(self, place: int) -> list[int]:
        listed = subprocess.run(["ip", "netns", "pids", self.names[place]], capture_output=True, text=True, check=True)
        return list(map(int, listed.stdout.split()))

    @staticmethod
    def _ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _command(number: int) -> str:
    """Of a process; "" where it has ended."""
    try:
        return Path(f"/proc/{number}/cmdline").read_text()
    except OSError:
        return ""
