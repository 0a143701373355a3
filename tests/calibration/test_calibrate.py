"""Calibration measures planted faults within its intervals, and a recipe may require error rates."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import run_in_process

from selfsown import loop
from selfsown.calibration.calibrate import calibrate
from selfsown.calibration.requirements import unmet_requirements
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder
from testing.mock_server import Server

ROWS = 600


def labels(folder: Path, count: int = ROWS) -> Path:
    """Two answers to each prompt, a good and a bad one, now one first, now the other; some are the judge's own."""
    chance, path = random.Random(0), folder / "labels.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for at in range(count // 2):
            pair = [("good", "right"), ("bad", "wrong")]
            for label, word in pair if at % 2 else pair[::-1]:
                maker = chance.choice(["judge", "other"])
                answer = f"{word} by {maker} {'so ' * chance.randrange(40)}{at}"
                row = {"prompt": f"what of {at}?", "answer": answer, "label": label, "source": maker}
                file.write(json.dumps(row) + "\n")
    return path


def judging(accepts: float = 0.0, rejects: float = 0.0, long: bool = False, own: bool = False, **more: Any) -> Server:
    """A judge that is wrong in these shares of its cases, or likes long answers, or its own ones."""

    def say(prompt: str, body: dict[str, Any]) -> str:
        if '"better"' in prompt:
            first = re.findall(r"(right|wrong) by", prompt)[0]
            better = "first" if random.Random(prompt).random() < 0.3 or first == "right" else "second"
            return json.dumps({"better": better})
        if "Answer with JSON" not in prompt:
            return "right by m"
        found = re.search(r"(right|wrong) by (\w+)( so)*", prompt)
        assert found
        chance = random.Random(prompt).random()
        score = 4 if (chance >= rejects if found[1] == "right" else chance < accepts) else 2
        score += (long and len(found[0]) > 80) + (own and found[2] == "judge")
        return json.dumps({"reason": "it seems so", "score": score})

    return Server(models=("m", "judge"), say=say, **more)


def recipe(folder: Path, server: Server, **changes: Any) -> Recipe:
    prompts = folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": f"q {at}", "answer": f"a {at}"}) + "\n" for at in range(40)))
    there = {"url": server.url, "max_in_flight": 64, "price": {"input": 1.0, "output": 3.0}}
    tree = {
        "name": "mine",
        "real": str(prompts),
        "teacher": {"endpoint": {**there, "model": "m"}},
        "judge": {"endpoint": {**there, "model": "judge"}},
        "generate": [{"sample": {"n": 1}}],
        "grade": ["judge"],
        "curate": ["min_score"],
    }
    return Recipe.of({**tree, **changes}, folder)


def measured(*given: Any, **more: Any) -> dict[str, Any]:
    """The calibration as it is written."""
    return calibrate(*given, **more).to_json()


def holds(measure: dict[str, float], truth: float) -> bool:
    return measure["low"] <= truth <= measure["high"]


