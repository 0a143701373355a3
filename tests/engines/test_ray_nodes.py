"""`engine: ray` on two machines, one of which is lost: the same rows, and nothing paid twice but what was in flight."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml

from selfsown.records import Row
from selfsown.run_folder import RunFolder
from testing.two_nodes import ADDRESSES, TwoNodes, available

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not available(), reason="network namespaces take root and `ip`"),
]

PROMPTS, IN_FLIGHT = 200, 8
TEACHER = """
import json, signal, sys, threading
from testing.mock_server import Server

def say(prompt, body):
    return f"an answer to {prompt[-4:]}, number {body['seed'] % 7}"

over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())
with Server(host=sys.argv[1], port=8000, say=say, latency=float(sys.argv[2])) as server:
    over.wait()
    print(json.dumps(dict(server.asked)))
"""


def recipe(folder: Path) -> Path:
    lines = [json.dumps({"prompt": f"question {at:04}"}) + "\n" for at in range(PROMPTS)]
    (folder / "prompts.jsonl").write_text("".join(lines), encoding="utf-8")
    model = {"url": f"http://{ADDRESSES[0]}:8000/v1", "model": "m", "max_in_flight": IN_FLIGHT}
    tree = {"real": "prompts.jsonl", "teacher": {"endpoint": model}, "generate": [{"sample": {"n": 2}}]}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**tree, "curate": ["dedup"]}), encoding="utf-8")
    return path


def rows(folder: Path) -> list[Row]:
    return RunFolder(folder).rows("rows") or []


def made(nodes: TwoNodes, folder: Path, name: str, *, lose: int = 0, engine: tuple[str, ...] = ()) -> dict[str, int]:
    """How often each prompt was asked. lose: how often the second node is killed, and started again, meanwhile."""
    latency = 0.2 if lose else 0.0  # so that there is something to lose
    teacher = nodes.begin(0, sys.executable, "-c", TEACHER, ADDRESSES[0], str(latency))
    command = [sys.executable, "-m", "selfsown", "make", str(recipe(folder)), str(folder / name), "--no-report"]
    driver = nodes.begin(0, *command, *engine)
    for _ in range(lose):
        while not nodes.workers(1):
            assert driver.poll() is None, driver.communicate()
            time.sleep(0.1)
        time.sleep(3)
        assert nodes.workers(1), "the node has no part in the work any more"
        nodes.kill(1)
        nodes.start(1)
    printed = driver.communicate(timeout=200)
    assert driver.returncode == 0, printed
    teacher.send_signal(signal.SIGTERM)
    asked: dict[str, int] = json.loads(teacher.communicate(timeout=20)[0])
    return asked


def test_a_node_that_is_lost_costs_no_row_and_only_replies_in_flight(tmp_path: Path) -> None:
    with TwoNodes(tmp_path) as nodes:
        made(nodes, tmp_path, "here")
        ray = f"{{ray: {{address: '{nodes.address}', partition_rows: 64}}}}"
        asked = made(nodes, tmp_path, "there", lose=1, engine=("--set", f"engine={ray}"))
    assert rows(tmp_path / "there") == rows(tmp_path / "here")
    assert all(count >= 2 for count in asked.values())
    assert sum(asked.values()) - 2 * PROMPTS <= IN_FLIGHT // 2
