"""Cost of `selfsown make` compared with a plain script, from start to rows on disk, with a server on the loopback.

    python -m benchmarks.make --prompts 20000                 # wall time, CPU and memory, compared with plain aiohttp
    python -m benchmarks.make --prompts 200000 --rounds 1     # does memory grow?
    python -m benchmarks.make --judge                         # generate and judge: does either wait for the other?
    python -m benchmarks.make --first                         # seconds until the first request

The plain script is aiohttp with a semaphore, and writes a line of JSON for each answer as it arrives. `make` reads the
prompts from a file, keeps every reply and request in its journal, removes duplicates and writes Parquet. Each runs in
a process of its own.
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

PROMPT = "tell me something about the following number, at length and in your own words, please: " * 3


def plain(url: str, prompts: list[str], in_flight: int, folder: Path) -> int:
    import aiohttp

    async def work() -> int:
        slots, done = asyncio.Semaphore(in_flight), 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            with (folder / "replies.jsonl").open("w", encoding="utf-8") as file:

                async def send(prompt: str) -> None:
                    nonlocal done
                    async with slots:
                        body = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
                        async with session.post(f"{url}/chat/completions", json=body) as response:
                            text = (await response.json())["choices"][0]["message"]["content"]
                    file.write(json.dumps({"prompt": prompt, "text": text}) + "\n")
                    done += 1

                await asyncio.gather(*(send(prompt) for prompt in prompts))
        return done

    return asyncio.run(work())


def recipe(url: str, prompts: Path, in_flight: int, judge: bool) -> dict[str, Any]:
    model = {"endpoint": {"url": url, "model": "m", "max_in_flight": in_flight}}
    result: dict[str, Any] = {"name": "b", "real": str(prompts), "teacher": model, "generate": [{"sample": {"n": 1}}]}
    result |= {"curate": ["min_score", "dedup"]}
    if judge:
        result |= {
            "judge": {"endpoint": {**model["endpoint"], "model": "judge"}},
            "grade": [{"self_consistency": {"samples": 2}}],
        }
    return result


def write_prompts(folder: Path, count: int) -> Path:
    path = folder / "prompts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"prompt": f"{PROMPT}{number}", "answer": ""}) + "\n" for number in range(count))
    return path


def measured(arm: str, url: str, count: int, in_flight: int) -> None:
    """Run one arm in this process, and print its cost, without imports."""
    import aiohttp  # noqa: F401

    if arm != "plain":
        from selfsown.pipeline import make
        from selfsown.recipe.recipe import Recipe
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        path = write_prompts(folder, count)
        start, cpu = time.monotonic(), time.process_time()
        if arm == "plain":
            done = plain(url, [json.loads(line)["prompt"] for line in path.open(encoding="utf-8")], in_flight, folder)
        else:
            done = make(Recipe.of(recipe(url, path, in_flight, arm == "judged")), folder / "made").made
        result = {"wall": time.monotonic() - start, "cpu": time.process_time() - cpu}
    assert done == count, f"{done} of {count} answered"
    result["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps(result))


def in_turn(arms: tuple[str, ...], args: argparse.Namespace, url: str) -> dict[str, dict[str, float]]:
    """The medians over the rounds of each arm."""
    results: dict[str, list[dict[str, float]]] = {arm: [] for arm in arms}
    for _ in range(args.rounds):
        for arm in arms:
            command = [sys.executable, "-m", "benchmarks.make", *sys.argv[1:], "--arm", arm, "--url", url]
            results[arm].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return {
        arm: {key: statistics.median(result[key] for result in results[arm]) for key in results[arm][0]} for arm in arms
    }


def first(rounds: int) -> None:
    """Seconds from the start of the command to the first request at the server."""
    from testing.mock_server import Server

    with tempfile.TemporaryDirectory(dir=".") as name:
        folder, seconds = Path(name), list[float]()
        path = write_prompts(folder, 200)
        for turn in range(rounds):
            with Server(latency=0.001) as server:
                tree = {**recipe(server.url, path.absolute(), 8, False), "name": f"b{turn}"}
                (folder / "b.json.yaml").write_text(json.dumps(tree), encoding="utf-8")
                start = time.monotonic()
                command = [sys.executable, "-m", "selfsown", "make", "b.json.yaml", f"made{turn}"]
                process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
                while not server.bodies and process.poll() is None:
                    time.sleep(0.001)
                seconds.append(time.monotonic() - start)
                assert process.wait() == 0
    print(f"first request after {statistics.median(seconds):.2f} s (from {min(seconds):.2f} to {max(seconds):.2f})")


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
    args = parser.parse_args()
    if args.arm:
        return measured(args.arm, args.url, args.prompts, args.in_flight)
    if args.first:
        return first(max(5, args.rounds))
    command = [sys.executable, "-m", "testing.mock_server", "--latency", str(args.latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    url = server.stdout.readline().strip()
    try:
        results = in_turn(("make", "judged") if args.judge else ("plain", "make"), args, url)
    finally:
        server.kill()
    print("|  | wall s | CPU ms per request | peak MB |\n|---|---|---|---|")
    for arm, result in results.items():
        calls = args.prompts * (3 if arm == "judged" else 1)
        print(f"| {arm} | {result['wall']:.2f} | {1000 * result['cpu'] / calls:.3f} | {result['mb']:.0f} |")
    ideal = args.prompts * args.latency / args.in_flight
    print(f"ideal: {ideal:.2f} s, with the server's latency alone")
    ours, other = (results[arm]["wall"] for arm in reversed(results))
    print(f"**ratio**: {ours / other:.2f}; to the ideal: {ours / ideal:.2f}")
    return None


if __name__ == "__main__":
    main()
