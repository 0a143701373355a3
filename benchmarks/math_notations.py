"""The share of right answers that `math_equal` accepts: GSM8K's in ten notations and in words, and numbers in words.

    python -m benchmarks.math_notations FILE… --words 5000

FILE is GSM8K as JSON lines (question, answer). Numbers in words are drawn from 0 to a million, small ones as often as
large ones. Exit code 1 if less than 99.5 % of either are accepted.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from selfsown.grade.math_equal import grade
from selfsown.records import Row
from selfsown.stats.intervals import share
from selfsown.text.number_words import in_words

MIN_SHARE = 0.995
MAX_IN_WORDS = 1_000_000
NOTATIONS: dict[str, Callable[[int], str]] = {
    "bare": str,
    "in a box": lambda n: rf"\boxed{{{n}}}",
    "marked": lambda n: f"First we add, then we divide.\n#### {n}",
    "in a sentence": lambda n: f"The answer is {n}.",
    "boxed in a sentence": lambda n: rf"Therefore, the final answer is $\boxed{{{n}}}$.",
    "in bold": lambda n: f"**{n}**",
    "as LaTeX": lambda n: f"So the total is ${n}$.",
    "grouped": lambda n: f"{n:,}",
    "with decimals": lambda n: f"{n}.00",
    "tagged": lambda n: f"<think>2 + 2 = 4</think>\n<answer>{n}</answer>",
}
WORDS: dict[str, Callable[[int], str]] = {
    "in words": in_words,
    "in words with and": lambda n: with_and(n),
    "in a sentence of words": lambda n: f"The answer is {in_words(n)}.",
    "in capital words": lambda n: in_words(n).capitalize(),
    "in boxed words": lambda n: rf"\boxed{{\text{{{in_words(n)}}}}}",
}


def with_and(number: int) -> str:
    """As in British English: one hundred and five, one thousand and five."""
    if number < 0:
        return f"minus {with_and(-number)}"
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        scale = f"{with_and(thousands)} thousand" if thousands < 1000 else f"{in_words(thousands // 1000)} million"
        return scale + (" and " if 0 < rest < 100 else " ") * bool(rest) + (with_and(rest) if rest else "")
    hundreds, rest = divmod(number, 100)
    return f"{in_words(hundreds)} hundred and {in_words(rest)}" if hundreds and rest else in_words(number)


def problems(paths: list[Path]) -> Iterator[tuple[Row, int]]:
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            number = int(record["answer"].rpartition("####")[2].replace(",", ""))
            yield Row(record["question"], "", target=record["answer"]), number


def numbers(count: int) -> Iterator[tuple[Row, int]]:
    """Numbers from 0 to a million: as many of each number of digits."""
    rng = random.Random(0)
    for _ in range(count):
        number = rng.randint(0, min(MAX_IN_WORDS, 10 ** rng.randint(1, 6)))
        yield Row("How many are there?", "", target=str(number)), number


def accepted(known: list[tuple[Row, int]], notations: dict[str, Callable[[int], str]]) -> float:
    """The share over all notations; prints that of each, with an example of what is refused."""
    hits = 0
    for name, notation in notations.items():
        rows = [Row(row.prompt, notation(number), target=row.target) for row, number in known]
        right = [result.score == 1 for result in grade(rows)]
        hits += sum(right)
        low, high = share(sum(right), len(right))
        wrong = [row.answer for row, passed in zip(rows, right, strict=True) if not passed]
        interval = f"{sum(right) / len(right):.4f} [{low:.4f}, {high:.4f}]"
        print(
            f"{name:<24} {sum(right):>6} of {len(right)}  {interval}{'; refused: ' + repr(wrong[0]) if wrong else ''}"
        )
    return hits / (len(known) * len(notations))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--words", type=int, default=5000)
    options = parser.parse_args()
    shares = []
    if options.files:
        known = list(problems(options.files))
        shares.append(accepted(known, {**NOTATIONS, "in words": in_words}))
        print(f"GSM8K, {len(known):,} answers: {shares[-1]:.4f}")
    shares.append(accepted(list(numbers(options.words)), WORDS))
    print(f"numbers in words up to a million: {shares[-1]:.4f}")
    sys.exit(min(shares) < MIN_SHARE)


if __name__ == "__main__":
    main()
