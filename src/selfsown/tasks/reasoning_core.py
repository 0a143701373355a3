"""Problems of the package reasoning-core, which generates them by the rule and scores answers (Sileo et al. 2026).

Scores between 0 and 1 are partial credit; an answer is right at 1 only. The package runs in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import count as count_from

from selfsown.errors import RecipeError, suggest
from selfsown.generated_problems import HINT, ProblemStreams, graded, stated, tagged
from selfsown.option_types import Count, Natural, Share
from selfsown.records import Grade, JsonObject, Row
from selfsown.sandbox.json_process import JsonProcess
from selfsown.text.chat import Prompt, append_text

CHUNK = 2  # problems in one request; some generators take ten seconds for one
REQUEST_SECONDS = 240.0
TASK_KEY, ENTRY_KEY = "task", "task_entry"  # metadata: the package's name; what its scorer reads, as JSON
SERVER = "from selfsown.sandbox.reasoning_core_server import serve; serve()"
_process = JsonProcess(SERVER, REQUEST_SECONDS)


@dataclass(frozen=True)
class Task:
    """task: the package's name of a task, such as arithmetics, or several. rows: real rows, held-out ones included,
    evenly over tasks and levels. difficulty: the hardest level, from 1, which is the package's level 0; 0: no levels,
    but the package's default settings. held_out_problems: the share of all problems that is held out, by a hash of
    their text; the recipe's held_out changes nothing. system: a system message that asks for the answer in <answer>
    tags; with it, exactly one answer must be in such tags, without it the whole reply is the answer."""

    task: str | tuple[str, ...]
    rows: Count = 1000
    difficulty: Natural = 0
    held_out_problems: Share = 0.25
    system: str = ""

    name = "reasoning_core"
    verifiable = True
    forms = ()
    right_score = 1.0

    def __post_init__(self) -> None:
        known = _described()["tasks"]
        for task in self._names:
            if task not in known:
                raise _error(f"there is no task {task!r}{suggest(task, known)}")
        if not self._names:
            raise _error("task names none; `task: arithmetics`, or a list of names")
        if not 0 < self.held_out_problems < 1:
            raise _error(f"held_out_problems is {self.held_out_problems:g}; it must be between 0 and 1, such as 0.25")
        if self.system and "<answer>" not in self.system:
            raise _error("system must ask for <answer> tags; leave it out where the whole reply is the answer")

    @property
    def top_level(self) -> int:
        return self.difficulty

    def pose(self, seed: int) -> Iterator[Row]:
        """Distinct problems by their text, tasks and levels by turns. RecipeError: the package cannot pose so many."""
        kinds = [(task, level) for task in self._names for level in self._levels]
        return self._streams.real_rows(kinds, self.rows, seed)

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` problems that are not held out, their tasks by turns, without answers: half of the level itself,
        half of any level up to it."""
        return self._streams.new_problems([(task, max(self._levels)) for task in self._names], level, count, seed)

    def opening(self, level: int) -> str:
        """A model that writes problems starts from nothing; the package cannot check what it writes."""
        return ""

    def read(self, prompt: str, answer: str) -> Row | str:
        return Row(prompt, answer, origin="synthetic") if answer else "the answer is empty"

    def checks(self, row: Row) -> bool:
        return ENTRY_KEY in row.metadata

    def check(self, row: Row, answer: str) -> Grade:
        """The package's score of the answer. The correction is the package's own answer."""
        if not self.checks(row):
            return Grade(0.0, "the package did not pose this problem", evidence="rule", failed=True)
        text, task = stated(answer, bool(self.system)), row.metadata[TASK_KEY]
        request = {"do": "score", "task": task, "entry": row.metadata[ENTRY_KEY], "answer": text or ""}
        scored = _process.request(request)
        if problem := scored.get("error"):
            return Grade(0.0, f"{task}: {problem}", evidence="rule", failed=True)
        return graded(row, scored, text, bool(self.system))

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def hinted(self, row: Row) -> Prompt:
        """The row's prompt with its answer after it."""
        return append_text(row.full_prompt, HINT.format(row.target))

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.task,) if isinstance(self.task, str) else tuple(dict.fromkeys(self.task))

    @property
    def _levels(self) -> tuple[int, ...]:
        return tuple(range(1, self.difficulty + 1)) or (0,)

    @property
    def _streams(self) -> ProblemStreams:
        return ProblemStreams(self.name, self._drawn, self.held_out_problems)

    def _drawn(self, purpose: str, task: str, level: int) -> Iterator[Row]:
        """Problems without end, which may repeat. RecipeError: the package cannot make them."""
        kind = {"do": "pose", "task": task, "level": max(0, level - 1), "seed": f"{purpose} {task} {level}"}
        for start in count_from(0, CHUNK):
            posed = _process.request({**kind, "start": start, "count": CHUNK})
            if isinstance(posed, dict):
                raise _error(f"{task} cannot be posed{f' at level {level}' * bool(level)}: {posed['error']}")
            for question, known, entry in posed:
                metadata = {TASK_KEY: task, ENTRY_KEY: entry, **({"system": self.system} if self.system else {})}
                answer = tagged(known, bool(self.system))
                yield Row(question, answer, problem=question, target=known, level=level, metadata=metadata)


@cache
def _described() -> JsonObject:
    """The package's tasks. RecipeError: it is not installed."""
    if not find_spec("reasoning_core"):
        raise _error("the package reasoning-core is not installed: pip install reasoning-core")
    described: JsonObject = _process.request({"do": "describe"})
    if "error" in described:
        raise _error(f"the package does not start: {described['error']}; see `python -c 'import reasoning_core'`")
    return described


def _error(message: str) -> RecipeError:
    return RecipeError(f"real.reasoning_core: {message}")
