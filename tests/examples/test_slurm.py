"""The job script for Slurm: it brings Ray up on each node, runs the command on it, and ends what it started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from testing.two_nodes import ADDRESSES, TwoNodes, available

SCRIPT = Path(__file__).parents[2] / "examples" / "slurm" / "ray.sbatch"
SRUN = """#!/bin/bash
# As Slurm's: runs a command on the node of --nodelist.
while [[ $1 == --* ]]; do
    if [[ $1 == --nodelist=* ]]; then node=${1#--nodelist=}; fi
    shift
done
echo "$node: $*" >> "$LOG"
if [ "$1" = hostname ]; then echo "IP "; exit; fi
exec ip netns exec "$node" "$@"
"""


def write_program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / name).chmod(0o755)


def test_without_a_command_it_says_how_to_use_it() -> None:
    done = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: sbatch")


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="network namespaces take root and `ip`")
def test_the_command_gets_a_cluster_of_all_nodes_and_nothing_is_left(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    command = "import ray, sys; ray.init(sys.argv[2], log_to_driver=False); print(ray.cluster_resources()['CPU'])"
    with TwoNodes(tmp_path, started=False) as nodes:
        write_program(tmp_path, "srun", SRUN.replace("IP", ADDRESSES[0]))
        write_program(tmp_path, "scontrol", f"#!/bin/bash\nprintf '%s\\n' {' '.join(nodes.names)}\n")
        job = {"SLURM_JOB_NODELIST": "node[a-b]", "SLURM_JOB_ID": "123456", "SLURM_CPUS_PER_TASK": "3"}
        path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
        nodes.settings |= {**job, "PATH": path, "LOG": str(tmp_path / "srun.log")}
        process = nodes.begin(0, "bash", str(SCRIPT), sys.executable, "-c", command)
        out, error = process.communicate(timeout=150)
        assert process.returncode == 0, error
        assert f"Ray runs on 2 of 2 nodes: {ADDRESSES[0]}:23456" in out
        assert out.splitlines()[-1] == "6.0"
        assert not any(nodes.workers(place) for place in (0, 1))
    started = (tmp_path / "srun.log").read_text(encoding="utf-8")
    assert f"{nodes.names[1]}: ray start --block --num-cpus=3 --address={ADDRESSES[0]}:23456" in started
