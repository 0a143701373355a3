"""Pivotal token search (Phi-4): the token of an answer at which the chance of success turns makes a pair to learn from.

An answer is halved again and again. How likely success is after each beginning is seen by letting the teacher go on
from it many times; a half that changes little is left as it is, and what is narrowed down to one token is pivotal.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from selfsown.models import ANSWER_START, Model, RemoteModel, Reply, SamplingParams
from selfsown.option_types import Count, Share
from selfsown.records import Row, SelfsownError
from selfsown.tasks import Task
from selfsown.text.chat import other_traits

Tries = list[tuple[str, bool]]  # what was written, and whether the whole answer is right


@dataclass
class _Search:
    """The teacher goes on from beginnings of answers; the world says what succeeds."""

    teacher: Model
    task: Task
    before: str
    between: str
    rollouts: int
    seed: int
    words: bool
    calls: int = 0

    def split(self, text: str) -> list[str]:
        """Its tokens: words with what stands before them, or characters."""
        return re.findall(r"\s*\S+\s*\Z|\s*\S+", text) if self.words else list(text)

    def tries(self, begun: Sequence[tuple[Row, str]]) -> list[Tries]:
        """From each beginning, what came after it and whether the whole answer is right."""
        self.calls += 1
        prompts = [f"{self.before}{row.prompt}{self.between}{text}" for row, text in begun]
        said = self.teacher.complete(prompts, SamplingParams(n=self.rollouts, seed=self.seed + self.calls))
        pairs = zip(begun, said, strict=True)
        return [[(each.text, self._right(*where, each)) for each in replies] for where, replies in pairs]

    def _right(self, row: Row, text: str, reply: Reply) -> bool:
        return not reply.failure and self.task.check(row, text + reply.text).score >= 0.5


@dataclass
class _Answer:
    """One answer to a real row. known: the tries after so many of its tokens; spans: those that are still searched."""

    row: Row
    tokens: list[str]
    known: dict[int, Tries]
    spans: list[tuple[int, int]]
    found: list[int] = field(default_factory=list)

    def begun(self, at: int) -> str:
        return "".join(self.tokens[:at])

    def chance(self, at: int) -> float:
        return _share(self.known[at])

    def halve(self, gap: float) -> None:
        """Each span in two, where its chances at both ends are known; of one token it is pivotal."""
        left = [(a, b) for a, b in self.spans if abs(self.chance(b) - self.chance(a)) >= gap]
        self.found += [a for a, b in left if b - a == 1]
        self.spans = [half for a, b in left if b - a > 1 for half in ((a, (a + b) // 2), ((a + b) // 2, b))]


def generate(
    rows: Sequence[Row],
    teacher: Model,
    task: Task,
    generation: int,
    seed: int,
    *,
    rollouts: Count = 32,
    min_gap: Share = 0.3,
    min_success: Share = 0.2,
    max_success: Share = 0.8,
    user_prefix: str = "",
    assistant_prefix: str = "",
) -> Iterator[Row]:
    """A pair for each pivotal token of a right and of a wrong answer to each real prompt that the teacher solves in a
    share of `low` to `high` of its tries: a row that is right, with the wrong one as the trait `rejected`; they are
    the same up to that token. Learn it with `train: {dpo: {pivotal_only: true}}`.

    A token is pivotal where the chance changes by `gap` or more. The embedded model's tokens are characters, a server's
    are taken as words; a server needs style: completions and its chat template, `before` a user's turn and `between`
    it and the answer.
    """
    remote = isinstance(teacher, RemoteModel)
    if isinstance(teacher, RemoteModel) and not (teacher.style == "completions" and assistant_prefix):
        raise SelfsownError(
            f"generate.pivotal_tokens: {teacher.name} must go on with answers that are begun: set style: completions on the "
            "teacher, and before and between here, as the model's chat template has them"
        )
    search = _Search(teacher, task, user_prefix, assistant_prefix or ANSWER_START, rollouts, seed, remote)
    asked = [row for row in rows if row.prompt and (task.verifiable or row.target)]
    answers = []
    for row, tries in zip(asked, search.tries([(row, "") for row in asked]), strict=True):
        if min_success <= _share(tries) <= max_success:
            answers += [_answer(row, tries, right, search) for right in (True, False)]
    _narrow(answers, search, min_gap)
    for draw, made in enumerate(_pairs(answers, search, min_gap)):
        yield replace(
            made,
            origin="synthetic",
            source=teacher.name,
            method="pivotal_tokens",
            generation=generation,
            sample_index=draw,
        )


def _share(tries: Tries) -> float:
    return sum(right for _, right in tries) / len(tries)


def _ending(tries: Tries, right: bool) -> str:
    """The first of the tries that is right, or wrong."""
    return next((text for text, good in tries if good == right), "")


def _answer(row: Row, tries: Tries, right: bool, search: _Search) -> _Answer:
    tokens = search.split(_ending(tries, right))
    return _Answer(row, tokens, {0: tries, len(tokens): [("", right)]}, [(0, len(tokens))] if tokens else [])


def _narrow(answers: Sequence[_Answer], search: _Search, gap: float) -> None:
    """All answers at once, a halving a round, until every span is done with."""
    while True:
        for answer in answers:
            answer.halve(gap)
        ends = [(each, at) for each in answers for at in sorted({end for span in each.spans for end in span})]
        wanted = [(each, at) for each, at in ends if at not in each.known]
        if not wanted:
            return
        found = search.tries([(each.row, each.begun(at)) for each, at in wanted])
        for (each, at), tries in zip(wanted, found, strict=True):
            each.known[at] = tries


def _pairs(answers: Sequence[_Answer], search: _Search, gap: float) -> Iterator[Row]:
    """What was found, each place and token once, where another token is seen to do better, or worse."""
    places: dict[tuple[str, str, str], tuple[_Answer, int, str]] = {}
    for answer in answers:
        for at in answer.found:
            if other := _other(answer, at, search):
                places.setdefault((answer.row.id, answer.begun(at), answer.tokens[at]), (answer, at, other))
    tried = search.tries([(answer.row, answer.begun(at) + other) for answer, at, other in places.values()])
    for (answer, at, other), tries in zip(places.values(), tried, strict=True):
        sides = [(answer.begun(at + 1), answer.known[at + 1]), (answer.begun(at) + other, tries)]
        (worse, failed), (better, solved) = sorted(sides, key=lambda side: _share(side[1]))
        if _share(solved) - _share(failed) >= gap:
            traits = {"rejected": worse + _ending(failed, False), "begun": answer.begun(at)}
            traits |= {"chance": f"{answer.chance(at):.2f}", "chances": f"{_share(failed):.2f} {_share(solved):.2f}"}
            said = better + _ending(solved, True)
            yield replace(
                answer.row,
                answer=said,
                metadata={**other_traits(answer.row.metadata), **traits},
                parents=(answer.row.id,),
            )


def _other(answer: _Answer, at: int, search: _Search) -> str:
    """The token that came most often there, in tries that ended otherwise than those after this token do; or ""."""
    wanted = answer.chance(at + 1) < answer.chance(at)  # it made things worse, so another one is to be right
    firsts = [search.split(text)[0] for text, right in answer.known[at] if text.strip() and right == wanted]
    counts = Counter(first for first in firsts if first != answer.tokens[at])
    return counts.most_common(1)[0][0] if counts else ""