def test_planted_error_rates_are_measured_and_paid_for_once(tmp_path: Path) -> None:
    with judging(accepts=0.2, rejects=0.1) as server:
        mine = recipe(tmp_path, server)
        found = measured(mine, tmp_path / "out", labels(tmp_path), ROWS)
        sent = len(server.bodies)
        assert sent == ROWS, "the second order asks nothing new of a judge that sees one row at a time"
        assert measured(mine, tmp_path / "out", tmp_path / "labels.jsonl", ROWS) == found
        assert len(server.bodies) == sent
    (judge,) = found["graders"]
    assert holds(judge["false_accepts"], 0.2)
    assert holds(judge["false_rejects"], 0.1)
    assert holds(judge["agreement"], 0.85)
    assert holds(judge["kappa"], 0.7)
    assert judge["kappa"]["high"] - judge["kappa"]["low"] < 0.15
    assert judge["failed"]["value"] == 0
    assert judge["position_bias"]["value"] == 0
    assert (found["rows"], found["good"]) == (ROWS, ROWS // 2)
    assert RunFolder(tmp_path / "out").json("calibration") == found
    assert found["cost"]["requests"] == ROWS
    assert found["cost"]["usd"] > 0


def test_biases_are_measured_only_where_they_were_planted(tmp_path: Path) -> None:
    found = {}
    path = labels(tmp_path)
    for name, fault in {"good": {}, "long": {"long": True}, "own": {"own": True}}.items():
        with judging(accepts=0.2, rejects=0.2, **fault) as server:
            (found[name],) = measured(recipe(tmp_path, server), tmp_path / name, path, ROWS)["graders"]
    assert holds(found["good"]["length_bias"], 0.0)
    assert holds(found["good"]["self_preference"], 0.0)
    assert found["long"]["length_bias"]["low"] > 0.1
    assert found["own"]["self_preference"]["low"] > 0.02
    assert holds(found["own"]["length_bias"], 0.0)


def test_self_preference_of_a_panel_covers_each_of_its_models(tmp_path: Path) -> None:
    path, said = labels(tmp_path), {}
    for names in (["judge", "m"], ["m"]):
        with judging(own=True) as server:
            grade = [{"panel": {"judges": names, "rubrics": ["Is it right?"]}}]
            (found,) = measured(recipe(tmp_path, server, grade=grade), tmp_path / names[0], path, ROWS)["graders"]
            said[names[0]] = found["self_preference"]
    assert said["judge"]["low"] > 0.1
    assert said["m"] is None, "of m's own rows there are none"


PAIRS = '''
from selfsown.records import Grade
from selfsown.prompting.structured_output import complete_json

SCHEMA = {"type": "object", "properties": {"better": {"enum": ["first", "second"]}}, "required": ["better"]}


def grade(rows, judge, *, both=False):
    """Siblings stand one after the other; of some that were not asked about, nothing is known."""
    groups = {}
    for row in rows:
        groups.setdefault(row.prompt, []).append(row)
    orders = [pair for pair in groups.values()] + ([pair[::-1] for pair in groups.values()] if both else [])
    answers = complete_json(judge, [f"{a.answer}\\n{b.answer}" for a, b in orders], SCHEMA)
    won = {}
    for pair, said in zip(orders, answers):
        for row, place in zip(pair, ("first", "second")):
            won.setdefault(row.id, []).append(float(said.data["better"] == place))
    for row in rows:
        yield Grade(sum(won[row.id]) / len(won[row.id]), "compared", grader="pairs", evidence="judge")
'''


def test_position_bias_is_measured_and_cancelled_by_asking_in_both_orders(tmp_path: Path) -> None:
    (tmp_path / "pairs.py").write_text(PAIRS)
    with judging() as server:
        graders: list[Any] = ["./pairs.py", {"./pairs.py": {"both": True}}]
        found = measured(recipe(tmp_path, server, grade=graders), tmp_path / "out", labels(tmp_path), ROWS)
    once, both = found["graders"]
    # Three in ten bad rows win where they stand first: of two orders, one is such.
    assert holds(once["position_bias"], 0.3)
    assert abs(both["position_bias"]["value"]) <= 0.02


def test_mutants_measure_graders_that_know_answers_but_not_rules(tmp_path: Path) -> None:
    with judging() as server:
        mine = recipe(tmp_path, server, grade=["exact_match", "novelty", "rules"])
        found = measured(mine, tmp_path / "out", max_rows=60)
        assert not server.bodies
    exact, novelty, rules = found["graders"]
    assert (exact["false_accepts"]["value"], exact["false_rejects"]["value"], exact["kappa"]["value"]) == (0, 0, 1)
    assert exact["kappa"]["low"] < 1
    assert set(exact["false_accepts_by_kind"]) == {"another row's answer", "a number changed", "characters changed"}
    assert all("it checks rules" in each["unmeasured"] for each in (novelty, rules))
    assert found["cost"] is None


def test_an_untrained_student_is_not_measured_as_a_judge(tmp_path: Path) -> None:
    programs = Recipe.load("first", ["grade=[verify, self_consistency]", "real.programs.rows=600", "held_out=300"])
    verify, vote = measured(programs, tmp_path / "run", max_rows=100)["graders"]
    assert (verify["false_accepts"]["value"], verify["false_rejects"]["value"]) == (0, 0)
    assert "it asks the judge, which is the student" in vote["unmeasured"]


def test_make_refuses_until_the_same_grader_meets_its_requirements(tmp_path: Path) -> None:
    path, demand = labels(tmp_path), {"judge": {"kappa": 0.6, "false_accepts": 0.3}}
    with judging(accepts=0.1, rejects=0.1) as server:
        mine = recipe(tmp_path, server, grader_requirements=demand)
        with pytest.raises(
            SelfsownError, match=r"grader_requirements: judge must be calibrated first: selfsown calibrate .*out"
        ):
            make(mine, tmp_path / "out")
        assert not (tmp_path / "out").exists()
        assert not unmet_requirements(mine, calibrate(mine, tmp_path / "out", path, ROWS))
        make(mine, tmp_path / "out")
        stern = recipe(tmp_path, server, grader_requirements=demand, grade=[{"judge": {"rubric": "Is it short?"}}])
        with pytest.raises(SelfsownError, match=r"grade\.judge was not calibrated as it is in the recipe now"):
            make(stern, tmp_path / "out")
        harder = recipe(tmp_path, server, grader_requirements={"judge": {"false_accepts": 0.1}})
        with pytest.raises(
            SelfsownError, match=r"its false_accepts is 0\.\d+ \[.*the whole interval must be at most 0\.1"
        ):
            make(harder, tmp_path / "out")
        faster = recipe(tmp_path, server, grader_requirements=demand)
        assert faster.judge
        faster.judge.options["max_in_flight"] = 8  # type: ignore[index]
        make(faster, tmp_path / "out")


def test_run_refuses_until_calibrated_in_its_folder(tmp_path: Path) -> None:
    changes = [
        "real.programs.rows=600",
        "real.programs.levels=1",
        "held_out=300",
        "generations=0",
        "base_train.sft.steps=2",
    ]
    mine = Recipe.load("first", [*changes, "grader_requirements={verify: {kappa: 0.9}}"])
    with pytest.raises(SelfsownError, match="verify must be calibrated first"):
        loop.run(mine, tmp_path / "run")
    measured(Recipe.load("first", [*changes, "seed=5"]), tmp_path / "run", max_rows=100)
    assert not unmet_requirements(mine, calibrate(mine, tmp_path / "run", max_rows=200))
    assert len(loop.run(mine, tmp_path / "run")) == 1


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        ("{vote: {kappa: 0.6}}", "grader_requirements: 'vote' is no grader of this recipe; available: judge"),
        ("{judge: {kapa: 0.6}}", "grader_requirements is {'judge': {'kapa': 0.6}}; it must be"),
        ("{judge: {kappa: 6}}", "grader_requirements is {'judge': {'kappa': 6}}; it must be"),
    ],
)
def test_invalid_requirements_are_explained(demand: str, said: str, tmp_path: Path) -> None:
    with judging() as server, pytest.raises(SelfsownError) as caught:
        recipe(tmp_path, server, grader_requirements=yaml.safe_load(demand))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ('{"prompt": "q", "answer": "a"}\n', "has no column 'label' or 'score'; available: prompt, answer"),
        ('{"prompt": "q", "answer": "a", "label": "fine"}\n', "labels.jsonl:1 has the label 'fine'; it must be good"),
        (
            '{"prompt": "q", "answer": "a", "score": 4}\n',
            "has the score 4; it must be good, bad or a number from 0 to 1",
        ),
    ],
)
def test_invalid_labels_are_explained_before_the_folder_is_touched(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text(text)
    with judging() as server, pytest.raises(SelfsownError) as caught:
        measured(recipe(tmp_path, server), tmp_path / "out", tmp_path / "labels.jsonl")
    assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_unparsable_replies_count_as_failed_not_as_wrong(tmp_path: Path) -> None:
    with judging(faults={"refused": 0.2}) as server:
        (judge,) = measured(recipe(tmp_path, server), tmp_path / "out", labels(tmp_path, 200))["graders"]
    assert 0.1 < judge["failed"]["value"] < 0.3
    assert (judge["false_accepts"]["value"], judge["false_rejects"]["value"]) == (0, 0)
    assert judge["agreement"]["n"] == 200 - round(200 * judge["failed"]["value"])


def test_the_command_prints_a_table_or_json_and_exits_with_4_below_a_requirement(tmp_path: Path) -> None:
    path = labels(tmp_path, 200)
    with judging(accepts=0.2) as server:
        for name, demand in (("fine", {"kappa": 0.5}), ("poor", {"kappa": 0.95})):
            tree = recipe(tmp_path, server, name=name, grader_requirements={"judge": demand}).dump()
            (tmp_path / f"{name}.yaml").write_text(json.dumps(tree))
        fine = run_in_process(tmp_path, "calibrate", "fine.yaml", "--labels", str(path))
        poor = run_in_process(tmp_path, "calibrate", "poor.yaml", "--labels", str(path), "--json")
    assert (fine.returncode, fine.stderr) == (0, "")
    assert all(
        each in fine.stdout for each in ("200 rows, 100 good and 100 bad", "kappa", "position bias", "200 requests")
    )
    assert "made/fine/calibration.json" in fine.stdout
    assert poor.returncode == 4
    assert poor.stderr.startswith("selfsown: grader_requirements: grade.judge: its kappa is 0.")
    assert json.loads(poor.stdout) == json.loads((tmp_path / "made/poor/calibration.json").read_text())
