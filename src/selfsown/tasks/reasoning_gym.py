"""Problems of the package reasoning-gym, which generates them by the rule and scores answers (Stojanovski et al. 2025).

Levels are those of the package's curricula. Scores between 0 and 1 are partial credit; an answer is right at 1 only.
The package runs in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
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
from selfsown.sandbox.reasoning_gym_server import BLOCK
from selfsown.text.chat import Prompt, append_text

CHUNK = 4  # problems in one request; some generators take ten seconds for one
REQUEST_SECONDS = 120.0
TASK_KEY, ENTRY_KEY = "task", "task_entry"  # metadata: the package's name, and level:seed:index
SERVER = "from selfsown.sandbox.reasoning_gym_server import serve; serve()"
_process = JsonProcess(SERVER, REQUEST_SECONDS)


@dataclass(frozen=True)
class Task:
    """task: the package's name of a task, such as chain_sum, or several. rows: real rows, held-out ones included,
    evenly over tasks and levels. difficulty: the hardest level of the package's curricula, from 1; 0: no levels, but
    the package's default settings. config: further settings of the package's, for every task. held_out_problems: the
    share of all problems that is held out, by a hash of their text; the recipe's held_out changes nothing. system: a
    system message: the name of one of the package's system prompts, or a text that asks for the answer in <answer>
    tags; with it, exactly one answer must be in such tags, without it the whole reply is the answer."""

    task: str | tuple[str, ...]
    rows: Count = 1000
    difficulty: Natural = 0
    config: JsonObject | None = None
    held_out_problems: Share = 0.25
    system: str = ""

    verifiable = True
    forms = ()
    right_score = 1.0

    def __post_init__(self) -> None:
        known = _described()["tasks"]
        for name in self._names:
            if name not in known:
                raise _error(f"there is no task {name!r}{suggest(name, known)}")
            levels, settings = known[name]["levels"], [*known[name]["config"]]
            if self.difficulty and not levels:
                raise _error(f"{name} has no levels; leave out difficulty for it, and name it in a recipe of its own")
            for setting in self.config or {}:
                if setting not in settings or setting in ("seed", "size"):
                    raise _error(f"{name} has no setting {setting!r}{suggest(setting, settings)}")
        hardest = max((known[name]["levels"] for name in self._names), default=0)
        if not self._names or self.difficulty > hardest:
            named = f"difficulty is {self.difficulty}, but the hardest level is {hardest}"
            raise _error(named if self._names else "task names none; `task: chain_sum`, or a list of names")
        if not 0 < self.held_out_problems < 1:
            raise _error(f"held_out_problems is {self.held_out_problems:g}; it must be between 0 and 1, such as 0.25")
        if self.system and "<answer>" not in self._system_text:
            prompts = ", ".join(_described()["system_prompts"])
            raise _error(f"system must ask for <answer> tags, or be one of the package's: {prompts}")

    @property
    def name(self) -> str:
        return "reasoning_gym"

    @property
    def top_level(self) -> int:
        return self.difficulty

    def pose(self, seed: int) -> Iterator[Row]:
        """Distinct problems by their text, tasks and levels by turns. RecipeError: the package cannot pose so many."""
        kinds = [(name, level) for name in self._names for level in self._levels_of(name)]
        return self._streams.real_rows(kinds, self.rows, seed)

    def problems(self, level: int, count: int, seed: int) -> Iterator[Row]:
        """`count` problems that are not held out, their tasks by turns, without answers: half of the level itself,
        half of any level up to it."""
        hardest = [(name, max(self._levels_of(name))) for name in self._names]
        return self._streams.new_problems(hardest, level, count, seed)

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
        text = stated(answer, bool(self.system))
        level, seed, index = map(int, row.metadata[ENTRY_KEY].split(":"))
        request = {"do": "score", "index": index, "question": row.prompt, "answer": text or ""}
        scored = _process.request({**self._kind(row.metadata[TASK_KEY], level, seed), **request})
        if problem := scored.get("error"):
            return Grade(0.0, f"{row.metadata[TASK_KEY]}: {problem}", evidence="rule", failed=True)
        return graded(row, scored, text, bool(self.system))

    def restate(self, row: Row) -> Iterator[Row]:
        yield from ()

    def hinted(self, row: Row) -> Prompt:
        """The row's prompt with its answer after it. RecipeError where the package gives no answer."""
        if not row.target:
            raise _error(f"{row.metadata.get(TASK_KEY)} gives no answer that could be a hint; leave out hint")
        return append_text(row.full_prompt, HINT.format(row.target))

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.task,) if isinstance(self.task, str) else tuple(dict.fromkeys(self.task))

    @property
    def _system_text(self) -> str:
        return str(_described()["system_prompts"].get(self.system, self.system)).strip()

    def _levels_of(self, name: str) -> tuple[int, ...]:
        """The levels at which a task is posed; (0,) without levels."""
        return tuple(range(1, min(self.difficulty, _described()["tasks"][name]["levels"]) + 1)) or (0,)

    @property
    def _streams(self) -> ProblemStreams:
        return ProblemStreams(self.name, self._drawn, self.held_out_problems)

    def _kind(self, task: str, level: int, seed: int) -> JsonObject:
        config = json.dumps(self.config or {}, sort_keys=True)
        return {"task": task, "level": level, "config": config, "seed": seed}

    def _drawn(self, purpose: str, name: str, level: int) -> Iterator[Row]:
        """Problems without end, which may repeat. RecipeError: the package cannot make them."""
        for block in count_from():
            digest = hashlib.blake2b(f"{purpose} {name} {level} {block}".encode(), digest_size=4).digest()
            seed = int.from_bytes(digest) >> 1
            for start in range(0, BLOCK, CHUNK):
                request = {"do": "pose", "start": start, "count": CHUNK, **self._kind(name, level, seed)}
                posed = _process.request(request)
                if isinstance(posed, dict):
                    at_level = f" at level {level}" * bool(level)
                    raise _error(f"{name} cannot be posed{at_level}: {posed['error']}")
                for index, (question, answer) in enumerate(posed, start):
                    if "Integral(" in answer:  # sympy found none, and the package gives the question as its answer
                        continue
                    yield self._row(question, answer, level, {TASK_KEY: name, ENTRY_KEY: f"{level}:{seed}:{index}"})

    def _row(self, question: str, answer: str, level: int, metadata: dict[str, str]) -> Row:
        if self.system:
            metadata |= {"system": self._system_text}
        answer, target = tagged(answer, bool(self.system)), answer
        return Row(question, answer, problem=question, target=target, level=level, metadata=metadata)


@cache
def _described() -> JsonObject:
    """What the package has: tasks with their levels and settings, and system prompts. RecipeError: not installed."""
    if not find_spec("reasoning_gym"):
        raise _error("the package reasoning-gym is not installed: pip install 'selfsown[worlds]'")
    described: JsonObject = _process.request({"do": "describe"})
    if "error" in described:
        raise _error(f"the package does not start: {described['error']}; see `python -c 'import reasoning_gym'`")
    return described


def _error(message: str) -> RecipeError:
    return RecipeError(f"real.reasoning_gym: {message}")
