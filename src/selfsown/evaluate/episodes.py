"""The share of held-out problems that a model solves by acting in the task's environment with tools."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence

from selfsown.episode import Episode
from selfsown.errors import RecipeError
from selfsown.models import Model, SamplingParams
from selfsown.option_types import Count
from selfsown.prompting.episodes import play
from selfsown.records import Row, Score
from selfsown.stats.intervals import mean, share
from selfsown.tasks import Interactive, Task, checkable, is_right


def evaluate(model: Model, held_out: Sequence[Row], task: Task, *, max_turns: Count = 8) -> Iterator[Score]:
    """episodes: the share of held-out problems that are solved, with temperature 0, and for each level. episode_calls:
    the tools that were called in an episode; episode_invalid: calls that did not fit, a share of all.

    max_turns: of the model in one episode. Raises RecipeError where the task has no environment with tools.
    """
    if not isinstance(task, Interactive):
        raise RecipeError(
            f"evaluate.episodes: {task.name} has no environment to act in; take a task with tools: storeroom, openenv, "
            "nemo_gym"
        )
    played = play(checkable(held_out, task), model, task, max_turns, SamplingParams(temperature=0.0))
    solved = defaultdict[str, list[bool]](list)
    for episode in played:
        is_solved = _is_solved(episode, task)
        for stratum in ("", f"level={episode.problem.level}"):
            solved[stratum].append(is_solved)
    for stratum, hits in sorted(solved.items()):
        yield Score("episodes", sum(hits) / len(hits), len(hits), *share(sum(hits), len(hits)), stratum)
    calls = [float(episode.calls) for episode in played]
    yield Score("episode_calls", statistics.fmean(calls), len(calls), *mean(calls), direction="neither")
    if total := sum(episode.calls for episode in played):
        invalid = sum(episode.invalid for episode in played)
        yield Score("episode_invalid", invalid / total, len(calls), *share(invalid, total), direction="lower")


def _is_solved(episode: Episode, task: Task) -> bool:
    *_, last = episode.rows()
    return not episode.failure and is_right(task, last, last.answer)
