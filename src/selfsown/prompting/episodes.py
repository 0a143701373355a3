"""Episodes of a model in the environments of many problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from selfsown.episode import Episode
from selfsown.models import Model, SamplingParams
from selfsown.records import Row
from selfsown.tasks import Interactive


def play(
    problems: Sequence[Row], model: Model, task: Interactive, max_turns: int, sampling: SamplingParams
) -> list[Episode]:
    """`sampling.n` episodes of each problem, in their order. All that go on are asked at once, turn by turn."""
    episodes = [
        Episode(problem, task.environment(problem), task.tools, [{"role": "user", "content": problem.prompt}])
        for problem in problems
        for _ in range(sampling.n)
    ]
    for turn in range(max_turns):
        going = [episode for episode in episodes if not episode.ended]
        if not going:
            break
        replies = model.complete(
            [episode.prompt for episode in going], replace(sampling, n=1, seed=sampling.seed + turn)
        )
        for episode, (reply,) in zip(going, replies, strict=True):
            if reply.failure and not reply.calls:
                episode.fail(reply.text, reply.failure)
            else:
                episode.take(reply.text, reply.calls)
    for episode in episodes:
        if not episode.ended:
            episode.failure = f"no answer within {max_turns} turns"
    return episodes
