"""The teacher acts in the task's environment with tools, turn after turn; each turn becomes a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfsown.errors import RecipeError
from selfsown.models import Model, SamplingParams
from selfsown.option_types import Count, NotNegative
from selfsown.prompting.episodes import play
from selfsown.records import Row
from selfsown.tasks import Interactive, Posing, PosingFromRows, Task

WRITES = ("outcome", "episode", "turn")


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    level: int,
    seed: int,
    *,
    count: Count = 200,
    n: Count = 1,
    max_turns: Count = 8,
    temperature: NotNegative = 1.0,
) -> Iterator[Row]:
    """Turns of episodes about new problems. Their prompts are the conversations so far, so only what the model wrote is
    learned.

    count: how many problems the task poses. n: episodes of each. max_turns: of the model in one episode; an episode
    without an answer by then fails. temperature: the teacher's.

    Raises RecipeError where the task has no environment with tools, or the teacher reads no conversations.
    """
    if not isinstance(task, Interactive) or not isinstance(task, (Posing, PosingFromRows)):
        raise RecipeError(
            f"generate.episodes: {task.name} has no environment to act in; take a task with tools: storeroom, openenv, "
            "nemo_gym"
        )
    if not getattr(teacher, "reads_conversations", False):
        raise RecipeError("generate.episodes: the teacher reads texts alone, not turns; take hf, endpoint or anthropic")
    posed = (
        task.problems(level, count, seed) if isinstance(task, Posing) else task.problems_from(rows, level, count, seed)
    )
    problems = list(posed)
    sampling = SamplingParams(n=n, temperature=temperature, seed=seed)
    for episode in play(problems, teacher, task, max_turns, sampling):
        yield from episode.rows()
