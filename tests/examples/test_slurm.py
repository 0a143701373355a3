"""The job script for Slurm: it brings Ray up on each node, runs the command on it, and ends what it started.

Run by Slurm itself where it is installed, and everywhere with stand-ins for its programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from testing import slurm
from testing.two_nodes import ADDRESSES, TwoNodes, available

SCRIPT = Path(__file__).parents[2] / "examples" / "slurm" / "ray.sbatch"
SRUN = """#!/bin/bash
# As Slurm's: runs a command on the node of --nodelist.
while [[ $1 == --* ]]; do
    if [[ $1 == --nodelist=* ]]; then node=${1#--nodelist=}; fi
    shift
done
echo "$node: $*" >> "$LOG"
exec ip netns exec "$node" "$@"
"""


SCONTROL = """#!/bin/bash
if [ "$2" = hostnames ]; then printf '%s\\n' NAMES; else echo "   NodeAddr=IP NodeHostName=$3 Version=22.05.8"; fi
"""
COMMAND = "import ray, sys; ray.init(sys.argv[2], log_to_driver=False); print(ray.cluster_resources()['CPU'])"
needs_nodes = pytest.mark.skipif(not available(), reason="network namespaces take root and `ip`")


def write_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


def with_path(nodes: TwoNodes, *folders: Path) -> None:
    path = [*map(str, folders), str(Path(sys.executable).parent), os.environ["PATH"]]
    nodes.settings["PATH"] = os.pathsep.join(path)


def test_without_a_command_it_says_how_to_use_it() -> None:
    done = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sbatch")


@pytest.mark.slow
@needs_nodes
def test_the_command_gets_a_cluster_of_all_nodes_and_nothing_is_left(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with TwoNodes(tmp_path, started=False) as nodes:
        write_program(tmp_path, "srun", SRUN)
        write_program(
            tmp_path, "scontrol", SCONTROL.replace("NAMES", " ".join(nodes.names)).replace("IP", ADDRESSES[0])
        )
        job = {"SLURM_JOB_NODELIST": "node[a-b]", "SLURM_JOB_ID": "123456", "SLURM_CPUS_PER_TASK": "3"}
        nodes.settings |= {**job, "LOG": str(tmp_path / "srun.log")}
        with_path(nodes, tmp_path)
        process = nodes.begin(0, "bash", str(SCRIPT), sys.executable, "-c", COMMAND)
        out, error = process.communicate(timeout=150)
        assert process.returncode == 0, error
        assert f"Ray runs on 2 of 2 nodes: {ADDRESSES[0]}:23456" in out
        assert out.splitlines()[-1] == "6.0"
        assert not any(nodes.workers(place) for place in (0, 1))
    started = (tmp_path / "srun.log").read_text(encoding="utf-8")
    assert f"{nodes.names[1]}: ray start --block --num-cpus=3 --address={ADDRESSES[0]}:23456" in started


@pytest.mark.slow
@needs_nodes
@pytest.mark.skipif(not slurm.available(), reason="Slurm is not installed")
def test_slurm_runs_it(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    log = tmp_path / "job.log"
    with TwoNodes(tmp_path, cores=2, started=False) as nodes:
        with_path(nodes)
        with slurm.slurm(nodes):
            job = ("--wait", "--nodes=2", "--cpus-per-task=2", f"--output={log}", str(SCRIPT))
            process = nodes.begin(0, "sbatch", *job, sys.executable, "-c", COMMAND)
            printed = process.communicate(timeout=200)
            assert process.returncode == 0, (printed, log.read_text(encoding="utf-8"))
            assert not any(nodes.workers(place) for place in (0, 1))
    lines = log.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"Ray runs on 2 of 2 nodes: {ADDRESSES[0]}:") for line in lines)
    assert "4.0" in lines
