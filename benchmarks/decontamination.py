"""Decontamination: planted and hand-written copies found, clean rows rejected, and the time for many rows.

    python -m benchmarks.decontamination --data FOLDER --rows 100000

FOLDER has gsm8k_test.jsonl and gsm8k_train_1000.jsonl (openai/grade-school-math), self_instruct_seed_tasks.jsonl
(yizhongw/self-instruct), humaneval.jsonl.gz (openai/human-eval) and winogender_sentences.tsv
(rudinger/winogender-schemas). paraphrases.json beside this file has 66 paraphrases that were written by hand.

All settings were chosen with the paraphrases marked "choose", with the first 500 training problems of GSM8K as clean
rows, and with other seeds of planted copies; what is printed comes from the rest. The rows for the time are made of
sentences of GSM8K's training problems, so they share most words with its test; the fifth benchmark has 10,000 made-up
questions.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

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
MADE_UP = 10_000  # questions of the fifth benchmark
Options = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SELFSOWN_DATA", "../shared/data")))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--time-only", action="store_true", help="leave the shares out")
    parser.add_argument("--part", choices=["time"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(timed(args.data, args.rows)))
        return
    if not args.time_only:
        accuracy(args.data)
    command = [sys.executable, "-m", "benchmarks.decontamination", "--part", "time"]
    command += ["--data", str(args.data), "--rows", str(args.rows)]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"{args.rows:,} rows against {done['questions']:,} questions of 5 benchmarks: {done['cpu']:.0f} CPU s "
        f"({done['wall']:.0f} s), of them {done['index']:.1f} for the index; {done['memory'] / 1e9:.2f} GB; "
        f"{done['rejected']:,} rejected; {done['normal']:.1f} times as long as reading and normalizing the rows"
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


def timed(data: Path, count: int) -> dict[str, float]:
    """The time of decontaminating so many rows, in this process."""
    train = list(file.Task(str(data / "gsm8k_train_1000.jsonl")).pose(0))
    with tempfile.TemporaryDirectory() as folder:
        made_up = Path(folder) / "made_up.jsonl"
        made_up.write_text("\n".join(json.dumps({"question": text}) for text in made_up_questions()), "utf-8")
        sentences = {"file": {"path": str(data / "winogender_sentences.tsv"), "text": "sentence"}}
        against: tuple[Any, ...] = (*(str(data / name) for name in FILES), sentences, str(made_up))
        start = time.process_time()
        rows = sum(len(row.key) for row in recombined(train, min(count, 20_000)))
        reading = (time.process_time() - start) * count / min(count, 20_000)
        start, wall = time.process_time(), time.monotonic()
        next(curate([Row("a", "b")], train, [], against=against))
        index = time.process_time() - start
        start = time.process_time()
        rejected = sum(row.status == "rejected" for row in curate(recombined(train, count), train, [], against=against))
        cpu = time.process_time() - start
        questions = sum(map(len, read_benchmarks(against).values()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert rows
    return {
        **{"cpu": cpu, "wall": time.monotonic() - wall, "index": index, "memory": memory},
        **{"rejected": rejected, "questions": questions, "normal": cpu / reading},
    }


def recombined(train: Sequence[Row], count: int) -> Iterator[Row]:
    """Rows of three sentences of different problems with other numbers, and the worked answer of one of them."""
    draw = random.Random(1)
    sentences = [sentence for row in train for sentence in re.split(r"(?<=[.?!])\s+", row.prompt)]
    for number in range(count):
        text = " ".join(draw.choice(sentences) for _ in range(3))
        text = re.sub(r"\d+", lambda _: str(draw.randrange(2, 500)), text)
        yield Row(text, draw.choice(train).answer, origin="synthetic", sample_index=number)


def made_up_questions() -> Iterator[str]:
    """Questions of 30 words, drawn by Zipf's law."""
    draw = random.Random(2)
    vocabulary = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=draw.randrange(2, 10))) for _ in range(30_000)]
    pool = draw.choices(vocabulary, [1 / (rank + 2.7) for rank in range(len(vocabulary))], k=1_000_000)
    for _ in range(MADE_UP):
        yield f"{' '.join(draw.choices(pool, k=30))}?"


if __name__ == "__main__":
    main()
