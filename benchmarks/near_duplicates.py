"""Near-duplicates from Parquet to Parquet: `selfsown dedup` and rensa, on documents with planted copies.

    pip install rensa==0.5.0
    python -m benchmarks.near_duplicates --documents 1000000

Documents of 60 words, drawn by Zipf's law. A tenth of them are copies of others, with 2 or 4 words changed, in random
places. Each tool runs in a process of its own. rensa drops what its deduplicator calls a duplicate, with 128
permutations over runs of five words, or of two, at a threshold of 0.7 and 0.6. A copy counts as found if it or its
original was dropped, any other document that was dropped as wrongly dropped.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

WORDS, KINDS, BATCH = 60, 50_000, 10_000
CHANGES = (2, 4)
TOOLS = {"selfsown dedup": "selfsown", "rensa, 5 words, 0.7": "rensa 5 0.7", "rensa, 2 words, 0.6": "rensa 2 0.6"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--tool", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tool:
        run(args.tool.split(), args.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planted = write_documents(args.documents, folder / "documents.parquet")
        for label, tool in TOOLS.items():
            command = [sys.executable, "-m", "benchmarks.near_duplicates", "--tool", tool, "--folder", name]
            done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            kept = set(pq.read_table(folder / "kept.parquet", columns=["id"])["id"].to_pylist())
            report(label, args.documents, done, planted, kept)
            (folder / "kept.parquet").unlink()


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


def report(
    label: str, count: int, done: dict[str, float], planted: dict[int, list[tuple[int, int]]], kept: set[int]
) -> None:
    recalls = [sum(not kept.issuperset(pair) for pair in pairs) / len(pairs) for pairs in planted.values()]
    involved = {number for pairs in planted.values() for pair in pairs for number in pair}
    wrong = sum(number not in kept and number not in involved for number in range(count))
    print(
        f"{label:22} {count / done['cpu']:9,.0f} documents/CPU s   {done['cpu']:7,.1f} CPU s   {done['wall']:7,.1f} s"
        f"   {done['memory'] / 1e9:5.2f} GB   recall {recalls[0]:.3f} {recalls[1]:.3f}   wrongly dropped {wrong}",
        flush=True,
    )


def run(tool: list[str], folder: Path) -> None:
    """Deduplicate folder/documents.parquet to folder/kept.parquet, and print what it took."""
    start = time.monotonic()
    source, out = folder / "documents.parquet", folder / "kept.parquet"
    if tool[0] == "selfsown":
        from selfsown.audit.data_source import ColumnNames
        from selfsown.audit.dedup import dedup

        dedup(str(source), out, [], ColumnNames(text="text"))
    else:
        with_rensa(source, out, int(tool[1]), float(tool[2]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime + children.ru_utime + children.ru_stime
    print(json.dumps({"cpu": cpu, "wall": time.monotonic() - start, "memory": used.ru_maxrss * 1024}))


def with_rensa(source: Path, out: Path, size: int, threshold: float) -> None:
    import rensa

    deduplicator = rensa.RMinHashDeduplicator(threshold=threshold, num_perm=128, use_lsh=True, num_bands=16, seed=42)
    with pq.ParquetFile(source) as file, pq.ParquetWriter(out, file.schema_arrow) as writer:
        for batch in file.iter_batches(BATCH):
            words = [text.lower().split() for text in batch["text"].to_pylist()]
            shingles = [[" ".join(part[at : at + size]) for at in range(len(part) - size + 1)] for part in words]
            sketches = rensa.RMinHash.from_token_sets(shingles, 128, 42)
            keys = map(str, batch["id"].to_pylist())
            new = deduplicator.add_pairs(list(zip(keys, sketches, strict=True)))
            writer.write_batch(batch.filter(pa.array(new)))


if __name__ == "__main__":
    main()
