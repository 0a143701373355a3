"""Decontamination: planted and hand-written copies found, clean rows rejected, and the time for many rows.

    python -m benchmarks.decontamination --data FOLDER --rows 100000

FOLDER has gsm8k_test.jsonl and gsm8k_train_1000.jsonl (openai/grade-school-math), self_instruct_seed_tasks.jsonl
(yizhongw/self-instruct), humaneval.jsonl.gz (openai/human-eval) and winogender_sentences.tsv
(rudinger/winogender-schemas). paraphrases.json beside this file has 66 paraphrases that were written by hand.

All settings were chosen with the paraphrases marked "choose", with the first 500 training problems of GSM8K as clean
rows, and with other seeds of planted copies; what is printed comes from the rest.

The rows for the time are written to a file first (.jsonl, or .parquet with --format parquet), read from it by the task
`file` and put through the curator, whose output is counted. They are made of sentences of GSM8K's training problems, so
they share most words with its test; the fifth benchmark has 10,000 made-up questions (--made-up). CPU and memory are
those of the process and all that it starts; of memory that processes share, each counts its part (PSS). The checksum
is of all reasons, in order: it must be the same with --processes 1.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from selfsown.contamination import searching
from selfsown.contamination.planted import planted_copies
from selfsown.contamination.questions import Question, read_benchmarks
from selfsown.curate.decontaminate import curate
from selfsown.records import Row
from selfsown.stats.intervals import share
from selfsown.tasks import file
from selfsown.text.content_words import features
from selfsown.text.reworded import RewordedIndex

FILES = ("gsm8k_test.jsonl", "self_instruct_seed_tasks.jsonl", "humaneval.jsonl.gz")
HANDWRITTEN = Path(__file__).with_name("paraphrases.json")
PER_KIND, SEED, CHOSEN_WITH = 300, 77, 500
Options = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SELFSOWN_DATA", "../shared/data")))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--time-only", action="store_true", help="leave the shares out")
    parser.add_argument("--processes", type=int, default=0, help="0: as the curator chooses, one for each core")
    parser.add_argument("--format", choices=["jsonl", "parquet"], default="jsonl")
    parser.add_argument("--made-up", type=int, default=10_000, help="questions of the fifth benchmark")
    parser.add_argument("--part", choices=["time"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(timed(args)))
        return
    if not args.time_only:
        accuracy(args.data)
    command = [sys.executable, "-m", "benchmarks.decontamination", "--part", "time", *sys.argv[1:]]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    cpu, seconds = done["cpu"] - done["index_cpu"], done["seconds"] - done["index_seconds"]
    print(
        f"{args.rows:,} rows against {done['questions']:,} questions of 5 benchmarks: {done['seconds']:.0f} s, "
        f"{done['cpu']:.0f} CPU s, of them the index {done['index_seconds']:.0f} s, {done['index_cpu']:.0f} CPU s; "
        f"after it {args.rows / seconds:,.0f} rows/s, {cpu / args.rows * 1e6:.0f} µs of CPU a row; "
        f"{done['memory'] / 1e9:.2f} GB; "
        f"{done['rejected']:,} rejected, checksum {done['checksum']}"
    )


def accuracy(data: Path) -> None:
    against: list[Any] = [str(data / name) for name in FILES]
    train = list(file.Task(str(data / "gsm8k_train_1000.jsonl")).pose(0))
    known, clean = train[:CHOSEN_WITH], train[CHOSEN_WITH:]
    benchmarks = read_benchmarks(against)
    questions = [question for own in benchmarks.values() for question in own]
    copies = planted_copies(questions, PER_KIND, SEED)
    written = [item for item in json.loads(HANDWRITTEN.read_text("utf-8"))["items"] if item["use"] == "report"]
    texts = {question.place: question.text for question in questions}
    for name, options in (("words alone", {"paraphrases": False}), ("by default", {})):
        print(name)
        rejected = rejected_ids([row for _, _, row in copies], known, against, options)
        for kind in dict.fromkeys(kind for kind, _, _ in copies):
            ids = [row.id for planted, _, row in copies if planted == kind]
            line(f"  planted copies, {kind}", sum(row_id in rejected for row_id in ids), len(ids))
        by_file: Counter[str] = Counter()
        sizes = Counter(item["file"] for item in written)
        for item in written:
            row = Row(item["paraphrase"], "An answer.")
            out = next(curate([row], known, [], against=tuple(against), **options))
            by_file[item["file"]] += f"{item['file']}:{item['line']}:" in f"{out.reason}:"
        line("  paraphrases by hand", sum(by_file.values()), len(written))
        for source, size in sizes.items():
            line(f"    of {source}", by_file[source], size)
        line("  clean rows: GSM8K's training problems", len(rejected_ids(clean, known, against, options)), len(clean))
        line("    without real rows to compare with", len(rejected_ids(clean, [], against, options)), len(clean))
        tasks = benchmarks["self_instruct_seed_tasks.jsonl"]
        held_out = [Row(question.text, "") for question in tasks[::2]]
        others = [Row(question.text, "") for question in tasks[1::2]]
        line("  clean rows: half of self-instruct", len(reasons(others, [], held_out, options)), len(others))
    overlap(questions, texts, [(item, f"{item['file']}:{item['line']}") for item in written], copies)


def overlap(
    questions: Sequence[Question],
    texts: dict[str, str],
    written: Iterable[tuple[Options, str]],
    copies: Iterable[tuple[str, Question, Row]],
) -> None:
    """Quartiles of the similarity of paraphrases with their questions, by hand and planted."""
    index = RewordedIndex([question.text for question in questions])

    def cosine(one: str, other: str) -> float:
        first, second = set(features(one)), set(features(other))
        return index.weight(first & second) / math.sqrt(index.weight(first) * index.weight(second))

    by_hand = sorted(cosine(texts[place], item["paraphrase"]) for item, place in written)
    planted = sorted(cosine(question.text, row.prompt) for kind, question, row in copies if kind == "paraphrased")
    for name, values in (("by hand", by_hand), ("planted", planted)):
        quartiles = " ".join(f"{values[len(values) * part // 4]:.2f}" for part in (1, 2, 3))
        print(f"similarity of paraphrases {name}: quartiles {quartiles}")


def rejected_ids(rows: Sequence[Row], real: Sequence[Row], against: Sequence[Any], options: Options) -> set[str]:
    return {row.id for row in curate(rows, real, [], against=tuple(against), **options) if row.status}


def reasons(rows: Sequence[Row], real: Sequence[Row], held_out: Sequence[Row], options: Options) -> list[str]:
    return [row.reason for row in curate(rows, real, held_out, **options) if row.status]


def line(name: str, hits: int, n: int) -> None:
    low, high = share(hits, n)
    print(f"{name:45} {hits:4} of {n:4}  {hits / n:6.1%}  ({low:.1%} to {high:.1%})", flush=True)


def timed(args: argparse.Namespace) -> dict[str, Any]:
    """The time and memory of decontaminating a file of so many rows, in this process and those that it starts."""
    data: Path = args.data
    if args.processes:
        searching.usable_processes = lambda: args.processes
    train = list(file.Task(str(data / "gsm8k_train_1000.jsonl")).pose(0))
    with tempfile.TemporaryDirectory() as folder:
        made_up = Path(folder) / "made_up.jsonl"
        made_up.write_text(
            "\n".join(json.dumps({"question": text}) for text in made_up_questions(args.made_up)), "utf-8"
        )
        sentences = {"file": {"path": str(data / "winogender_sentences.tsv"), "text": "sentence"}}
        against: tuple[Any, ...] = (*(str(data / name) for name in FILES), sentences, str(made_up))
        path = Path(folder) / f"rows.{args.format}"
        write_rows(path, recombined(train, args.rows))
        memory, stop = array("d"), threading.Event()
        watch = threading.Thread(target=watch_memory, args=(memory, stop), daemon=True)
        start, cpu = time.monotonic(), cpu_seconds()
        out = curate(chain([Row("a", "b")], file.Task(str(path)).pose(0)), train, [], against=against)
        next(out)
        index_seconds, index_cpu = time.monotonic() - start, cpu_seconds() - cpu
        watch.start()
        rejected, checksum = 0, hashlib.sha256()
        for row in out:
            rejected += row.status == "rejected"
            checksum.update(f"{row.reason}\n".encode())
        stop.set()
        watch.join()
        questions = sum(map(len, read_benchmarks(against).values()))
        return {
            **{"seconds": time.monotonic() - start, "cpu": cpu_seconds() - cpu},
            **{"index_seconds": index_seconds, "index_cpu": index_cpu, "memory": max(memory)},
            **{"rejected": rejected, "questions": questions, "checksum": checksum.hexdigest()[:12]},
        }


def cpu_seconds() -> float:
    """Of this process and the processes that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def watch_memory(found: array[float], stop: threading.Event) -> None:
    """The memory of this process and its children in bytes, every few seconds."""
    own = os.getpid()
    while True:
        children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        total = 0
        for pid in (str(own), *children):
            with contextlib.suppress(OSError):  # it has just ended
                total += int(
                    re.findall(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[0]
                )
        found.append(total * 1024.0)
        if stop.wait(2.0):
            return


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """The prompts and answers, a thousand at a time, so that memory does not grow with them."""
    source = iter(rows)
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as out:
            out.writelines(f"{json.dumps({'prompt': row.prompt, 'answer': row.answer})}\n" for row in source)
        return
    schema = pyarrow.schema({"prompt": pyarrow.string(), "answer": pyarrow.string()})
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        while part := [{"prompt": row.prompt, "answer": row.answer} for row in islice(source, 1_000)]:
            writer.write_table(pyarrow.Table.from_pylist(part, schema))


def recombined(train: Sequence[Row], count: int) -> Iterator[Row]:
    """Rows of three sentences of different problems with other numbers, and the worked answer of one of them."""
    draw = random.Random(1)
    sentences = [sentence for row in train for sentence in re.split(r"(?<=[.?!])\s+", row.prompt)]
    for number in range(count):
        text = " ".join(draw.choice(sentences) for _ in range(3))
        text = re.sub(r"\d+", lambda _: str(draw.randrange(2, 500)), text)
        yield Row(text, draw.choice(train).answer, origin="synthetic", sample_index=number)


def made_up_questions(count: int) -> Iterator[str]:
    """Questions of 30 words, drawn by Zipf's law."""
    draw = random.Random(2)
    vocabulary = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=draw.randrange(2, 10))) for _ in range(30_000)]
    pool = draw.choices(vocabulary, [1 / (rank + 2.7) for rank in range(len(vocabulary))], k=1_000_000)
    for _ in range(count):
        yield f"{' '.join(draw.choices(pool, k=30))}?"


if __name__ == "__main__":
    main()
