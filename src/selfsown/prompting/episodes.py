"""Episodes of a model in the environments of many problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from selfsown.episode import Episode
from selfsown.models import Model, SamplingParams
from selfsown.records import Row
from selfsown.tasks import Interactive
from selfsown.text.chat import prompt_messages


def play(
    problems: Sequence[Row], model: Model, task: Interactive, max_turns: int, sampling: SamplingParams
) -> list[Episode]:
    """`sampling.n` episodes of each problem, in their order. All that go on are asked at once, turn by turn; where a
    task plays only so many at once (`sessions`), the next ones begin when these have ended."""
    posed = [problem for problem in problems for _ in range(sampling.n)]
    at_once = getattr(task, "sessions", len(posed)) or 1
    played = list[Episode]()
    for start in range(0, len(posed), at_once):
        seed = sampling.seed + max_turns * (start // at_once)  # the same prompt in the next wave is another sample
        wave = replace(sampling, n=1, seed=seed)
        played += _played(posed[start : start + at_once], model, task, max_turns, wave)
    return played


def _played(
    problems: Sequence[Row], model: Model, task: Interactive, max_turns: int, sampling: SamplingParams
) -> list[Episode]:
    """An episode of each problem, all at once."""
    episodes = list[Episode]()
    try:
        for problem in problems:
            messages = prompt_messages(problem.prompt, problem.metadata)
            tools = problem.metadata.get("tools") or task.tools
            episodes.append(Episode(problem, task.environment(problem), tools, messages))
        for turn in range(max_turns):
            going = [episode for episode in episodes if not episode.ended]
            if not going:
                break
            replies = model.complete(
                [episode.prompt for episode in going], replace(sampling, seed=sampling.seed + turn)
            )
            for episode, (reply,) in zip(going, replies, strict=True):
                if reply.failure and not reply.calls:
                    episode.fail(reply.text, reply.failure)
                else:
                    episode.take(reply.text, reply.calls)
    finally:
        for episode in episodes:
            episode.close()
    for episode in episodes:
        if not episode.ended:
            episode.failure = f"no answer within {max_turns} turns"
    return episodes
