"""Few samples first: those problems get the rest that are sometimes solved, and nothing else changes."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest

from selfsown.generate import solve
from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.tasks.addition import Task
from selfsown.tasks.file import Task as File
from selfsown.text.chat import Prompt
from testing.mock_server import Body, Server

TASK = Task(rows=60, longer_rows=10)
SHARES = {0.0: 0.45, 0.5: 0.2, 1.0: 0.35}  # of problems with this pass rate
LOW, HIGH = 0.1, 0.9


def rate(prompt: str) -> float:
    return random.Random(prompt).choices([*SHARES], [*SHARES.values()])[0]


@dataclass
class Solver:
    """It solves a problem as often as `rate` says. known: right answers, where these are no additions in columns.

    calls: (prompts, samples of each, seed).
    """

    name = "solver"
    known: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[int, int, int]] = field(default_factory=list)

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        self.calls.append((len(prompts), params.n, params.seed))
        return [[self._reply(str(prompt), f"{params.seed} {n}") for n in range(params.n)] for prompt in prompts]

    def _reply(self, prompt: str, draw: str) -> Reply:
        is_right = random.Random(f"{prompt} {draw}").random() < rate(prompt)
        return Reply(prompt, self._target(prompt) if is_right else f"wrong {draw}")

    def _target(self, prompt: str) -> str:
        if self.known:
            return self.known[prompt]
        parsed = TASK._parse(prompt)
        assert not isinstance(parsed, str)
        return TASK._row(*parsed).target

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return []


def made(model: Solver, seed: int = 0, **options: object) -> list[Row]:
    return list(solve.generate([], model, TASK, 6, seed, **{"count": 150, "n": 8, **options}))  # type: ignore[arg-type]


def share_in_band(rows: Sequence[Row]) -> float:
    return sum(LOW <= rate(row.prompt) <= HIGH for row in rows) / len(rows)


@pytest.mark.parametrize("seed", range(3))
def test_samples_fall_on_problems_in_the_band_and_are_as_many(seed: int) -> None:
    without, probed = made(Solver(), seed), made(Solver(), seed, probe=2, band=(LOW, HIGH))
    assert len(without) == 150 * 8
    assert 0.95 * len(without) <= len(probed) <= len(without)
    assert share_in_band(without) == pytest.approx(SHARES[0.5], abs=0.1)
    assert share_in_band(probed) > share_in_band(without) + 0.15
    assert len({row.prompt for row in probed}) > 1.5 * len({row.prompt for row in without})


def test_each_problem_has_the_probe_or_all_samples_and_says_why() -> None:
    groups = [list(group) for _, group in groupby(made(Solver(), probe=2, band=(LOW, HIGH)), lambda row: row.prompt)]
    assert {len(group) for group in groups} == {2, 8}
    left_out = 0
    for group in groups:
        (summary,) = {row.metadata["probe"] for row in group}
        right, _, probability = summary.partition(" solved at first, in the band with probability ")
        assert sum(TASK.check(row, row.answer).score == 1 for row in group[:2]) == int(right)
        if len(group) == 8:
            assert (right, float(probability) >= 0.5) == ("1", True)
        left_out += len(group) == 2 and float(probability) >= 0.5  # for want of samples
    assert left_out < 0.05 * len(groups)


def test_it_is_the_same_for_the_same_seed_and_draws_no_sample_twice() -> None:
    one, two = Solver(), Solver()
    assert [row.answer for row in made(one, probe=2)] == [row.answer for row in made(two, probe=2)]
    assert one.calls == two.calls
    seeds = [seed for _, _, seed in one.calls]
    assert len(set(seeds)) == len(seeds) > 2
    wrong = [row for row in made(Solver(), probe=2) if row.answer.startswith("wrong") and row.level == 6]
    assert len({(row.prompt, row.answer) for row in wrong}) == len(wrong) > 100


def test_real_problems_get_no_more_than_n_and_what_is_saved_is_saved(tmp_path: Path) -> None:
    known = {f"What is {n} + {n}?": f"#### {2 * n}" for n in range(80)}
    records = [json.dumps({"prompt": prompt, "answer": answer}) + "\n" for prompt, answer in known.items()]
    (tmp_path / "rows.jsonl").write_text("".join(records), encoding="utf-8")
    task = File(str(tmp_path / "rows.jsonl"))
    real = list(task.pose(0))
    rows = list(solve.generate(real, Solver(known), task, 0, 0, n=8, probe=2))
    counts = Counter(row.parents for row in rows)
    assert set(counts) == {(row.id,) for row in real}
    assert set(counts.values()) == {2, 8}
    assert len(rows) < 0.6 * 8 * len(real)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probe": 8}, "a probe takes fewer answers than n"),
        ({"probe": 2, "hint": "half"}, "probe asks without hints, and hint is half"),
        ({"probe": 2, "band": (0.9, 0.1)}, "give the lower rate first"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SelfsownError, match=message):
        made(Solver(), **options)


def test_answers_that_nobody_can_check_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "Where?"}\n', encoding="utf-8")
    task = File(str(tmp_path / "rows.jsonl"))
    with pytest.raises(SelfsownError, match="needs answers that can be checked"):
        list(solve.generate(list(task.pose(0)), Solver(), task, 0, 0, n=4, probe=2))


def test_a_run_that_ends_early_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    """The replies of the probe are read from the journal, so the same problems are chosen."""
    known = {f"What is {n} + {n}?": str(2 * n) for n in range(30)}
    (tmp_path / "real.jsonl").write_text(
        "".join(json.dumps({"prompt": prompt, "answer": f"#### {known[prompt]}"}) + "\n" for prompt in known),
        encoding="utf-8",
    )

    def say(prompt: str, body: Body) -> str:
        chance = random.Random(f"{prompt} {body.get('seed')}").random()
        return f"#### {known[prompt] if chance < rate(prompt) else -1}"

    def recipe(server: Server, **more: object) -> Recipe:
        teacher = {"endpoint": {"url": server.url, "model": "m"}}
        generate = [{"solve": {"n": 6, "probe": 2}}]
        curate = ["pass_rate_band", "min_score"]
        options = {"teacher": teacher, "generate": generate, "grade": ["exact_match"], "curate": curate, "held_out": 0}
        return Recipe.of({"real": str(tmp_path / "real.jsonl"), **options, **more})

    with Server(say=say) as server:
        make(recipe(server), tmp_path / "whole")
        whole = server.paid.total()
        with pytest.raises(SelfsownError, match="the budget"):
            make(recipe(server, budget={"requests": whole - 20}), tmp_path / "cut")
        make(recipe(server, budget={"requests": 2 * whole}), tmp_path / "cut")
        assert server.paid.total() == 2 * whole
    rows = [RunFolder(tmp_path / name).rows("rows") or [] for name in ("whole", "cut")]
    assert rows[0] == rows[1]
    assert {row.status for row in rows[0]} <= {"kept", "rejected"}
    dropped = [row for row in rows[0] if row.reason.startswith("pass_rate_band: 0 of 2")]
    assert dropped
    assert 2 * len(known) < whole < 6 * len(known)
