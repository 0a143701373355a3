"""What an endpoint costs over a plain script: wall, CPU and memory, journal on, against a server on the loopback.

    python benchmarks/endpoint.py --prompts 5000 --in-flight 256 --latency 0.05

The plain script is aiohttp with a semaphore, and writes each answer as one line of JSON, once, at its arrival.
Both run in turns, each in a process of its own, as does the server; the ratios are of the medians.
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
from collections.abc import Callable
from pathlib import Path

SERVER = Path(__file__).parent.parent / "tests" / "server.py"
WORDS = "tell me something about the following number, at length and in your own words, please: " * 3


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


def ours(url: str, prompts: list[str], in_flight: int, folder: Path) -> int:
    from selfsown.journal import Journal
    from selfsown.models.endpoint import create

    journal = Journal(folder / "replies.sqlite")
    model = create([], 0, journal, url=url, model="m", in_flight=in_flight)
    replies = model.complete(prompts)
    journal.close()
    return sum(not reply.failure for (reply,) in replies)


ARMS: dict[str, Callable[[str, list[str], int, Path], int]] = {"plain": plain, "ours": ours}


def measured(arm: str, url: str, count: int, in_flight: int) -> None:
    """Do it in this process and print what it took, imports left out."""
    import aiohttp  # noqa: F401 – both need it

    import selfsown.models.endpoint  # noqa: F401 – its size is in the memory, its loading is not in the time

    prompts = [f"{WORDS}{at}" for at in range(count)]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        start, cpu = time.monotonic(), time.process_time()
        done = ARMS[arm](url, prompts, in_flight, Path(folder))
        found = {"wall": time.monotonic() - start, "cpu": time.process_time() - cpu}
    assert done == count, f"{done} of {count} answered"
    found["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=5000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--arm", choices=list(ARMS), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        return measured(given.arm, given.url, given.prompts, given.in_flight)
    order = [sys.executable, str(SERVER), "--latency", str(given.latency)]
    server = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    url = server.stdout.readline().strip()
    took: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    try:
        for _ in range(given.rounds):
            for arm in ARMS:
                order = [sys.executable, __file__, *sys.argv[1:], "--arm", arm, "--url", url]
                took[arm].append(json.loads(subprocess.run(order, check=True, capture_output=True, text=True).stdout))
    finally:
        server.kill()
    middle = {arm: {key: statistics.median(each[key] for each in took[arm]) for key in took[arm][0]} for arm in ARMS}
    print("|  | wall s | CPU ms a request | peak MB |\n|---|---|---|---|")
    for arm, found in middle.items():
        print(f"| {arm} | {found['wall']:.2f} | {1000 * found['cpu'] / given.prompts:.3f} | {found['mb']:.0f} |")
    ratios = [middle["ours"][key] / middle["plain"][key] for key in ("wall", "cpu")]
    print(f"| **ratio** | {ratios[0]:.2f} | {ratios[1]:.2f} | |")
    return None


if __name__ == "__main__":
    main()
