"""`make` on a Ray cluster of this machine, compared with its threads: seconds, and whether the rows are the same.

    python -m benchmarks.cluster                        # programs that are executed: 1 and 2 workers, and threads
    python -m benchmarks.cluster --rows 200000 --cheap --kills 10    # many rows, and workers that are killed
    python -m benchmarks.cluster --nodes --kills 3      # two nodes in network namespaces, one of which is killed (root)
    python -m benchmarks.cluster --run                  # the same programs in a generation of `run`

The teacher is a server on the loopback, whose answers depend on the prompt and the seed alone. Its own processor time
is part of what the machine does. Without --cheap each answer is a program that is executed with tests.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from selfsown.run_folder import RunFolder
from testing.mock_server import Server
from testing.two_nodes import ADDRESSES, SETTINGS, TwoNodes

PORT, IN_FLIGHT = 8123, 32
WORDS = [f"word{number}" for number in range(20_000)]


def reply(prompt: str, body: dict[str, Any]) -> str:
    """A program that takes a millisecond, of which some are wrong."""
    number = int(prompt.split()[-1])
    wrong = number % 6 == 0
    loop = "    for step in range(20000):\n        total += step % 2 * 0\n"
    return f"```python\ndef f(x):\n    total = {number % 50 + wrong}\n{loop}    return x + total\n```"


def cheap_reply(prompt: str, body: dict[str, Any]) -> str:
    """A sentence, of which some are the same."""
    number = int(prompt.split()[-1])
    return f"{number} is the {body['seed'] % 97}th" if number % 5 else "the same answer"


def serve(host: str, cheap: bool) -> None:
    """Be the teacher until SIGTERM; then print the requests, the prompts, and the requests beyond one a prompt."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with Server(host=host, port=PORT, say=cheap_reply if cheap else reply, latency=0.005) as server:
        print("ready", flush=True)
        over.wait()
        asked = server.asked
        print(json.dumps([asked.total(), len(asked), sum(count - 1 for count in asked.values())]))


def write_recipe(folder: Path, rows: int, cheap: bool, host: str, run: bool = False) -> Path:
    chance = random.Random(0)
    with (folder / "prompts.jsonl").open("w", encoding="utf-8") as file:
        for number in range(rows):
            story = " ".join(chance.choices(WORDS, k=20))  # nearly all prompts are unlike, as users' are
            line = {"prompt": f"{story}. Write f, which adds {number}", "tests": f"assert f(1) == {number % 50 + 1}"}
            line |= {"answer": f"def f(x):\n    return x + {number % 50}"} if run else {}
            file.write(json.dumps(line) + "\n")
    model = {"url": f"http://{host}:{PORT}/v1", "model": "m", "max_in_flight": IN_FLIGHT}
    tree: dict[str, Any] = {
        "real": {"file": {"path": "prompts.jsonl", "metadata": ["tests"]}},
        "teacher": {"endpoint": model},
        "generate": [{"sample": {"n": 1}}],
        "grade": [] if cheap else ["unit_tests"],
        "curate": ["dedup", "dedup_near"] if cheap else ["min_score", "dedup", "dedup_near"],
    }
    if run:
        tree |= {"student": {"tiny": {"layers": 1, "width": 16}}, "mix": "accumulate", "train": {"sft": {"steps": 5}}}
        tree |= {"generations": 1, "evaluate": ["loss"], "goal": "loss", "held_out": 20, "chunk_rows": 100}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


@contextmanager
def teacher(begin: Callable[..., subprocess.Popen[str]], host: str, cheap: bool) -> Iterator[list[int]]:
    """A server; afterwards the list has the requests, the prompts, and the requests beyond one a prompt."""
    process = begin(sys.executable, "-m", "benchmarks.cluster", "--teacher", host, *(["--cheap"] if cheap else []))
    counts: list[int] = []
    assert process.stdout
    process.stdout.readline()
    try:
        yield counts
    finally:
        process.send_signal(signal.SIGTERM)
        counts += json.loads(process.communicate()[0])


def begin(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, env=os.environ | SETTINGS, stdout=subprocess.PIPE, text=True)


def kill_now_and_then(workers: Callable[[], list[int]], kills: int, over: threading.Event, killed: list[int]) -> None:
    chance = random.Random(0)
    while len(killed) < kills and not over.wait(chance.uniform(2, 6)):
        if there := workers():
            killed.append(chance.choice(there))
            os.kill(killed[-1], signal.SIGKILL)


def workers_here() -> list[int]:
    listed = subprocess.run(["pgrep", "-f", "ray::Worker"], capture_output=True, text=True).stdout
    return list(map(int, listed.split()))


def lose_node(nodes: TwoNodes, kills: int, over: threading.Event, killed: list[int]) -> None:
    while len(killed) < kills and not over.wait(1):
        if there := nodes.workers(1):
            if over.wait(4):
                return
            killed.append(there[0])
            nodes.kill(1)
            nodes.start(1)


def timed(command: list[str], start: Callable[..., subprocess.Popen[str]]) -> tuple[float, float]:
    """The seconds of the command, and the seconds of processor time of the driver alone."""
    began, used = time.monotonic(), 0.0
    process = start(*command)
    while process.poll() is None:
        used = max(used, processor_seconds(process.pid))
        time.sleep(0.2)
    assert process.returncode == 0, process.communicate()
    return time.monotonic() - began, used


def processor_seconds(process: int) -> float:
    """Used so far by a process itself; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(args: argparse.Namespace, folder: Path, nodes: TwoNodes | None) -> None:
    host = ADDRESSES[0] if nodes else "127.0.0.1"
    start = (lambda *command: nodes.begin(0, *command)) if nodes else begin
    recipe = write_recipe(folder, args.rows, args.cheap, host, args.run)
    place = f", address: '{nodes.address}'" if nodes else ""
    place += ", partition_rows: 100" if args.run else ""
    arms = {"threads": "threads"} | {f"ray, {n} workers": f"{{ray: {{workers: {n}{place}}}}}" for n in args.workers}
    expected = None
    for name, engine in arms.items():
        over, killed = threading.Event(), list[int]()
        arguments = (nodes, args.kills, over, killed) if nodes else (workers_here, args.kills, over, killed)
        killer = threading.Thread(target=lose_node if nodes else kill_now_and_then, args=arguments)
        out = folder / name.replace(", ", "-").replace(" ", "-")
        command = [
            sys.executable,
            "-m",
            "selfsown",
            "run" if args.run else "make",
            str(recipe),
            str(out),
            "--no-report",
        ]
        with teacher(start, host, args.cheap) as counts:
            if args.kills and name != "threads":
                killer.start()
            seconds, used = timed([*command, "--set", f"engine={engine}"], start)
            over.set()
        if args.kills and name != "threads":
            killer.join()
        rows = RunFolder(out).rows("generation-01/rows" if args.run else "rows") or []
        expected = expected or rows
        kept = sum(row.status == "kept" for row in rows)
        same = "the same rows" if rows == expected else "OTHER ROWS"
        print(
            f"{name}: {seconds:.1f} s, {len(rows):,} rows, {kept:,} kept, {same}; "
            f"{used:.1f} s of processor time of the driver; "
            f"{counts[0]:,} requests, {counts[2]:,} twice; {len(killed)} killed",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--cheap", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--nodes", action="store_true")
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--teacher", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.teacher:
        serve(args.teacher, args.cheap)
        return
    with tempfile.TemporaryDirectory() as name:
        if not args.nodes:
            measure(args, Path(name), None)
            return
        with TwoNodes(Path(name)) as nodes:
            measure(args, Path(name), nodes)


if __name__ == "__main__":
    main()
