"""Whether synthetic rows help is a verdict: better, worse, or inconclusive."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from arms import compare_in_process
from command import refused, written
from rich.console import Console

from selfsown.compare import prove
from selfsown.compare.experiment import Experiment
from selfsown.compare.paired_test import paired_difference
from selfsown.compare.results import ArmResult, ComparisonResult, Estimate, ScoreSummary
from selfsown.html import report
from selfsown.records import Generation, Score, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.terminal import comparison

KEYS = ("accuracy", "accuracy[level=1]", "accuracy[level=2]", "loss", "diversity")


def compared(
    experiment: Experiment, folder: Path, best: list[float] | None, kept: dict[str, int], **ends: list[float]
) -> ComparisonResult:
    """A comparison with these last scores of the arms; the first run is on disk as far as it is read.

    best: of real rows alone, where it is not the last generation.
    """
    directions = {"loss": "lower", "diversity": "neither"}
    scores = tuple(Score(key, 0.5, 100, 0.4, 0.6, direction=directions.get(key, "higher")) for key in KEYS)  # type: ignore[arg-type]
    first = experiment.runs(folder)[0].folder
    first.mkdir(parents=True, exist_ok=True)
    (first / "recipe.yaml").write_text("name: first\n")
    RunFolder(first).write_generation(Generation(0, 0, 1, {}, 1.0, scores))
    arms = []
    for name, values in ends.items():
        seeds = len(values)
        mean = paired_difference(values, [0.0] * seeds)
        gap = paired_difference(ends["graded"], values)
        score = ScoreSummary(
            mean.mean,
            mean.low,
            mean.high,
            first=[0.5] * seeds,
            last=values,
            best=best if best and name == "real" else values,
            difference=None if name == "graded" else Estimate(gap.mean, gap.low, gap.high),
        )
        arm = ArmResult(
            name,
            description="an arm",
            changes=[],
            folder=name,
            cpu_seconds=[1.0] * seeds,
            wall_seconds=[1.0] * seeds,
            unmetered=[0],
            model_usd=[0.0] * seeds,
            made=[1000] * seeds,
            kept=[kept.get(name, 500)] * seeds,
            scores=dict.fromkeys(KEYS, score),
            guards=[],
        )
        arms.append(arm)
    recipe = experiment.recipe
    return ComparisonResult(recipe.name, "a test", recipe.goal, experiment.seeds, "graded", arms, ["as compared"])


def judged(
    folder: Path,
    goal: str = "accuracy",
    best: list[float] | None = None,
    kept: dict[str, int] | None = None,
    **ends: list[float],
) -> dict[str, Any]:
    """The proof, as compare.json has it."""
    experiment = prove.plan_proof("first", [f"goal={goal}"], len(ends["graded"]))
    result = prove.prove(experiment, folder, compared(experiment, folder, best, kept or {}, **ends))
    assert result.proof
    found: dict[str, Any] = json.loads(result.proof.to_json())
    return found


@pytest.mark.parametrize(
    ("graded", "real", "goal", "verdict"),
    [
        ([0.80, 0.82, 0.81], [0.60, 0.63, 0.59], "accuracy", "better"),
        ([0.60, 0.63, 0.59], [0.80, 0.82, 0.81], "accuracy", "worse"),
        ([0.60, 0.83, 0.59], [0.62, 0.72, 0.61], "accuracy", "inconclusive"),
        ([1.60, 1.63, 1.59], [1.80, 1.82, 1.81], "loss", "better"),
        ([0.60, 0.60, 0.60], [0.50, 0.50, 0.50], "accuracy", "inconclusive"),  # no spread at all is no proof
        ([0.30, 0.60, 0.80], [0.20, 0.50, 0.70], "accuracy", "inconclusive"),  # nor is the rounding of such numbers
    ],
)
def test_the_verdict(tmp_path: Path, graded: list[float], real: list[float], goal: str, verdict: str) -> None:
    found = judged(tmp_path, goal, graded=graded, real=real, shuffled=real)
    assert found["verdict"] == verdict
    assert json.loads((tmp_path / "compare.json").read_text())["proof"]["verdict"] == verdict


def test_an_inconclusive_verdict_says_how_many_seeds_are_needed(tmp_path: Path) -> None:
    found = judged(tmp_path, graded=[0.60, 0.70, 0.66], real=[0.61, 0.65, 0.60], shuffled=[0.6, 0.6, 0.6])
    assert found["verdict"] == "inconclusive"
    assert "Detecting the observed difference takes about" in " ".join(found["sentences"])


def test_zero_variance_across_seeds_is_named(tmp_path: Path) -> None:
    said = " ".join(judged(tmp_path, graded=[0.6] * 3, real=[0.5] * 3, shuffled=[0.5] * 3)["sentences"])
    assert "Zero variance across seeds: no test possible" in said
    assert "minimum detectable effect" not in said


def test_a_goal_of_which_neither_more_nor_less_is_better_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match="neither higher nor lower is better"):
        judged(tmp_path, "diversity", graded=[0.6] * 3, real=[0.5] * 3, shuffled=[0.5] * 3)


def test_strata_are_corrected_for_being_many(tmp_path: Path) -> None:
    graded, real = [0.80, 0.85, 0.80, 0.83], [0.74, 0.80, 0.79, 0.75]
    found = judged(tmp_path, graded=graded, real=real, shuffled=real)
    assert found["verdict"] == "better"
    assert 0.025 < found["difference"]["p_value"] < 0.05
    assert [each["verdict"] for each in found["strata"].values()] == ["inconclusive", "inconclusive"]


def test_the_control_says_whether_choosing_counts(tmp_path: Path) -> None:
    graded, real = [0.80, 0.82, 0.81], [0.60, 0.63, 0.59]
    same = " ".join(judged(tmp_path, graded=graded, real=real, shuffled=[0.81, 0.81, 0.82])["sentences"])
    assert "no evidence that choosing rows by their grades matters" in same
    worse = " ".join(judged(tmp_path, graded=graded, real=real, shuffled=[0.50, 0.53, 0.50])["sentences"])
    assert "the gain comes from choosing the right rows" in worse


def test_what_proves_nothing_is_refused() -> None:
    with pytest.raises(SelfsownError, match="a verdict needs at least 3 seeds"):
        prove.plan_proof("first", [], 2)
    with pytest.raises(SelfsownError, match="no uplift to test"):
        prove.plan_proof("first", ["generate=[]"], 3)


def test_seeds_on_which_nothing_was_chosen() -> None:
    plan = prove.plan_proof("first", [], 3)
    assert plan.seeds == [0, 1, 2]
    later = plan.from_seed(2)
    assert later.seeds == [2, 3, 4]
    assert {run.changes[-1] for run in later.runs(Path("folder"))} == {"seed=2", "seed=3", "seed=4"}
    with pytest.raises(SelfsownError, match="--first-seed is -1; it must be 0 or more"):
        plan.from_seed(-1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("best", "verdict", "said"),
    [
        ([1.20, 1.22, 1.21], "inconclusive", "'first': real rows alone with early stopping did better."),
        ([1.50, 1.70, 1.61], "inconclusive", "'first': real rows alone with early stopping did as well."),
        ([1.71, 1.72, 1.69], "better", "help the recipe 'first'."),
    ],
)
def test_rows_that_only_slow_down_overfitting_are_no_help(
    tmp_path: Path, best: list[float], verdict: str, said: str
) -> None:
    found = judged(tmp_path, "loss", best, graded=[1.60, 1.63, 1.59], real=[1.80, 1.82, 1.81], shuffled=[1.8, 1.8, 1.8])
    assert found["verdict"] == verdict
    assert found["headline"].endswith(said)
    sentences = " ".join(found["sentences"])
    assert "1.607 with synthetic rows, 1.810 with real rows alone" in sentences
    assert f"the best generation of real rows alone, {sum(best) / 3:.3f}: " in sentences
    assert "gain comes from choosing" not in sentences or verdict == "better"


def test_a_loss_is_described_in_words_and_has_one_sign_in_all_numbers(tmp_path: Path) -> None:
    found = judged(tmp_path, "loss", graded=[0.81, 0.82, 0.80], real=[0.76, 0.77, 0.755], shuffled=[0.81, 0.82, 0.80])
    assert "0.048 worse [0.041, 0.056]" in found["sentences"][0]
    assert found["difference"]["mean"] == pytest.approx(0.0483, abs=1e-4)
    whole = json.loads((tmp_path / "compare.json").read_text())
    assert whole["arms"][1]["scores"]["loss"]["difference"]["mean"] == found["difference"]["mean"]


def test_strata_stand_in_a_table_with_their_intervals_and_corrected_p(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graded, real = [0.80, 0.85, 0.80, 0.83], [0.74, 0.80, 0.79, 0.75]
    found = judged(tmp_path, graded=graded, real=real, shuffled=real)
    each = found["strata"]["accuracy[level=1]"]
    assert each["corrected_p_value"] == pytest.approx(2 * each["p_value"])
    comparison.show(ComparisonResult.read(tmp_path / "compare.json"), Console(width=120))
    page = report.write(tmp_path).read_text()
    for shown in (capsys.readouterr().out, (tmp_path / "table.md").read_text(), page):
        assert f"{each['mean']:+.3f} [{each['low']:+.3f}, {each['high']:+.3f}]" in shown
        assert f"{each['corrected_p_value']:.2g}" in shown
        assert "correction over 2" in shown
        assert "as compared" not in shown  # the verdict is said once, by the proof
    assert "accuracy, level=1" in page
    assert "Guards that triggered" not in page


def test_a_recipe_that_kept_next_to_nothing_was_not_tested(tmp_path: Path) -> None:
    ends = {"graded": [0.60, 0.83, 0.59], "real": [0.62, 0.72, 0.61], "shuffled": [0.62, 0.72, 0.61]}
    found = judged(tmp_path, kept={"graded": 3, "shuffled": 0}, **ends)
    assert found["headline"].endswith("'first': almost no synthetic rows reached training.")
    assert "Almost none of the synthetic rows were kept (3 of 1,000 per run)" in found["sentences"][1]
    assert "takes about" not in " ".join(found["sentences"])
    none_kept = judged(tmp_path, kept={"graded": 0, "shuffled": 0}, **ends)
    assert "no synthetic rows reached training" in none_kept["headline"]
    alone = " ".join(judged(tmp_path, kept={"shuffled": 0}, **ends)["sentences"])
    assert "uninformative: none of its rows were kept (0 of 1,000 per run)" in alone


@pytest.mark.parametrize("graded", [[0.80, 0.82, 0.81], [0.40, 0.45, 0.38], [0.60, 0.63, 0.59]])
def test_an_arm_that_kept_no_row_proves_nothing_however_its_scores_differ(tmp_path: Path, graded: list[float]) -> None:
    ends = {"graded": graded, "real": [0.60, 0.63, 0.59], "shuffled": [0.60, 0.63, 0.58]}
    found = judged(tmp_path, kept={"graded": 0}, **ends)
    assert prove.EXIT_CODES[found["verdict"]] == 5
    assert found["headline"].startswith("Inconclusive: no evidence that the synthetic rows help")
    assert found["headline"].endswith("no synthetic rows reached training.")
    assert {each["verdict"] for each in found["strata"].values()} == {"inconclusive"}
    assert not any(said.startswith(("Better in", "Worse in")) for said in found["sentences"])
    some = judged(tmp_path, kept={"graded": 100}, **ends)
    assert (some["verdict"] == "inconclusive") == (graded == ends["real"])


def test_no_arm_has_guards_for_nothing_is_rolled_back() -> None:
    plan = prove.plan_proof("guarded", ["guard=[monitor]"], 3)
    assert [arm.recipe(plan.source, 0).guard for arm in plan.arms] == [()] * 3


def test_a_goal_without_a_direction_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    leaning = ["accuracy", {"pattern_rate": {"patterns": {"list": "\\["}}}]
    written(tmp_path, evaluate=leaning, goal="pattern_rate[list]")
    message = refused(compare_in_process(tmp_path, "prove", "mine.yaml", "p", "--seeds", "3"))
    assert "goal is pattern_rate[list], for which neither higher nor lower is better" in message
    assert "compare by one of accuracy: --set goal=" in message
    assert not (tmp_path / "p").exists()


def test_the_command_in_no_time(tmp_path: Path) -> None:
    written(tmp_path, evaluate=[{"accuracy": {"by": ["form"]}}], guard=["collapse"])
    order = ("prove", "mine.yaml", "p", "--seeds", "3", "--jobs", "1")
    done = compare_in_process(tmp_path, *order)
    whole = json.loads((tmp_path / "p" / "compare.json").read_text())
    assert done.returncode == prove.EXIT_CODES[whole["proof"]["verdict"]], done.stderr
    assert done.stdout.count(whole["proof"]["headline"]) == 1
    assert "accuracy[form=induction]" in done.stdout
    assert [arm["guards"] for arm in whole["arms"]] == [[]] * 3
    assert all(made > 0 for made in whole["arms"][0]["made"])


@pytest.mark.slow
def test_the_command_from_end_to_end(tmp_path: Path) -> None:
    small = ["real.programs.rows=160", "held_out=80", "generations=1", "goal=accuracy", "curate=[min_score, dedup]"]
    small += ["generate=[{propose: {count: 60}}]", "evaluate=[{accuracy: {by: [form]}}]", "guard=[]"]
    small += ["base_train={sft: {steps: 3, batch_size: 16}}", "train={sft: {steps: 3, batch_size: 16}}"]
    changes = [word for change in small for word in ("--set", change)]
    order = [sys.executable, "-m", "selfsown", "prove", "first", str(tmp_path / "proof"), "--seeds", "3", *changes]
    ended = compare_in_process(tmp_path, *order[3:])  # nine runs that import torch once
    assert ended.returncode in (0, 4, 5), ended.stderr
    assert "on held-out real rows" in ended.stdout
    found = json.loads((tmp_path / "proof" / "compare.json").read_text())["proof"]
    assert found["verdict"] == {0: "better", 4: "worse", 5: "inconclusive"}[ended.returncode]
    page = (tmp_path / "proof" / "report.html").read_text()
    assert found["headline"] in html.unescape(page)
    again = subprocess.run([*order, "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert again.returncode == ended.returncode
    assert json.loads(again.stdout) == found
