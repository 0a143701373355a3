"""`estimate`: what `make` will take, from a few rows that are asked, or from none; and what is really taken then."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from command import run_in_process

from selfsown.estimate.estimator import Estimate, estimate
from selfsown.estimate.usage import Range
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError
from selfsown.usage.ledger import UsageEntry, total, usage_entries
from testing.mock_batches import BatchServer
from testing.mock_server import Server

ROWS = 200
PRICE = {"input": 1, "output": 4}


def prompts(folder: Path, count: int = ROWS, answer: str = "") -> Path:
    """Prompts of about twenty words, some of them very long."""
    path, rng = folder / "prompts.jsonl", random.Random(0)
    rows = [
        {"prompt": f"what of {at}?" + " word" * int(rng.lognormvariate(3, 1)), "answer": answer} for at in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def say(prompt: str, body: dict[str, Any]) -> str:
    """Other words to each draw, as many as the prompt's length draws; or a judgement."""
    rng = random.Random(len(prompt.split()))
    if "response_format" in body:
        return json.dumps({"reason": "so " * rng.randrange(5, 40), "score": 4})
    return f"{body['seed']} " + "word " * (1 + int(rng.lognormvariate(3, 0.8)))


def serving(**given: Any) -> Server:
    return Server(models=("m", "judge"), **{"say": say, **given})


def recipe(folder: Path, server: Server, **changes: Any) -> Recipe:
    there = {"url": server.url, "price": PRICE}
    tree: dict[str, Any] = {
        "real": str(folder / "prompts.jsonl"),
        "teacher": {"endpoint": {**there, "model": "m"}},
        "judge": {"endpoint": {**there, "model": "judge"}},
        "generate": [{"sample": {"n": 2}}],
        "grade": ["judge"],
    }
    return Recipe.of({**tree, **changes})


def taken(folder: Path) -> UsageEntry:
    return total(usage_entries(folder / "replies.sqlite"))


def covers(found: Range | None, value: float) -> bool:
    assert found
    assert found.low is not None
    assert found.high is not None
    return found.low - 1e-9 <= value <= found.high + 1e-9


def by_place(found: Estimate) -> dict[tuple[str, str], float]:
    return {(step.step, step.role): step.usage.requests.value for step in found.steps}


