"""Pivotal token search (Phi-4): pairs of answers that differ at the token where the chance of success changes.

An answer is bisected. The success rate after each prefix is estimated by letting the teacher continue from it many
times; a half that changes it little is dropped, and what is narrowed down to one token is pivotal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from selfsown.errors import ModelError
from selfsown.models import ANSWER_START, Model, Reply, SamplingParams
from selfsown.option_types import Count, Share
from selfsown.records import Row
from selfsown.tasks import Task, is_right
from selfsown.text.chat import drop_chat_metadata

READS = "prompts"
WRITES = ("rejected",)

Rollouts = list[tuple[str, bool]]  # the continuation, and whether the whole answer is right


@dataclass
class _Sampler:
    """The teacher continues prefixes of answers, and the task checks the result."""

    teacher: Model
    task: Task
    user_prefix: str
    assistant_prefix: str
    rollouts: int
    seed: int
    by_words: bool
    calls: int = 0

    def tokens(self, text: str) -> list[str]:
        """Words with the whitespace before them, or characters."""
        return re.findall(r"\s*\S+\s*\Z|\s*\S+", text) if self.by_words else list(text)

    def sample(self, prefixes: Sequence[tuple[Row, str]]) -> list[Rollouts]:
        """The continuations of each prefix of an answer to a row."""
        self.calls += 1
        prompts = [f"{self.user_prefix}{row.prompt}{self.assistant_prefix}{text}" for row, text in prefixes]
        replies = self.teacher.complete(prompts, SamplingParams(n=self.rollouts, seed=self.seed + self.calls))
        return [
            [(reply.text, self._is_right(row, text, reply)) for reply in group]
            for (row, text), group in zip(prefixes, replies, strict=True)
        ]

    def _is_right(self, row: Row, prefix: str, reply: Reply) -> bool:
        return not reply.failure and is_right(self.task, row, prefix + reply.text)


@dataclass
class _Search:
    """The bisection of one answer. known: the rollouts after so many of its tokens; spans: the (start, end) that are
    still searched; pivotal: indices of the tokens that were found."""

    row: Row
    tokens: list[str]
    known: dict[int, Rollouts]
    spans: list[tuple[int, int]]
    pivotal: list[int] = field(default_factory=list)

    def prefix(self, end: int) -> str:
        return "".join(self.tokens[:end])

    def rate(self, end: int) -> float:
        return _success_rate(self.known[end])

    def bisect(self, min_gap: float) -> None:
        """Keep the spans across which the success rate changes by min_gap; halve them, or take single tokens out."""
        kept = [(a, b) for a, b in self.spans if abs(self.rate(b) - self.rate(a)) >= min_gap]
        self.pivotal += [a for a, b in kept if b - a == 1]
        self.spans = [half for a, b in kept if b - a > 1 for half in ((a, (a + b) // 2), ((a + b) // 2, b))]


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    seed: int,
    *,
    rollouts: Count = 32,
    min_gap: Share = 0.3,
    min_success: Share = 0.2,
    max_success: Share = 0.8,
    user_prefix: str = "",
    assistant_prefix: str = "",
) -> Iterator[Row]:
    """A pair for each pivotal token of a right and a wrong answer to each prompt whose answer can be checked: the right
    answer, with the wrong one as the metadata "rejected". Both are the same up to that token. Train on them with
    `dpo: {pivotal_only: true}`. Tokens are characters for the embedded model, words for a server, which needs
    `style: completions` and its chat template.

    rollouts: continuations of each prefix. min_gap: the least change of the success rate at a pivotal token.
    min_success, max_success: the range of success rates of the prompts to search. user_prefix, assistant_prefix: the
    chat template's text before a user's turn, and between it and the answer.

    Raises ModelError where the teacher's server cannot continue an answer. Source: Phi-4, section 4.3.
    """
    style = getattr(teacher, "style", "")
    if style and not (style == "completions" and assistant_prefix):
        raise ModelError(
            f"generate.pivotal_tokens: {teacher.name} must continue unfinished answers; set style: completions on the "
            "teacher, and user_prefix and assistant_prefix here to the model's chat template"
        )
    sampler = _Sampler(teacher, task, user_prefix, assistant_prefix or ANSWER_START, rollouts, seed, bool(style))
    chosen = [row for row in rows if row.prompt and (task.verifiable or row.target)]
    searches = []
    for row, tries in zip(chosen, sampler.sample([(row, "") for row in chosen]), strict=True):
        if min_success <= _success_rate(tries) <= max_success:
            searches += [_start(row, tries, right, sampler) for right in (True, False)]
    _run(searches, sampler, min_gap)
    yield from _pairs(searches, sampler, min_gap)


def _success_rate(rollouts: Rollouts) -> float:
    return sum(right for _, right in rollouts) / len(rollouts)


def _first(rollouts: Rollouts, right: bool) -> str:
    """The first continuation that is right, or wrong."""
    return next((text for text, is_right in rollouts if is_right == right), "")


def _start(row: Row, rollouts: Rollouts, right: bool, sampler: _Sampler) -> _Search:
    tokens = sampler.tokens(_first(rollouts, right))
    known = {0: rollouts, len(tokens): [("", right)]}
    return _Search(row, tokens, known, [(0, len(tokens))] if tokens else [])


def _run(searches: Sequence[_Search], sampler: _Sampler, min_gap: float) -> None:
    """All searches at once, one bisection a round, until no span is left."""
    while True:
        for search in searches:
            search.bisect(min_gap)
        ends = [(search, end) for search in searches for end in sorted({end for span in search.spans for end in span})]
        unknown = [(search, end) for search, end in ends if end not in search.known]
        if not unknown:
            return
        sampled = sampler.sample([(search.row, search.prefix(end)) for search, end in unknown])
        for (search, end), rollouts in zip(unknown, sampled, strict=True):
            search.known[end] = rollouts


def _pairs(searches: Sequence[_Search], sampler: _Sampler, min_gap: float) -> Iterator[Row]:
    """A pair for each pivotal token, once for each prefix and token, where another token's rate differs by min_gap."""
    places: dict[tuple[str, str, str], tuple[_Search, int, str]] = {}
    for search in searches:
        for index in search.pivotal:
            if other := _alternative(search, index, sampler):
                places.setdefault((search.row.id, search.prefix(index), search.tokens[index]), (search, index, other))
    sampled = sampler.sample([(search.row, search.prefix(index) + other) for search, index, other in places.values()])
    for (search, index, other), rollouts in zip(places.values(), sampled, strict=True):
        sides = [(search.prefix(index + 1), search.known[index + 1]), (search.prefix(index) + other, rollouts)]
        worse, better = sorted(sides, key=lambda side: _success_rate(side[1]))
        if _success_rate(better[1]) - _success_rate(worse[1]) >= min_gap:
            yield _to_row(search, index, worse, better)


def _to_row(search: _Search, index: int, worse: tuple[str, Rollouts], better: tuple[str, Rollouts]) -> Row:
    """The pair: each side is a prefix, completed by a rollout that ended wrong, or right."""
    row = search.row
    pair = {
        "rejected": worse[0] + _first(worse[1], False),
        "prefix": search.prefix(index),
        "success_rate": f"{search.rate(index):.2f}",
        "success_rates": f"{_success_rate(worse[1]):.2f} {_success_rate(better[1]):.2f}",
    }
    return Row(
        row.prompt,
        better[0] + _first(better[1], True),
        problem=row.problem,
        target=row.target,
        parents=(row.id,),
        level=row.level,
        metadata={**drop_chat_metadata(row.metadata), **pair},
    )


def _alternative(search: _Search, index: int, sampler: _Sampler) -> str:
    """The most frequent other token at this index among rollouts that ended the other way; "" for none."""
    outcome = search.rate(index + 1) < search.rate(index)  # this token lowers the rate, so look for a right rollout
    firsts = [sampler.tokens(text)[0] for text, right in search.known[index] if text.strip() and right == outcome]
    counts = Counter(first for first in firsts if first != search.tokens[index])
    return counts.most_common(1)[0][0] if counts else ""
