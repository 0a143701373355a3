"""Near-duplicates from Parquet to Parquet by `selfsown dedup`, rensa, Daft and datatrove: texts with planted copies.

    python3 -m venv peers
    peers/bin/pip install rensa==0.5.0 daft==0.7.26 'datatrove[io,processing]==0.10.1'
    python -m benchmarks.near_duplicates --documents 50000 --python peers/bin/python --peer rensa --peer daft

Documents of 60 words, drawn by Zipf's law. A tenth of them are copies of others, with 2 or 4 words changed, in random
places. Each tool runs in a process of its own, and the tools of others under the interpreter named with --python. They
get runs of five words and a threshold of 0.7, and runs of two words and 0.6. For rensa that is the estimate from which
it drops a document. Daft and datatrove drop what shares a band, so there it is (1 / bands) ** (1 / hashes of a band),
as datatrove defines it. A copy counts as found if it or its original was dropped, any other document that was dropped
as wrongly dropped. CPU seconds and memory are those of all processes of a tool.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

WORDS, KINDS = 60, 50_000
CHANGES = (2, 4)
POLL_SECONDS = 0.5
SETTINGS = {  # arguments of benchmarks.near_duplicate_tools for each line of the table
    "rensa": {
        "rensa, 5 words, 0.7": "5 0.7 16",
        "rensa, 2 words, 0.6": "2 0.6 16",
        "rensa, 2 words, 0.6, 32 bands": "2 0.6 32",
    },
    "daft": {"Daft, 5 words, 0.7": "5 16 8", "Daft, 2 words, 0.6": "2 21 6"},
    "datatrove": {"datatrove, 5 words, 0.7": "5 16 8", "datatrove, 2 words, 0.6": "2 21 6"},
}


class Used(NamedTuple):
    """What a process and its children took: CPU seconds, seconds, and bytes at the peak."""

    cpu: float
    wall: float
    memory: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--peer", action="append", choices=[*SETTINGS], help="may be repeated; default: rensa")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the peers")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "documents.parquet"
        planted = write_documents(args.documents, source)
        measure("selfsown dedup", [sys.executable, "selfsown"], source, planted)
        for peer in args.peer or ["rensa"]:
            if subprocess.run([args.python, "-c", f"import {peer}"], capture_output=True).returncode:
                print(f"{peer}: not installed for {args.python}", flush=True)
                continue
            for label, numbers in SETTINGS[peer].items():
                measure(label, [args.python, peer, *numbers.split()], source, planted)


def write_documents(count: int, path: Path) -> dict[int, list[tuple[int, int]]]:
    """Write the documents; the pairs of a document and its copy, for each number of changed words."""
    draw = random.Random(0)
    vocabulary = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=draw.randrange(2, 10))) for _ in range(KINDS)]
    pool = draw.choices(vocabulary, [1 / (rank + 2.7) for rank in range(KINDS)], k=4_000_000)
    ids = draw.sample(range(count), count)
    copies, planted = count // 20, {changes: list[tuple[int, int]]() for changes in CHANGES}
    table, schema = list[tuple[int, str]](), pa.schema([("id", pa.int64()), ("text", pa.string())])
    for place in range(count - 2 * copies):
        words = draw.choices(pool, k=WORDS)
        table.append((ids[place], " ".join(words)))
        if place < 2 * copies:
            changes = CHANGES[place % 2]
            for changed in draw.sample(range(WORDS), changes):
                words[changed] = draw.choice(vocabulary)
            copy = ids[count - 1 - place]
            table.append((copy, " ".join(words)))
            planted[changes].append((ids[place], copy))
    table.sort()
    pq.write_table(pa.Table.from_arrays([pa.array(column) for column in zip(*table, strict=True)], schema=schema), path)
    return planted


def measure(label: str, tool: list[str], source: Path, planted: dict[int, list[tuple[int, int]]]) -> None:
    """Run a tool, given as its interpreter, its name and its settings, and print what it took and what it found."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "kept"
        folder.mkdir()
        python, *settings = tool
        used = run([python, "-m", "benchmarks.near_duplicate_tools", str(source), str(folder), *settings])
        if used is None:
            print(f"{label}: failed", flush=True)
            return
        parts = [pq.read_table(path, columns=["id"])["id"].to_pylist() for path in folder.glob("*.parquet")]
    report(label, pq.read_metadata(source).num_rows, used, planted, {number for part in parts for number in part})


def run(command: list[str]) -> Used | None:
    """Run a command whose last line is its own peak memory; None if it fails, with its errors printed."""
    start, before, memory = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN), 0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors)
        while process.poll() is None:
            memory = max(memory, resident(process.pid))
            time.sleep(POLL_SECONDS)
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            print(errors.read()[-2000:], file=sys.stderr)
            return None
        memory = max(memory, int(out.read().split()[-1]))
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Used(cpu, wall, memory)


def resident(number: int) -> int:
    """Bytes in memory of a process and its children at this moment."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(number)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
    return total


def report(label: str, count: int, used: Used, planted: dict[int, list[tuple[int, int]]], kept: set[int]) -> None:
    recalls = [sum(not kept.issuperset(pair) for pair in pairs) / len(pairs) for pairs in planted.values()]
    involved = {number for pairs in planted.values() for pair in pairs for number in pair}
    wrong = sum(number not in kept and number not in involved for number in range(count))
    print(
        f"{label:30} {count / used.cpu:9,.0f} documents/CPU s   {used.cpu:7,.1f} CPU s   {used.wall:7,.1f} s"
        f"   {used.memory / 1e9:5.2f} GB   recall {recalls[0]:.3f} {recalls[1]:.3f}   wrongly dropped {wrong}",
        flush=True,
    )


if __name__ == "__main__":
    main()