def test_intervals_contain_what_make_uses_and_sampled_rows_are_paid_once(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        found = estimate(recipe(tmp_path, server), tmp_path / "out", 20)
        assert found.spent_now.requests == len(server.bodies) == 20 * 4
        assert (found.rows, found.sampled_rows, found.cached_replies) == (ROWS, 20, 20 * 4)
        make(recipe(tmp_path, server), tmp_path / "out")
        assert len(server.bodies) == ROWS * 4
    whole = taken(tmp_path / "out")
    assert found.total.requests.value == pytest.approx(whole.requests - found.spent_now.requests)
    assert covers(found.total.requests, whole.requests - found.spent_now.requests)
    assert covers(found.total.input_tokens, whole.input_tokens - found.spent_now.input_tokens)
    assert covers(found.total.output_tokens, whole.output_tokens - found.spent_now.output_tokens)
    assert covers(found.total.usd, (whole.usd or 0) - (found.spent_now.usd or 0))


@pytest.mark.slow
def test_intervals_have_at_least_85_percent_coverage(tmp_path: Path) -> None:
    """A seed draws other rows, to which this server answers the same."""
    prompts(tmp_path)
    held = {"input_tokens": 0, "output_tokens": 0, "usd": 0}
    with serving() as server:
        make(recipe(tmp_path, server), tmp_path / "whole")
        whole, trials = taken(tmp_path / "whole"), 20
        for seed in range(1, trials + 1):
            found = estimate(recipe(tmp_path, server, seed=seed), tmp_path / f"out{seed}", 20)
            for name in held:
                left = getattr(whole, name) - getattr(found.spent_now, name)
                held[name] += covers(getattr(found.total, name), left)
    assert min(held.values()) >= 0.85 * trials, held


@pytest.mark.parametrize("done", [0, 100])
def test_offline_counts_requests_exactly_and_sends_none(done: int, tmp_path: Path) -> None:
    changes = {"grade": [{"self_consistency": {"samples": 3}}, "judge"]}
    with serving() as server:
        if done:
            prompts(tmp_path, done)
            make(recipe(tmp_path, server, **changes), tmp_path / "out")
        prompts(tmp_path)
        before = len(server.bodies)
        found = estimate(recipe(tmp_path, server, **changes), tmp_path / "out", offline=True)
        assert len(server.bodies) == before
        assert (tmp_path / "out").exists() == bool(done)
        assert by_place(found) == {
            ("generate.sample", "teacher"): pytest.approx(2 * (ROWS - done)),
            ("grade.self_consistency", "judge"): pytest.approx(3 * (ROWS - done)),
            ("grade.judge", "judge"): pytest.approx(2 * (ROWS - done)),
        }
        assert found.cached_replies == before
        make(recipe(tmp_path, server, **changes), tmp_path / "out")
        assert len(server.bodies) - before == pytest.approx(found.total.requests.value)


def test_paid_replies_are_not_counted_and_a_second_estimate_sends_nothing(tmp_path: Path) -> None:
    with serving() as server:
        prompts(tmp_path, 130)
        make(recipe(tmp_path, server), tmp_path / "out")
        prompts(tmp_path)
        first = estimate(recipe(tmp_path, server), tmp_path / "out", 40)
        assert first.spent_now.requests < 40 * 4
        assert first.total.requests.value == pytest.approx(ROWS * 4 - first.cached_replies)
        sent = len(server.bodies)
        again = estimate(recipe(tmp_path, server), tmp_path / "out", 40)
        assert (len(server.bodies), again.spent_now.requests) == (sent, 0)
        assert again.total.output_tokens == first.total.output_tokens
        make(recipe(tmp_path, server), tmp_path / "out")
        assert covers(first.total.output_tokens, taken(tmp_path / "out").output_tokens - first.spent.output_tokens)
        nothing = estimate(recipe(tmp_path, server), tmp_path / "out", 40)
    assert (nothing.total.requests, nothing.total.usd) == (Range(0, 0, 0), Range(0, 0, 0))


def test_equal_answers_are_judged_and_counted_once(tmp_path: Path) -> None:
    prompts(tmp_path, 100)
    with serving(say=lambda prompt, body: say(prompt, {**body, "seed": 0})) as server:
        found = estimate(recipe(tmp_path, server), tmp_path / "out", 10)
        assert found.spent_now.requests == 10 * 3
        make(recipe(tmp_path, server), tmp_path / "out")
        assert len(server.bodies) - found.spent_now.requests == pytest.approx(found.total.requests.value) == 90 * 3


def test_offline_reply_length_comes_from_real_answers_max_tokens_or_an_assumption(tmp_path: Path) -> None:
    def output(server: Server, **knobs: Any) -> tuple[float, str]:
        teacher = {"endpoint": {"url": server.url, "model": "m", "api_key": "NOT_SET", **knobs}}
        found = estimate(recipe(tmp_path, server, teacher=teacher, grade=[]), tmp_path / "out", offline=True)
        assert found.total.usd is None
        return found.total.output_tokens.value / found.total.requests.value, found.steps[0].reply_length

    with serving() as server:
        prompts(tmp_path, 20)
        assert output(server) == (1000, "1,000 tokens, an assumption")
        assert output(server, max_tokens=70) == (70, "as long as max_tokens allows")
        prompts(tmp_path, 20, answer="four" * 50)
        assert output(server) == (50, "as long as the real answers")
        assert output(server, max_tokens=30)[0] == 30
        assert not server.asked


def test_methods_that_make_rows_of_all_real_rows_are_estimated_from_the_first_rows(tmp_path: Path) -> None:
    (tmp_path / "prompts.jsonl").write_text("".join(f'{{"text": "line {at}"}}\n' for at in range(20)))
    with serving() as server:
        teacher = {"endpoint": {"url": server.url, "model": "m", "system": "write", "price": PRICE}}
        changes = {"teacher": teacher, "generate": [{"propose": {"count": 150}}], "grade": ["rules", "judge"]}
        offline = estimate(recipe(tmp_path, server, **changes), tmp_path / "out", offline=True)
        assert offline.total.requests.value == 300
        found = estimate(recipe(tmp_path, server, **changes), tmp_path / "out", 80)
        assert (found.sampled_rows, found.spent_now.requests) == (80, len(server.bodies))
        make(recipe(tmp_path, server, **changes), tmp_path / "out")
    whole = taken(tmp_path / "out")
    assert found.total.requests.value == pytest.approx(whole.requests - found.spent_now.requests, rel=0.1)


def test_document_qa_is_counted_with_its_later_steps(tmp_path: Path) -> None:
    (tmp_path / "prompts.jsonl").write_text("".join(f'{{"text": "Blue is thing {at}"}}\n' for at in range(40)))

    def pairs(prompt: str, body: dict[str, Any]) -> str:
        if "score" in json.dumps(body.get("response_format")):
            return say(prompt, body)
        pair = {"question": "what?", "quote": "Blue is", "answer": str(body["seed"])}
        return json.dumps(
            {"pairs": [{**pair, "question": f"what {at} of {random.Random(prompt).random()}?"} for at in range(3)]}
        )

    with serving(say=pairs) as server:
        offline = estimate(recipe(tmp_path, server, generate=["document_qa"]), tmp_path / "out", offline=True)
        assert by_place(offline) == {
            ("generate.document_qa", "teacher"): 40,
            ("grade.judge", "judge"): pytest.approx(120),
        }
        found = estimate(recipe(tmp_path, server, generate=["document_qa"]), tmp_path / "out", 10)
        assert found.total.requests.value == pytest.approx(30 * 4)
        make(recipe(tmp_path, server, generate=["document_qa"]), tmp_path / "out")
    assert taken(tmp_path / "out").requests == found.spent_now.requests + 120


def test_a_schema_without_a_stub_reply_is_reported_offline_and_measured_online(tmp_path: Path) -> None:
    prompts(tmp_path, 60)
    schema = {
        "type": "object",
        "properties": {"code": {"type": "string", "pattern": "^[0-9]{3}$"}},
        "required": ["code"],
    }
    changes = {"generate": [{"sample": {"n": 1, "schema": schema}}]}

    def code(prompt: str, body: dict[str, Any]) -> str:
        return '{"code": "123"}' if "code" in json.dumps(body["response_format"]) else say(prompt, body)

    with serving(say=code) as server:
        offline = estimate(recipe(tmp_path, server, **changes), tmp_path / "out", offline=True)
        assert offline.uncounted_steps == ["generate.sample"]
        assert offline.total.requests.value == 60
        found = estimate(recipe(tmp_path, server, **changes), tmp_path / "out", 10)
    assert not found.uncounted_steps
    assert found.total.requests.value == pytest.approx(100)


def test_a_sample_is_not_sent_in_a_batch_and_the_rest_is_priced_as_one(tmp_path: Path) -> None:
    prompts(tmp_path, 60)
    with BatchServer(models=("m", "judge"), say=say) as server:
        half = {"url": server.url, "price": {**PRICE, "batch": 0.5}}
        roles = {role: {"endpoint": {**half, "model": model}} for role, model in (("teacher", "m"), ("judge", "judge"))}
        plain = estimate(recipe(tmp_path, server, **roles), tmp_path / "plain", 10)
        for role in roles.values():
            role["endpoint"]["batch"] = 500
        found = estimate(recipe(tmp_path, server, **roles), tmp_path / "out", 10)
        assert not server.sent
        assert len(server.bodies) == 2 * found.spent_now.requests
        make(recipe(tmp_path, server, **roles), tmp_path / "out")
        assert sum(map(len, server.sent)) == pytest.approx(found.total.requests.value)
    assert plain.total.usd
    assert found.total.usd
    assert plain.batch_usd
    assert plain.batch_usd.value == pytest.approx(found.total.usd.value) == pytest.approx(plain.total.usd.value / 2)
    assert (found.batch_usd, found.total.seconds) == (None, None)


def test_rows_without_a_prompt_cost_nothing_and_only_such_rows_are_an_error(tmp_path: Path) -> None:
    rows = [{"prompt": f"what of {at}?" * (at % 2), "answer": "yes"} for at in range(40)]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving() as server:
        found = estimate(recipe(tmp_path, server), tmp_path / "out", 40)
        assert (found.spent_now.requests, found.total.requests.value) == (80, 0)
        (tmp_path / "prompts.jsonl").write_text('{"prompt": "", "answer": "a"}\n' * 2)
        with pytest.raises(SelfsownError, match=r"generate.sample works on prompts, and .* has only documents"):
            estimate(recipe(tmp_path, server), tmp_path / "other", 40)


def test_the_command_prints_sentences_or_json_and_compares_with_the_budget(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving() as server:
        changes = {"name": "mine", "budget": {"requests": 500, "usd": 100}}
        (tmp_path / "mine.yaml").write_text(json.dumps(recipe(tmp_path, server, **changes).dump()))
        offline = run_in_process(tmp_path, "estimate", "mine.yaml", "--offline")
        assert not server.asked
        assert not (tmp_path / "made").exists()
        done = run_in_process(tmp_path, "estimate", "mine.yaml", "--rows", "5")
        found = json.loads(run_in_process(tmp_path, "estimate", "mine.yaml", "--rows", "5", "--json").stdout)
        wrong = run_in_process(tmp_path, "estimate", "mine.yaml", "--rows", "0")
    assert offline.returncode == done.returncode == 0, offline.stderr + done.stderr
    assert "No request was sent. All 200 rows" in offline.stdout
    assert "The budget of 500 requests is too little: 0 requests spent and 800 requests left." in offline.stdout
    assert "5 of 200 rows, drawn evenly, were sent for this estimate" in done.stdout
    assert "This estimate used 20 requests" in done.stdout
    assert "20 replies are in the journal already" in done.stdout
    assert "The budget of $100.00 is enough" in done.stdout
    assert (found["sampled_rows"], found["cached_replies"], found["spent_now"]["requests"]) == (5, 20, 0)
    assert found["total"]["requests"] == {
        "value": pytest.approx(780),
        "low": pytest.approx(780),
        "high": pytest.approx(780),
    }
    assert (wrong.returncode, wrong.stderr) == (2, "selfsown: --rows is 0; it must be 1 or more\n")


def test_an_unknown_price_comes_with_the_option_that_sets_it(tmp_path: Path) -> None:
    prompts(tmp_path, 30)
    with serving() as server:
        unpriced = {"endpoint": {"url": server.url, "model": "m"}}
        (tmp_path / "mine.yaml").write_text(json.dumps(recipe(tmp_path, server, teacher=unpriced).dump()))
        done = run_in_process(tmp_path, "estimate", "mine.yaml", "out", "--rows", "5")
        told = run_in_process(
            tmp_path,
            "estimate",
            "mine.yaml",
            "out",
            "--rows",
            "5",
            "--set",
            "teacher.endpoint.price={input: 1, output: 3}",
        )
    assert done.stdout.count("--set 'teacher.endpoint.price={input: 1, output: 3}'") == 1, "said once, whoever asks it"
    assert "unknown" in done.stdout
    assert "unknown" not in told.stdout
    assert "is unknown" not in told.stdout


def test_time_is_of_the_clock_with_requests_in_flight(tmp_path: Path) -> None:
    prompts(tmp_path)
    with serving(latency=0.2) as server:
        there = {"url": server.url, "model": "m", "max_in_flight": 8}
        found = estimate(recipe(tmp_path, server, teacher={"endpoint": there}, grade=[]), tmp_path / "out", 8)
        slow = {"endpoint": {**there, "requests_per_minute": 60}}
        paced = estimate(recipe(tmp_path, server, teacher=slow, grade=[]), tmp_path / "out", 8)
    assert found.total.seconds
    assert found.total.seconds.value == pytest.approx(2 * (ROWS - 8) * 0.2 / 8, rel=0.5)
    assert paced.total.seconds
    assert paced.total.seconds.value == pytest.approx(2 * (ROWS - 8), rel=0.1)
