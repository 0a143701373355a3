"""What `selfsown make` costs over a plain script, from start to rows on disk, against a server on the loopback.

    python benchmarks/make.py --prompts 20000                 # wall, CPU and memory, against plain aiohttp
    python benchmarks/make.py --prompts 200000 --rounds 1     # does memory grow?
    python benchmarks/make.py --judge                         # generate, then judge: is either kept waiting?
    python benchmarks/make.py --first                         # seconds until the first request

The plain script is aiohttp with a semaphore, and writes a line of JSON for each answer as it comes. `make` reads the
prompts from a file, keeps every reply and call in its journal, drops duplicates and writes Parquet. Each runs in a
process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parent.parent / "tests" / "server.py"
WORDS = "tell me something about the following number, at length and in your own words, please: " * 3

sys.path.insert(0, str(SERVER.parent))


def plain(url: str, prompts: list[str], in_flight: int, folder: Path) -> int:
    import aiohttp

    async def work() -> int:
        places, done = asyncio.Semaphore(in_flight), 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            with (folder / "replies.jsonl").open("w", encoding="utf-8") as file:

                async def ask(prompt: str) -> None:
                    nonlocal done
                    async with places:
                        body = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
                        async with session.post(f"{url}/chat/completions", json=body) as response:
                            said = (await response.json())["choices"][0]["message"]["content"]
                    file.write(json.dumps({"prompt": prompt, "text": said}) + "\n")
                    done += 1

                await asyncio.gather(*(ask(prompt) for prompt in prompts))
        return done

    return asyncio.run(work())


def recipe(url: str, prompts: Path, in_flight: int, judge: bool) -> dict[str, Any]:
    there = {"endpoint": {"url": url, "model": "m", "in_flight": in_flight}}
    found: dict[str, Any] = {"name": "b", "real": str(prompts), "teacher": there, "generate": [{"sample": {"n": 1}}]}
    found |= {"curate": ["min_score", "dedup"]}
    if judge:
        found |= {
            "judge": {"endpoint": {**there["endpoint"], "model": "judge"}},
            "grade": [{"self_consistency": {"samples": 1}}],
        }
    return found


def written(folder: Path, count: int) -> Path:
    path = folder / "prompts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"prompt": f"{WORDS}{at}", "answer": ""}) + "\n" for at in range(count))
    return path


def measured(arm: str, url: str, count: int, in_flight: int) -> None:
    """Do it in this process, and print what it took, imports included for neither."""
    import aiohttp  # noqa: F401

    if arm != "plain":
        from selfsown.pipeline import make
        from selfsown.recipe.recipe import Recipe
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        path = written(folder, count)
        start, cpu = time.monotonic(), time.process_time()
        if arm == "plain":
            done = plain(url, [json.loads(line)["prompt"] for line in path.open(encoding="utf-8")], in_flight, folder)
        else:
            done = make(Recipe.of(recipe(url, path, in_flight, arm == "judged")), folder / "made").made
        found = {"wall": time.monotonic() - start, "cpu": time.process_time() - cpu}
    assert done == count, f"{done} of {count} answered"
    found["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps(found))


def in_turn(arms: tuple[str, ...], given: argparse.Namespace, url: str) -> dict[str, dict[str, float]]:
    """The medians of each arm's rounds."""
    took: dict[str, list[dict[str, float]]] = {arm: [] for arm in arms}
    for _ in range(given.rounds):
        for arm in arms:
            order = [sys.executable, __file__, *sys.argv[1:], "--arm", arm, "--url", url]
            took[arm].append(json.loads(subprocess.run(order, check=True, capture_output=True, text=True).stdout))
    return {arm: {key: statistics.median(each[key] for each in took[arm]) for key in took[arm][0]} for arm in arms}


def first(rounds: int) -> None:
    """From the start of the command to the first request that a server hears."""
    from server import Server

    with tempfile.TemporaryDirectory(dir=".") as name:
        folder, took = Path(name), list[float]()
        path = written(folder, 200)
        for turn in range(rounds):
            with Server(latency=0.001) as server:
                tree = {**recipe(server.url, path.absolute(), 8, False), "name": f"b{turn}"}
                (folder / "b.json.yaml").write_text(json.dumps(tree), encoding="utf-8")
                start = time.monotonic()
                order = [sys.executable, "-m", "selfsown", "make", "b.json.yaml", f"made{turn}"]
                process = subprocess.Popen(order, cwd=folder, stdout=subprocess.DEVNULL)
                while not server.bodies and process.poll() is None:
                    time.sleep(0.001)
                took.append(time.monotonic() - start)
                assert process.wait() == 0
    print(f"first request after {statistics.median(took):.2f} s (from {min(took):.2f} to {max(took):.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=20000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        return measured(given.arm, given.url, given.prompts, given.in_flight)
    if given.first:
        return first(max(5, given.rounds))
    order = [sys.executable, str(SERVER), "--latency", str(given.latency)]
    server = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    url = server.stdout.readline().strip()
    try:
        took = in_turn(("make", "judged") if given.judge else ("plain", "make"), given, url)
    finally:
        server.kill()
    print("|  | wall s | CPU ms a request | peak MB |\n|---|---|---|---|")
    for arm, found in took.items():
        calls = given.prompts * (2 if arm == "judged" else 1)
        print(f"| {arm} | {found['wall']:.2f} | {1000 * found['cpu'] / calls:.3f} | {found['mb']:.0f} |")
    ideal = given.prompts * given.latency / given.in_flight
    print(f"ideal: {ideal:.2f} s, if nothing but the server's latency took time")
    last, before = (took[arm]["wall"] for arm in reversed(took))
    print(f"**ratio**: {last / before:.2f}; to the ideal: {last / ideal:.2f}")
    return None


if __name__ == "__main__":
    main()
