"""Plans for much data and for little, and what is said to a user."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from selfsown.plan import plot
from selfsown.plan.findings import cautions
from selfsown.plan.number_units import amount, written
from selfsown.plan.planner import Plan, plan
from selfsown.plan.risk import Policy, risk
from selfsown.plan.scaling_law import C4, CHINCHILLA, Law
from selfsown.plan.synthetic_kinds import SOURCES, source
from selfsown.records import SelfsownError
from selfsown.stats import closed_forms

PASSES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 100)


def test_the_published_losses_come_out_to_every_digit() -> None:
    assert C4.loss(6.34e9, 25e9, 242e9) == pytest.approx(2.2256440889984477, abs=1e-15)
    assert C4.loss(8.67e9, 25e9, 178e9) == pytest.approx(2.2269634075087867, abs=1e-15)


def test_the_published_table_of_repeats() -> None:
    worth = [C4.worth(1, each) for each in PASSES]
    assert [round(each, 2) for each in worth[:6]] == [1, 1.97, 2.88, 3.73, 5.27, 6.62]
    assert [round(100 * w / e) for w, e in zip(worth, PASSES, strict=True)] == [
        *(100, 98, 96, 93, 88, 83, 74, 66, 54, 38, 16)
    ]
    assert [round(100 * C4.next_pass(each)) for each in PASSES[:-1]] == [100, 94, 88, 82, 72, 63, 49, 38, 22, 8]
    assert C4.ceiling(1) == pytest.approx(16.39, abs=0.005)


def test_the_best_use_of_compute_with_25_billion_tokens() -> None:
    parameters, tokens = C4.best_split(1e22, 25e9)
    assert parameters == pytest.approx(7_022_364_735.88, rel=2e-3)  # the published one stands on a grid
    assert tokens / 25e9 == pytest.approx(9.493, rel=2e-3)
    assert C4.loss(parameters, 25e9, tokens) <= C4.loss(7_022_364_735.88, 25e9, 237_336_955_477.55)
    assert 1e11 / C4.best_parameters(1e11) == pytest.approx(19.6, abs=0.05)


@pytest.mark.parametrize("law", [C4, CHINCHILLA])
def test_the_worth_for_a_loss_is_the_inverse_of_the_loss(law: Law) -> None:
    assert law.worth_for(7e9, law.of(7e9, 1e11, 1e11)) == pytest.approx(1e11, rel=1e-6)
    assert law.worth_for(7e9, law.entropy) == math.inf


def test_the_passes_that_are_worth_so_much_are_the_inverse_of_their_worth() -> None:
    assert [C4.passes(25e9, C4.worth(25e9, each)) for each in PASSES] == pytest.approx(list(PASSES))
    assert C4.passes(25e9, 1e9) == 1
    assert C4.passes(25e9, C4.ceiling(25e9)) == math.inf


def test_every_set_of_constants_says_what_it_was_fitted_on_and_how_sure_it_is() -> None:
    assert not C4.outside(7e9, 25e9, 250e9)
    assert not CHINCHILLA.outside(7e9, 25e9, 250e9)
    assert C4.outside(1e5, 1e8, down=10)
    assert C4.outside(2e12, 30e12, up=100)
    assert not C4.outside(70e9, 15e12, up=100)
    assert CHINCHILLA.outside(3e7, 25e9)
    assert not CHINCHILLA.outside(3e7, 25e9, down=10)
    assert CHINCHILLA.ranges["B"] == (1042, 5811)
    assert all(low < CHINCHILLA.constants[name] < high for name, (low, high) in CHINCHILLA.ranges.items())
    assert {*CHINCHILLA.ranges, *CHINCHILLA.borrowed} == set(CHINCHILLA.constants)


def test_repeats_that_are_to_give_a_loss_give_it_by_the_plan_s_own_table() -> None:
    """A model larger than 25 B unique tokens feed gains less from repeats than from as many new tokens."""
    order = ["--tokens", "25B", "--parameters", "7B", "--json", "--loss"]
    found = json.loads(command(*order, "2.29").stdout)
    assert found["reach"] == "enough"
    assert C4.of(7e9, 25e9, found["worth"]) == pytest.approx(2.29, abs=5e-4)
    assert C4.of(7e9, 25e9, C4.worth(25e9, 4)) > 2.26
    assert json.loads(command(*order, "2.26").stdout)["gap"] > 0


@pytest.mark.parametrize(
    ("target", "gap", "share", "reach"),
    [(100e9, 6.9e9, 0.94, "safe"), (250e9, 156.9e9, 0.39, "safe"), (500e9, 407e9, 0.20, "no")],
)
def test_25_billion_tokens_where_a_synthetic_one_is_worth_a_real_one(
    target: float, gap: float, share: float, reach: str
) -> None:
    found = plan(C4, (25e9, 7e9, target), [source("verified", (1.0, 1.0))], Policy())
    (option,) = found.options
    assert found.epochs == 4
    assert found.gap == pytest.approx(gap, rel=0.01)
    assert option.real_share[0] == pytest.approx(share, abs=0.005)
    assert (option.reach, found.reach) == (reach, reach)


def verified(policy: Policy, target: float = 250e9, worth: float = 1.0) -> Plan:
    return plan(C4, (25e9, 7e9, target), [source("verified", (worth, worth))], policy)


@pytest.mark.parametrize(
    ("policy", "reach"),
    [
        (Policy(), "safe"),
        (Policy(temperature=0.5, odds=2), "risky"),
        (Policy(wrong_to_right=0.5), "risky"),
        (Policy(wrong_to_right=0.5, accuracy=0.9), "safe"),
        (Policy(odds=1.1, generations=2), "safe"),
        (Policy(odds=1.1, generations=30), "risky"),
    ],
)
def test_enough_rows_are_not_safe_where_the_way_they_are_made_spoils_them(policy: Policy, reach: str) -> None:
    found = verified(policy)
    assert found.reach == reach
    assert found.risk == risk(policy, found.options[0].real_share[1])
    assert found.risk.real_share == pytest.approx(0.39, abs=0.005)


def test_the_risk_is_that_of_the_least_real_share_of_the_kinds_that_are_best() -> None:
    found = plan(C4, (25e9, 7e9, 100e9), SOURCES, Policy(odds=1.02))
    assert [option.reach for option in found.options] == ["safe", "safe", "perhaps", "no"]
    assert found.risk.real_share == found.options[1].real_share[1] < found.options[0].real_share[1]


@pytest.mark.parametrize(
    ("target", "passes", "reach"), [(150e9, 7.05, "repeats"), (300e9, 20.2, "long"), (500e9, math.inf, "no")]
)
def test_repeats_alone_reach_what_lies_below_their_ceiling(target: float, passes: float, reach: str) -> None:
    found = plan(C4, (25e9, 7e9, target), [source("unverified")], Policy())
    assert (found.epochs, found.options[0].reach) == (4, "no")
    assert found.again.passes == pytest.approx(passes, rel=0.01)
    assert found.reach == found.again.reach == reach
    if reach != "no":
        assert target <= C4.worth(25e9, found.again.passes) < 1.01 * target
        assert found.again.compute == pytest.approx(6 * 7e9 * found.again.passes * 25e9)
        assert found.again.last == C4.next_pass(found.again.passes)
    unsure = replace(C4, ranges={"R*_D": (5.1, 30.0)})
    assert plan(unsure, (25e9, 7e9, 150e9), [source("unverified")], Policy()).reach == "long"


@pytest.mark.parametrize(
    ("real", "parameters", "target", "far"),
    [
        (25e9, 7e9, 250e9, False),
        (25e9, 20e9, 50e9, False),
        (49e3, 1e5, 3e5, True),
        (25e9, 1, 50e9, True),
        (30e12, 2e12, 40e12, True),
    ],
)
def test_far_outside_of_the_law_nothing_is_called_safe(
    real: float, parameters: float, target: float, far: bool
) -> None:
    found = plan(C4, (real, parameters, target), SOURCES, Policy())
    assert found.far == far
    assert ({"unknown"} == {found.reach, *(option.reach for option in found.options)}) == far
    assert bool(cautions(found)) == (far or parameters > 9e9)


def test_no_more_repeats_than_the_target_asks_for_and_no_gap_where_they_do() -> None:
    found = plan(C4, (25e9, 7e9, 40e9), SOURCES, Policy())
    assert found.reach == "enough"
    assert 1.5 < found.epochs < 1.8
    assert found.worth >= 40e9
    assert {option.needed for option in found.options} == {(0.0, 0.0)}


def test_a_policy_s_risks_are_the_closed_forms() -> None:
    sharp = risk(Policy(temperature=0.9, generations=10), 1 / 3)
    assert sharp.replaced == pytest.approx(closed_forms.sharpened(0.6, 0.9, 10))
    assert 0.6 < sharp.share < sharp.replaced
    assert sharp.bias_alarm == 0
    assert risk(Policy(odds=1.25, generations=10), 1 / 3).bias_alarm == 1
    still = risk(Policy(), 1 / 3)
    assert (still.share, still.bias_alarm) == (pytest.approx(0.6), 0)
    assert still.settled == pytest.approx(1 - 0.03 / 0.95)
    assert still.weakest == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("said", "meant"), [("25B", 25e9), ("1.5 T", 1.5e12), ("32,000", 32e3), ("2e9", 2e9), ("4k", 4e3), (".5M", 5e5)]
)
def test_amounts_as_people_write_them(said: str, meant: float) -> None:
    assert amount("--tokens", said) == meant
    assert amount("--tokens", written(meant).replace(" ", "")) == pytest.approx(meant, rel=1e-2)


@pytest.mark.parametrize("said", ["", "B", "-3", "0", "3X", "1e999", "1e300", "2e18", "nan", "12 apples"])
def test_what_is_no_amount(said: str) -> None:
    with pytest.raises(SelfsownError, match="--tokens"):
        amount("--tokens", said)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "selfsown", "plan", *words], capture_output=True, text=True)


@pytest.mark.parametrize(("target", "code"), [("50B", 0), ("100B", 0), ("250B", 0), ("400B", 5), ("900B", 4)])
def test_the_exit_code_says_whether_it_is_safe(target: str, code: int) -> None:
    ended = command("--tokens", "25B", "--parameters", "7B", "--target", target, "--json")
    assert ended.returncode == code
    found = json.loads(ended.stdout)
    assert found["reach"] == {"50B": "enough", "100B": "safe", "250B": "repeats", "400B": "long", "900B": "no"}[target]
    assert [each["epochs"] for each in found["repeats"]] == list(PASSES)


def test_a_file_of_names_is_counted_and_the_constants_are_doubted(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("annabella\n" * 400, encoding="utf-8")
    ended = command(str(names), "--parameters", "100k", "--target", "2k")
    assert ended.returncode == 5
    said = ended.stdout
    assert "900 real tokens (counted at 4 characters a token, assumed" in said
    assert "Fit them to seven or more short runs" in said
    assert "nobody can say" in said
    assert "safely" not in said.split("Caution")[1]
    assert "loss" not in said.split("Caution")[0].split("table")[0].split("synthetic data")[0]
    stories = tmp_path / "stories.jsonl"
    stories.write_text('{"story": "Once upon a time", "by": "Ann"}\n' * 100, encoding="utf-8")
    words = ["--parameters", "1M", "--target", "1k", "--text", "story", "--characters", "2", "--json"]
    found = json.loads(command(str(stories), *words).stdout)
    assert (found["real"], found["characters"]) == (800, 2)


def test_what_is_assumed_is_said_to_be_and_what_was_said_is_not() -> None:
    order = ["--tokens", "25B", "--parameters", "7B", "--target", "250B", "--kind", "verified", "--worth", "1", "1"]
    said = command(*order).stdout
    assert "Assumed, not measured: --error 0.03, --wrong-to-right 0.05." in said
    assert "real rows stay and are 39 % of all" in said
    assert "R*_D 15.39" in said
    assert "No range is known" in said
    assert max(map(len, said.splitlines()[18:23])) > 80  # no terminal, and yet no table is squeezed
    ended = command(*order, "--temperature", "0.5", "--odds", "2", "--error", "0.02")
    assert ended.returncode == 4
    answer = ended.stdout.splitlines()[-1]
    assert "not reachable safely with verified data made this way" in answer
    assert "generation 1 of 5" in answer
    assert "real data alone, in 14.5 passes" in answer
    assert "Assumed, not measured: --wrong-to-right 0.05." in ended.stdout
    assert "gone after 5 generations; at temperature 0.5, more" in ended.stdout
    borrowed = command(*order, "--law", "chinchilla", "--price", "0").stdout
    assert "B 2,085 (1,042 to 5,811)" in borrowed
    assert "who give no range: R*_D and R*_N." in borrowed
    assert "nan" not in borrowed


def test_what_no_verifier_can_hold_is_not_asked_of_one() -> None:
    order = ["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--error"]
    assert "that ratio must be 0.40 or less" in command(*order, "0.03").stdout
    assert "No verifier holds it at 95 %" in command(*order, "0.1").stdout


def test_the_picture_is_drawn_whole_or_not_at_all(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, target in (("plan.png", 250e9), ("plan.svg", 500e9), ("enough.svg", 30e9)):
        plot.draw(plan(C4, (25e9, 7e9, target), SOURCES, Policy()), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5000
    assert len(list(tmp_path.iterdir())) == 3
    tmp_path.joinpath("folder.svg").mkdir()
    for name, said in (("x.gif", "must end with"), ("none/x.png", "there is no folder"), ("folder.svg", "is a folder")):
        with pytest.raises(SelfsownError, match=said):
            plot.fits(tmp_path / name)


def runs_file(path: Path) -> str:
    law = Law("toy", 1.2, 40.0, 90.0, 0.3, 0.3, repeats=8.0)
    runs = [(n, u, u * e) for n in (1e5, 1e6) for u in (1e5, 1e6) for e in (1, 8)]
    lines = [f"{n},{u},{t},{law.loss(n, u, t)}" for n, u, t in runs]
    path.write_text("\n".join(["parameters,unique,tokens,loss", *lines]), encoding="utf-8")
    return str(path)


def test_constants_from_one_s_own_runs(tmp_path: Path) -> None:
    order = ["--tokens", "1M", "--target", "2M", "--runs", runs_file(tmp_path / "runs.csv")]
    ended = command(*order, "--parameters", "1M")
    assert ended.returncode == 0
    said = ended.stdout
    assert "your own 8 runs, which the fit meets to" in said
    assert "R*_D 8 (" in said
    assert "who give no range: R*_N." in said
    assert "never worth more than 9 M (9 M to 9 M)" in said
    assert "models of 100 k to 1 M parameters and 100 k to 8 M tokens" in said
    far = command(*order, "--parameters", "200M")
    assert (far.returncode, far.stdout.count("Add runs that lie nearer")) == (5, 1)
    (tmp_path / "odd.csv").write_text("parameters,unique,tokens,loss\n1e6,1e7,1e6,3\n", encoding="utf-8")
    odd = command(*order[:-1], str(tmp_path / "odd.csv"), "--parameters", "1M")
    assert odd.returncode == 2
    assert "odd.csv:2: unique is 1e+07 and tokens 1e+06" in odd.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tokens", "1B", "--parameters", "1B"], "--target 100B"),
        (["--parameters", "1B", "--target", "2B"], "how much real data"),
        (["--tokens", "1B", "--parameters", "1B", "--loss", "1.5"], "does not come below"),
        (["--tokens", "1B", "--parameters", "1B", "--loss", "nan"], "--loss is nan"),
        (["--tokens", "1B", "--parameters", "1B", "--loss", "inf"], "--loss is inf"),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--kind", "poems"], "there is: rephrased"),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--worth", "1", "2"], "name it: --kind"),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--floor", "0"], "--floor is 0"),
        (["--plot", "x.gif", "--tokens", "1B", "--parameters", "nothing", "--target", "2B"], "must end with"),
        (["--tokens", "-5B", "--parameters", "1B", "--target", "2B"], "--tokens is '-5B'; write a number above 0"),
        (["--tokens", "1e300", "--parameters", "1B", "--target", "2B"], "more than there is anywhere"),
        (
            ["nowhere.txt", "--parameters", "1B", "--target", "2B"],
            "nowhere.txt; name one of real rows, or say --tokens",
        ),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--runs", "x.csv"], "--runs is x.csv"),
    ],
)
def test_what_does_not_fit_is_said_in_a_line(words: list[str], said: str) -> None:
    ended = command(*words)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
