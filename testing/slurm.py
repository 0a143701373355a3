"""A Slurm of the two nodes of `TwoNodes`, which takes Slurm's programs (Debian's package slurm-wlm).

with TwoNodes(folder, started=False) as nodes, slurm(nodes): nodes.begin(0, "sbatch", …)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from testing.two_nodes import ADDRESSES, TwoNodes

START_SECONDS = 30
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}({addresses[0]})
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/slurmctld
SlurmdSpoolDir={folder}/slurmd-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
NodeName=first NodeHostname={host} NodeAddr={addresses[0]} Port=17001 CPUs={cores}
NodeName=second NodeHostname={host} NodeAddr={addresses[1]} Port=17002 CPUs={cores}
PartitionName=all Nodes=first,second Default=YES State=UP
"""


def available() -> bool:
    """Whether Slurm's daemons are on this machine."""
    return all(shutil.which(program) for program in ("slurmctld", "slurmd", "sbatch", "srun", "sinfo"))


@contextmanager
def slurm(nodes: TwoNodes) -> Iterator[None]:
    """Slurm runs on both nodes, its controller on the first one; `nodes.settings` say where it is configured."""
    folder = nodes.folder / "slurm"
    for name in ("slurmctld", "slurmd-first", "slurmd-second"):
        (folder / name).mkdir(parents=True)
    path = folder / "slurm.conf"
    values = {"host": os.uname().nodename, "addresses": ADDRESSES, "folder": folder, "cores": nodes.cores}
    path.write_text(CONFIGURATION.format(**values), encoding="utf-8")
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n", encoding="utf-8")  # it looks for none at its start
    nodes.settings["SLURM_CONF"] = str(path)
    daemons = [nodes.begin(0, "slurmctld", "-D", "-f", str(path))]
    try:
        for place, name in enumerate(("first", "second")):
            daemons.append(nodes.begin(place, "slurmd", "-D", "-N", name, "-f", str(path)))
        _wait_until_idle(nodes)
        yield
    finally:
        for daemon in daemons:
            daemon.terminate()
        for daemon in daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.communicate(timeout=START_SECONDS)
            daemon.kill()


def _wait_until_idle(nodes: TwoNodes) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        command = nodes.within(0, "sinfo", "--noheader", "--format=%D %t")
        if subprocess.run(command, env=nodes.settings, capture_output=True, text=True).stdout.split() == ["2", "idle"]:
            return
        time.sleep(0.5)
    raise TimeoutError(f"Slurm did not start within {START_SECONDS} s; see {nodes.folder / 'slurm'}")
