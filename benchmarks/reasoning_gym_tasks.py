"""Whether every task of reasoning-gym can be trusted: right answers score 1, wrong ones less, no problem on both sides.

    python -m benchmarks.reasoning_gym_tasks [--rows 50] [--difficulty 0] [--json FILE] [TASK ...]

For each task of the package: `rows` problems are posed, and the first ones again in another process, which must be
the same. The package's own answer to each is scored, and four wrong ones: that of another problem, its own with one
character changed, with a denial after it, and with that of another problem after it. Some "wrong" answers are right,
since many problems have several solutions; the table says which tasks accept any, and how many.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from selfsown.errors import SelfsownError
from selfsown.records import EVALUATION_ONLY, Row
from selfsown.sandbox.json_process import JsonProcess
from selfsown.tasks import reasoning_gym
from selfsown.tasks.reasoning_gym import Task

POSED = 20  # new problems, compared with the held-out ones
REPEATED = 10  # problems that are posed again in another process
OTHER = JsonProcess(reasoning_gym.SERVER, reasoning_gym.REQUEST_SECONDS)


@dataclass
class Result:
    """Of one task. gold: share of the package's answers that score 1; accepted: how many wrong ones of each kind do."""

    task: str
    problem: str = ""  # why it could not be measured
    rows: int = 0
    held_out: int = 0
    unanswered: int = 0
    gold: float = 0.0
    tried: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    partial: int = 0  # wrong answers with a score between 0 and 1
    shared: int = 0  # problems on both sides, or posed though held out
    repeated: bool = False  # the same problems in another process
    seconds: float = 0.0

    @property
    def is_sound(self) -> bool:
        wrong = sum(self.accepted.values())
        return not self.problem and self.gold == 1 and not wrong and not self.shared and self.repeated


def changed(answer: str) -> str:
    """The answer with its first letter or digit replaced by another: last digits may be within a tolerance."""
    for place in range(len(answer)):
        if answer[place].isalnum():
            other = str((int(answer[place]) + 1) % 10) if answer[place] in "0123456789" else chr(ord(answer[place]) ^ 3)
            return answer[:place] + other + answer[place + 1 :]
    return answer + "x"


def mutants(rows: list[Row], index: int) -> Iterator[tuple[str, str]]:
    """(kind, answer) for each wrong answer to a row."""
    answer = rows[index].target
    following = (row.target for row in rows[index + 1 :] + rows[:index])
    other = next((text for text in following if text and text.strip() != answer.strip()), None)
    if other is not None:
        yield "of another problem", other
    if other is not None and answer:
        yield "two answers", f"{answer} or {other}"
    if answer:
        yield "one character changed", changed(answer)
        yield "denied", f"{answer} is wrong"
    else:
        yield "no answer known", "I do not know"


def measure(name: str, rows: int, difficulty: int) -> Result:
    start, result = time.perf_counter(), Result(name)
    try:
        task = Task(name, rows=rows, difficulty=difficulty)
        posed = list(task.pose(0))
        score(task, posed, result)
        out = {row.key for row in posed if EVALUATION_ONLY.items() <= row.metadata.items()}
        learned = {row.key for row in posed} - out
        new = {row.key for row in task.problems(difficulty, POSED, 1)}
        result.held_out, result.shared = len(out), len(out & (learned | new))
        first, reasoning_gym._process = reasoning_gym._process, OTHER
        again = Task(name, rows=min(rows, REPEATED), difficulty=difficulty).pose(0)
        result.repeated = list(again) == posed[:REPEATED]
        reasoning_gym._process = first
    except SelfsownError as error:
        result.problem = str(error)
    result.seconds = time.perf_counter() - start
    return result


def score(task: Task, posed: list[Row], result: Result) -> None:
    answered = [row for row in posed if row.target]
    result.rows, result.unanswered = len(posed), len(posed) - len(answered)
    right = sum(task.check(row, row.answer).score == 1 for row in answered)
    result.gold = right / len(answered) if answered else 1.0
    for index, row in enumerate(posed):
        for kind, answer in mutants(posed, index):
            value = task.check(row, answer).score
            result.tried[kind] = result.tried.get(kind, 0) + 1
            result.accepted[kind] = result.accepted.get(kind, 0) + (value == 1)
            result.partial += 0 < value < 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--difficulty", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    known = reasoning_gym._described()["tasks"]
    names = options.tasks or [name for name in known if known[name]["levels"] >= options.difficulty]
    results = []
    for name in names:
        results.append(result := measure(name, options.rows, min(options.difficulty, known[name]["levels"])))
        wrong = ", ".join(f"{n} {kind}" for kind, n in result.accepted.items() if n)
        facts = f"gold {result.gold:.2f}, {result.held_out}/{result.rows} held out, {result.shared} shared"
        facts += f", accepted: {wrong or 'none'}" + (f", {result.unanswered} unanswered" if result.unanswered else "")
        facts += "" if result.repeated else ", OTHER PROBLEMS IN ANOTHER PROCESS"
        print(f"{name:28} {result.seconds:6.1f} s  {result.problem or facts}", flush=True)
        if options.json:
            options.json.write_text(json.dumps([asdict(one) for one in results], indent=1))
    sound = sum(result.is_sound for result in results)
    gold = sum(result.gold == 1 and not result.problem for result in results)
    tried = sum(sum(result.tried.values()) for result in results)
    accepted = sum(sum(result.accepted.values()) for result in results)
    print(f"{len(results)} tasks: {sound} sound; {gold} score all their own answers 1")
    print(f"wrong answers accepted: {accepted} of {tried}")
    print(f"problems on both sides: {sum(result.shared for result in results)}")


if __name__ == "__main__":
    main()
