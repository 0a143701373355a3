"""Plans for much and for little data, and their output."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from command import Finished, refused, run_in_process

from selfsown.plan import plot
from selfsown.plan.findings import warnings
from selfsown.plan.number_units import format_amount, parse_amount
from selfsown.plan.planner import Plan, plan
from selfsown.plan.risk import Policy, risk
from selfsown.plan.scaling_law import C4, CHINCHILLA, ScalingLaw
from selfsown.plan.synthetic_kinds import KINDS, synthetic_kind
from selfsown.records import SelfsownError
from selfsown.stats import closed_forms

PASSES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 100)


def test_the_published_losses_come_out_to_every_digit() -> None:
    assert C4.loss(6.34e9, 25e9, 242e9) == pytest.approx(2.2256440889984477, abs=1e-15)
    assert C4.loss(8.67e9, 25e9, 178e9) == pytest.approx(2.2269634075087867, abs=1e-15)


def test_the_published_table_of_repeats() -> None:
    worth = [C4.effective_tokens(1, each) for each in PASSES]
    assert [round(each, 2) for each in worth[:6]] == [1, 1.97, 2.88, 3.73, 5.27, 6.62]
    assert [round(100 * w / e) for w, e in zip(worth, PASSES, strict=True)] == [
        *(100, 98, 96, 93, 88, 83, 74, 66, 54, 38, 16)
    ]
    assert [round(100 * C4.marginal_value(each)) for each in PASSES[:-1]] == [100, 94, 88, 82, 72, 63, 49, 38, 22, 8]
    assert C4.max_effective_tokens(1) == pytest.approx(16.39, abs=0.005)


def test_the_best_use_of_compute_with_25_billion_tokens() -> None:
    parameters, tokens = C4.optimal_split(1e22, 25e9)
    assert parameters == pytest.approx(7_022_364_735.88, rel=2e-3)  # the published one stands on a grid
    assert tokens / 25e9 == pytest.approx(9.493, rel=2e-3)
    assert C4.loss(parameters, 25e9, tokens) <= C4.loss(7_022_364_735.88, 25e9, 237_336_955_477.55)
    assert 1e11 / C4.optimal_parameters(1e11) == pytest.approx(19.6, abs=0.05)


@pytest.mark.parametrize("law", [C4, CHINCHILLA])
def test_the_worth_for_a_loss_is_the_inverse_of_the_loss(law: ScalingLaw) -> None:
    assert law.effective_tokens_for(7e9, law.loss_at(7e9, 1e11, 1e11)) == pytest.approx(1e11, rel=1e-6)
    assert law.effective_tokens_for(7e9, law.e) == math.inf


def test_the_passes_that_are_worth_so_much_are_the_inverse_of_their_worth() -> None:
    assert [C4.epochs_for(25e9, C4.effective_tokens(25e9, each)) for each in PASSES] == pytest.approx(list(PASSES))
    assert C4.epochs_for(25e9, 1e9) == 1
    assert C4.epochs_for(25e9, C4.max_effective_tokens(25e9)) == math.inf


def test_every_set_of_constants_says_what_it_was_fitted_on_and_how_sure_it_is() -> None:
    assert not C4.extrapolates(7e9, 25e9, 250e9)
    assert not CHINCHILLA.extrapolates(7e9, 25e9, 250e9)
    assert C4.extrapolates(1e5, 1e8, below=10)
    assert C4.extrapolates(2e12, 30e12, above=100)
    assert not C4.extrapolates(70e9, 15e12, above=100)
    assert CHINCHILLA.extrapolates(3e7, 25e9)
    assert not CHINCHILLA.extrapolates(3e7, 25e9, below=10)
    assert CHINCHILLA.ranges["B"] == (1042, 5811)
    assert all(low < CHINCHILLA.constants[name] < high for name, (low, high) in CHINCHILLA.ranges.items())
    assert {*CHINCHILLA.ranges, *CHINCHILLA.borrowed} == set(CHINCHILLA.constants)


def test_a_loss_target_agrees_with_the_table_of_repeats() -> None:
    """A model larger than 25 B unique tokens feed gains less from repeats than from as many new tokens."""
    order = ["--tokens", "25B", "--parameters", "7B", "--json", "--loss"]
    found = json.loads(command(*order, "2.29").stdout)
    assert found["feasibility"] == "enough"
    assert C4.loss_at(7e9, 25e9, found["effective_tokens"]) == pytest.approx(2.29, abs=5e-4)
    assert C4.loss_at(7e9, 25e9, C4.effective_tokens(25e9, 4)) > 2.26
    assert json.loads(command(*order, "2.26").stdout)["gap"] > 0


@pytest.mark.parametrize(
    ("target", "gap", "share", "feasibility"),
    [(100e9, 6.9e9, 0.94, "safe"), (250e9, 156.9e9, 0.39, "safe"), (500e9, 407e9, 0.20, "infeasible")],
)
def test_25_billion_tokens_where_a_synthetic_one_is_worth_a_real_one(
    target: float, gap: float, share: float, feasibility: str
) -> None:
    found = plan(C4, (25e9, 7e9, target), [synthetic_kind("verified", (1.0, 1.0))], Policy())
    (option,) = found.options
    assert found.epochs == 4
    assert found.gap == pytest.approx(gap, rel=0.01)
    assert option.real_share[0] == pytest.approx(share, abs=0.005)
    assert (option.feasibility, found.feasibility) == (feasibility, feasibility)


def verified(policy: Policy, target: float = 250e9, worth: float = 1.0) -> Plan:
    return plan(C4, (25e9, 7e9, target), [synthetic_kind("verified", (worth, worth))], policy)


@pytest.mark.parametrize(
    ("policy", "feasibility"),
    [
        (Policy(), "safe"),
        (Policy(temperature=0.5, verifier_odds=2), "unsafe_policy"),
        (Policy(wrong_pass_ratio=0.5), "unsafe_policy"),
        (Policy(wrong_pass_ratio=0.5, min_accuracy=0.9), "safe"),
        (Policy(verifier_odds=1.1, generations=2), "safe"),
        (Policy(verifier_odds=1.1, generations=30), "unsafe_policy"),
    ],
)
def test_enough_rows_are_unsafe_with_an_unsafe_policy(policy: Policy, feasibility: str) -> None:
    found = verified(policy)
    assert found.feasibility == feasibility
    assert found.risk == risk(policy, found.options[0].real_share[1])
    assert found.risk.real_share == pytest.approx(0.39, abs=0.005)


def test_the_risk_is_at_the_lowest_real_share_of_the_best_kinds() -> None:
    found = plan(C4, (25e9, 7e9, 100e9), KINDS, Policy(verifier_odds=1.02))
    assert [option.feasibility for option in found.options] == ["safe", "safe", "best_case", "infeasible"]
    assert found.risk.real_share == found.options[1].real_share[1] < found.options[0].real_share[1]


@pytest.mark.parametrize(
    ("target", "epochs", "feasibility"),
    [(150e9, 7.05, "repeats"), (300e9, 20.2, "too_many_epochs"), (500e9, math.inf, "infeasible")],
)
def test_repeats_alone_reach_targets_below_their_maximum(target: float, epochs: float, feasibility: str) -> None:
    found = plan(C4, (25e9, 7e9, target), [synthetic_kind("unverified")], Policy())
    assert (found.epochs, found.options[0].feasibility) == (4, "infeasible")
    assert found.repeats_only.epochs == pytest.approx(epochs, rel=0.01)
    assert found.feasibility == found.repeats_only.feasibility == feasibility
    if feasibility != "infeasible":
        assert target <= C4.effective_tokens(25e9, found.repeats_only.epochs) < 1.01 * target
        assert found.repeats_only.flops == pytest.approx(6 * 7e9 * found.repeats_only.epochs * 25e9)
        assert found.repeats_only.marginal_value == C4.marginal_value(found.repeats_only.epochs)
    unsure = replace(C4, ranges={"R*_D": (5.1, 30.0)})
    assert plan(unsure, (25e9, 7e9, 150e9), [synthetic_kind("unverified")], Policy()).feasibility == "too_many_epochs"


@pytest.mark.parametrize(
    ("real", "parameters", "target", "extrapolated"),
    [
        (25e9, 7e9, 250e9, False),
        (25e9, 20e9, 50e9, False),
        (49e3, 1e5, 3e5, True),
        (25e9, 1, 50e9, True),
        (30e12, 2e12, 40e12, True),
    ],
)
def test_far_outside_of_the_fitted_runs_there_is_no_verdict(
    real: float, parameters: float, target: float, extrapolated: bool
) -> None:
    found = plan(C4, (real, parameters, target), KINDS, Policy())
    assert found.extrapolated == extrapolated
    assert ({"unknown"} == {found.feasibility, *(option.feasibility for option in found.options)}) == extrapolated
    assert bool(warnings(found)) == (extrapolated or parameters > 9e9)


def test_no_more_repeats_than_the_target_needs() -> None:
    found = plan(C4, (25e9, 7e9, 40e9), KINDS, Policy())
    assert found.feasibility == "enough"
    assert 1.5 < found.epochs < 1.8
    assert found.effective_tokens >= 40e9
    assert {option.tokens_needed for option in found.options} == {(0.0, 0.0)}


def test_risks_of_a_policy_are_the_closed_forms() -> None:
    sharp = risk(Policy(temperature=0.9, generations=10), 1 / 3)
    assert sharp.replaced_share == pytest.approx(closed_forms.sharpened(0.6, 0.9, 10))
    assert 0.6 < sharp.accumulated_share < sharp.replaced_share
    assert sharp.bias_alarm_generation == 0
    assert risk(Policy(verifier_odds=1.25, generations=10), 1 / 3).bias_alarm_generation == 1
    still = risk(Policy(), 1 / 3)
    assert (still.accumulated_share, still.bias_alarm_generation) == (pytest.approx(0.6), 0)
    assert still.settled_accuracy == pytest.approx(1 - 0.03 / 0.95)
    assert still.max_wrong_pass_ratio == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("said", "meant"), [("25B", 25e9), ("1.5 T", 1.5e12), ("32,000", 32e3), ("2e9", 2e9), ("4k", 4e3), (".5M", 5e5)]
)
def test_amounts_with_units(said: str, meant: float) -> None:
    assert parse_amount("--tokens", said) == meant
    assert parse_amount("--tokens", format_amount(meant).replace(" ", "")) == pytest.approx(meant, rel=1e-2)


@pytest.mark.parametrize("said", ["", "B", "-3", "0", "3X", "1e999", "1e300", "2e18", "nan", "12 apples"])
def test_bad_amounts_are_errors(said: str) -> None:
    with pytest.raises(SelfsownError, match="--tokens"):
        parse_amount("--tokens", said)


def command(*words: str) -> Finished:
    return run_in_process(Path(), "plan", *words)


def test_an_error_of_the_real_command_is_one_line(tmp_path: Path) -> None:
    words = ["--tokens", "1B", "--parameters", "1B", "--loss", "nan"]
    assert "--loss is nan" in refused(run_in_process(tmp_path, "plan", *words))


@pytest.mark.parametrize(("target", "code"), [("50B", 0), ("100B", 0), ("250B", 0), ("400B", 5), ("900B", 4)])
def test_exit_codes(target: str, code: int) -> None:
    ended = command("--tokens", "25B", "--parameters", "7B", "--target", target, "--json")
    assert ended.returncode == code
    found = json.loads(ended.stdout)
    assert (
        found["feasibility"]
        == {"50B": "enough", "100B": "safe", "250B": "repeats", "400B": "too_many_epochs", "900B": "infeasible"}[target]
    )
    assert [each["epochs"] for each in found["repeats"]] == list(PASSES)


def test_a_small_file_is_counted_and_extrapolation_is_a_warning(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("annabella\n" * 400, encoding="utf-8")
    ended = command(str(names), "--parameters", "100k", "--target", "2k")
    assert ended.returncode == 5
    said = ended.stdout
    assert "900 real tokens (counted at 4 characters per token, an assumption" in said
    assert "Fit the constants to seven or more short runs" in said
    assert "can be reached is unknown with these constants" in said
    assert "safely" not in said.split("Warning")[1]
    assert "loss" not in said.split("Warning")[0].split("table")[0].split("synthetic data")[0]
    stories = tmp_path / "stories.jsonl"
    stories.write_text('{"story": "Once upon a time", "by": "Ann"}\n' * 100, encoding="utf-8")
    words = ["--parameters", "1M", "--target", "1k", "--text", "story", "--chars-per-token", "2", "--json"]
    found = json.loads(command(str(stories), *words).stdout)
    assert (found["real_tokens"], found["chars_per_token"]) == (800, 2)


def test_assumed_options_are_named() -> None:
    order = [
        "--tokens",
        "25B",
        "--parameters",
        "7B",
        "--target",
        "250B",
        "--kind",
        "verified",
        "--relative-value",
        "1",
        "1",
    ]
    said = command(*order).stdout
    assert "Assumed, not measured: --forgetting 0.03, --wrong-pass-ratio 0.05." in said
    assert "if real rows stay and are 39 % of all" in said
    assert "R*_D 15.39" in said
    assert "Ranges are unknown" in said
    assert max(map(len, said.splitlines()[18:23])) > 80  # no terminal, and yet no table is squeezed
    ended = command(*order, "--temperature", "0.5", "--verifier-odds", "2", "--forgetting", "0.02")
    assert ended.returncode == 4
    answer = ended.stdout.splitlines()[-1]
    assert "cannot be reached safely with verified data and this policy" in answer
    assert "generation 1 of 5" in answer
    assert "real data alone, in 14.5 epochs" in answer
    assert "Assumed, not measured: --wrong-pass-ratio 0.05." in ended.stdout
    assert "lost after 5 generations; at temperature 0.5, more" in ended.stdout
    borrowed = command(*order, "--law", "chinchilla", "--price", "0").stdout
    assert "B 2,085 (1,042 to 5,811)" in borrowed
    assert "without a range: R*_D and R*_N." in borrowed
    assert "nan" not in borrowed


def test_the_required_verifier_may_not_exist() -> None:
    order = ["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--forgetting"]
    assert "this ratio must be 0.40 or less" in command(*order, "0.03").stdout
    assert "No verifier keeps it at 95 %" in command(*order, "0.1").stdout


def test_the_figure_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, target in (("plan.png", 250e9), ("plan.svg", 500e9), ("enough.svg", 30e9)):
        plot.draw(plan(C4, (25e9, 7e9, target), KINDS, Policy()), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5000
    assert len(list(tmp_path.iterdir())) == 3
    tmp_path.joinpath("folder.svg").mkdir()
    for name, said in (("x.gif", "must end with"), ("none/x.png", "there is no folder"), ("folder.svg", "is a folder")):
        with pytest.raises(SelfsownError, match=said):
            plot.check_path(tmp_path / name)


def runs_file(path: Path) -> str:
    law = ScalingLaw("toy", 1.2, 40.0, 90.0, 0.3, 0.3, r_d=8.0)
    runs = [(n, u, u * e) for n in (1e5, 1e6) for u in (1e5, 1e6) for e in (1, 8)]
    lines = [f"{n},{u},{t},{law.loss(n, u, t)}" for n, u, t in runs]
    path.write_text("\n".join(["parameters,unique,tokens,loss", *lines]), encoding="utf-8")
    return str(path)


def test_constants_from_a_file_of_runs(tmp_path: Path) -> None:
    order = ["--tokens", "1M", "--target", "2M", "--runs", runs_file(tmp_path / "runs.csv")]
    ended = command(*order, "--parameters", "1M")
    assert ended.returncode == 0
    said = ended.stdout
    assert "your own 8 runs, fitted with an error of" in said
    assert "R*_D 8 (" in said
    assert "without a range: R*_N." in said
    assert "never worth more than 9 M (9 M to 9 M) effective tokens" in said
    assert "models of 100 k to 1 M parameters and 100 k to 8 M tokens" in said
    far = command(*order, "--parameters", "200M")
    assert (far.returncode, far.stdout.count("Add runs closer to this size")) == (5, 1)
    (tmp_path / "odd.csv").write_text("parameters,unique,tokens,loss\n1e6,1e7,1e6,3\n", encoding="utf-8")
    odd = command(*order[:-1], str(tmp_path / "odd.csv"), "--parameters", "1M")
    assert odd.returncode == 2
    assert "odd.csv:2: unique is 1e+07 and tokens 1e+06" in odd.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tokens", "1B", "--parameters", "1B"], "--target 100B"),
        (["--parameters", "1B", "--target", "2B"], "give the amount of real data"),
        (["--tokens", "1B", "--parameters", "1B", "--loss", "1.5"], "does not get below"),
        (["--tokens", "1B", "--parameters", "1B", "--loss", "nan"], "--loss is nan"),
        (["--tokens", "1B", "--parameters", "1B", "--loss", "inf"], "--loss is inf"),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--kind", "poems"], "available: rephrased"),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--relative-value", "1", "2"], "add --kind"),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--min-real-share", "0"], "--min-real-share is 0"),
        (["--plot", "x.gif", "--tokens", "1B", "--parameters", "nothing", "--target", "2B"], "must end with"),
        (["--tokens", "-5B", "--parameters", "1B", "--target", "2B"], "--tokens is '-5B'; it must be a number above 0"),
        (["--tokens", "1e300", "--parameters", "1B", "--target", "2B"], "it must be at most 1e+18"),
        (
            ["nowhere.txt", "--parameters", "1B", "--target", "2B"],
            "no such file: nowhere.txt; name a file of real rows, or give --tokens",
        ),
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--runs", "x.csv"], "--runs is x.csv"),
    ],
)
def test_bad_options_are_one_line_errors(words: list[str], said: str) -> None:
    assert said in refused(command(*words))
