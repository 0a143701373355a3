"""What a run cost, as its user sees it: on the ledger, under a budget, and when it is gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import Finished, run_in_process, selfsown, tree, written
from test_paid import CHANGES, SECRET, comparable, say

from selfsown.cost import read_cost
from selfsown.cost.findings import sentences
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder
from testing.mock_server import Server

PRICE = "price: {input: 1000000, output: 2000000}"  # a dollar a token


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAID_KEY", SECRET)
    monkeypatch.setenv("OTHER_KEY", SECRET)


def sets(server: Server, *, price: str = PRICE, key: str = "PAID_KEY", in_flight: int = 8) -> list[str]:
    """Options that set teacher and judge to this server."""
    options = f"url: '{server.url}', model: m, api_key: {key}, max_in_flight: {in_flight}"
    options += f", {price}" if price else ""
    return ["--set", f"teacher={{endpoint: {{{options}}}}}", "--set", f"judge={{endpoint: {{{options}}}}}"]


def run(folder: Path, *arguments: str) -> Finished:
    return run_in_process(folder, "run", "mine.yaml", "run", *arguments)


def costs(folder: Path) -> Any:
    said = run_in_process(folder, "cost", "run", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    return json.loads(said.stdout)


def test_cost_is_listed_by_step_role_model_and_kept_row(tmp_path: Path) -> None:
    written(tmp_path, **CHANGES | {"grade": [{"self_consistency": {"samples": 3}}]})
    with Server(say=say) as server:
        said = run(tmp_path, *sets(server))
        assert said.returncode == 0, said.stderr
        found = costs(tmp_path)
        requests, output = sum(server.asked.values()), server.told["completion_tokens"]
        input_tokens = server.told["prompt_tokens"]
    assert [(line["stage"], line["role"]) for line in found["lines"]] == [
        ("generate.sample", "teacher"),
        ("grade.self_consistency", "judge"),
    ]
    whole = found["total"]
    assert (whole["requests"], whole["retries"]) == (requests, 0)
    assert (whole["input_tokens"], whole["output_tokens"]) == (input_tokens, output)
    assert whole["usd"] == pytest.approx(sum(line["usd"] for line in found["lines"])) == input_tokens + 2 * output
    kept = sum(g.counts.get("kept", 0) for g in RunFolder(tmp_path / "run").generations())
    assert kept > 0
    assert (found["kept"], found["usd_per_kept_row"]) == (kept, pytest.approx(whole["usd"] / kept))
    assert (
        f"{requests:,} requests, {input_tokens:,} input and {output:,} output tokens, ${whole['usd']:,.2f}"
        in said.stdout
    )
    shown = run_in_process(tmp_path, "cost", "run").stdout
    words = (
        "generate.sample",
        "grade.self_consistency",
        "teacher",
        "judge",
        "kept rows",
        "to write",
        f"{input_tokens:,}",
        f"{output:,}",
    )
    assert [word for word in words if word not in shown] == []
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Requests to model servers" in page
    assert f"${whole['usd']:,.2f}" in page


def test_a_run_without_paid_models_says_so(tmp_path: Path) -> None:
    written(tmp_path)
    said = run(tmp_path)
    assert said.returncode == 0, said.stderr
    assert "requests" not in said.stdout
    assert "No model server was asked" in run_in_process(tmp_path, "cost", "run").stdout
    assert costs(tmp_path) == {"lines": []}
    assert not (tmp_path / "run" / "replies.sqlite").exists()
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Requests to model servers" not in page
    assert "The cost of custom methods is not recorded" in page
    said = run_in_process(tmp_path, "cost", "nowhere")
    assert (said.returncode, "there is no folder nowhere" in said.stderr) == (2, True)


@pytest.mark.slow
def test_a_budget_stops_the_run_with_exit_code_3_and_a_larger_one_goes_on_to_the_same_end(tmp_path: Path) -> None:
    written(tmp_path, **CHANGES)
    with Server(say=say) as server:
        assert run_in_process(tmp_path, "run", "mine.yaml", "whole", *sets(server)).returncode == 0
        whole, wanted = len(server.bodies), comparable(tmp_path / "whole")
        server.bodies.clear()
        for requests in (whole // 3, whole // 2):
            command = selfsown if requests == whole // 3 else run_in_process
            said = command(
                tmp_path, "run", "mine.yaml", "run", *sets(server), "--set", f"budget={{requests: {requests}}}"
            )
            assert (said.returncode, len(server.bodies)) == (3, requests)
            assert "Traceback" not in said.stderr
            assert f"{requests} requests of {requests} requests spent" in said.stderr
        larger = said.stderr.rpartition("--set 'budget=")[2].strip().rstrip("'")
        assert yaml.safe_load(larger) == {"requests": 2 * (whole // 2)}
        assert run(tmp_path, *sets(server), "--set", f"budget={{requests: {whole}}}").returncode == 0
        assert len(server.bodies) == whole, "no request was sent twice"
        assert comparable(tmp_path / "run") == wanted
        assert costs(tmp_path)["total"]["requests"] == whole


def test_a_budget_in_dollars_requires_prices_before_anything_is_sent(tmp_path: Path) -> None:
    written(tmp_path, **CHANGES)
    before = tree(tmp_path)
    with Server(say=say) as server:
        said = run(tmp_path, *sets(server, price=""), "--set", "budget={usd: 5}")
        assert said.returncode == 2
        assert "the price of m at" in said.stderr
        assert "--set 'teacher.endpoint.price={input: 1, output: 3}'" in said.stderr
        said = run_in_process(tmp_path, "check", "mine.yaml", *sets(server, price=""), "--set", "budget={usd: 5}")
        assert (said.returncode, "the price of m at" in said.stderr) == (2, True)
        assert (dict(server.asked), tree(tmp_path)) == ({}, before)
        said = run_in_process(tmp_path, "check", "mine.yaml", *sets(server), "--set", "budget={usd: 5}")
        assert said.returncode == 0
        assert yaml.safe_load(said.stdout)["budget"] == {"usd": 5}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("budget={usd: 0}", "budget is {'usd': 0}; it must be greater than 0"),
        ("budget={dollars: 5}", "it must be 'usd', 'tokens' or 'requests'"),
        ("budget=5", "budget is 5; it must be a mapping"),
        ("teacher={endpoint: {url: 'http://h/v1', model: m, price: {input: 1}}}", "price has no output"),
        ("teacher={endpoint: {url: 'http://h/v1', model: m, price: {in: 1}}}", "teacher.endpoint.price is {'in': 1}"),
    ],
)
def test_invalid_budgets_and_prices_are_explained(change: str, words: str, tmp_path: Path) -> None:
    written(tmp_path, **CHANGES)
    said = run_in_process(tmp_path, "check", "mine.yaml", "--set", change)
    assert said.returncode == 2
    assert words in said.stderr


def test_transport_options_may_change_between_runs_but_not_the_model(tmp_path: Path) -> None:
    written(tmp_path, **CHANGES)
    with Server(say=say) as server:
        few = ["--set", "budget={requests: 40}"]
        assert run(tmp_path, *sets(server, price=""), *few).returncode == 3
        changed = [
            each.replace("m, api_key", "m, timeout: 5, retries: 9, api_key") for each in sets(server, key="OTHER_KEY")
        ]
        said = run(tmp_path, *changed)
        assert said.returncode == 0, said.stderr
        recipe = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text(encoding="utf-8"))
        assert recipe["teacher"]["endpoint"]["api_key"] == "OTHER_KEY"
        assert "budget" not in recipe
        found = costs(tmp_path)["total"]
        assert found["usd"] == pytest.approx(found["input_tokens"] + 2 * found["output_tokens"]), (
            "the price was set later"
        )
        other = [each.replace("m, api_key", "n, api_key") for each in sets(server)]
        said = run(tmp_path, *other)
        assert said.returncode == 2
        assert "judge was {'endpoint': {" in said.stderr
        assert "_KEY" not in said.stderr


def test_points_gained_are_relative_to_generation_0(tmp_path: Path) -> None:
    written(tmp_path, **CHANGES)
    with Server(say=say) as server:
        assert run(tmp_path, *sets(server)).returncode == 0
    folder = tmp_path / "run"
    goal = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))["goal"]
    for first, best, better, points in ((0.5, 0.75, "higher", 25), (0.5, 0.5, "higher", None), (3, 2.5, "lower", 50)):
        for number, value in ((0, first), (1, best), (2, first)):
            path = folder / f"generation-{number:02d}" / "generation.json"
            generation = json.loads(path.read_text(encoding="utf-8"))
            for score in generation["scores"] + generation["validation_scores"]:
                if goal == (f"{score['name']}[{score['stratum']}]" if score["stratum"] else score["name"]):
                    score |= {"value": value, "direction": better}
            path.write_text(json.dumps(generation), encoding="utf-8")
        found = read_cost(folder)
        assert found
        assert found.points == (None if points is None else pytest.approx(points))
        assert any("points gained in" in sentence for sentence in sentences(found)) == (points is not None)
        assert found.total.usd
        each = found.to_json()["usd_per_point"]
        assert each == (None if points is None else pytest.approx(found.total.usd / points))
    path = folder / "generation-02" / "generation.json"  # the best on validation rows is not the best on test rows
    generation = json.loads(path.read_text(encoding="utf-8"))
    for scores, value in (("scores", 2.9), ("validation_scores", 2.0)):
        generation[scores] = [score | {"value": value, "direction": "lower"} for score in generation[scores]]
    path.write_text(json.dumps(generation), encoding="utf-8")
    turned = read_cost(folder)
    assert turned
    assert turned.points == pytest.approx(10)
    (folder / "recipe.yaml").write_text("goal: [", encoding="utf-8")
    with pytest.raises(SelfsownError, match="is damaged"):
        read_cost(folder)
