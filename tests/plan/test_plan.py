"""Plans for much data and for little, and what is said to a user."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from selfsown import yardsticks
from selfsown.plan.amounts import amount, written
from selfsown.plan.law import C4, CHINCHILLA
from selfsown.plan.plan import Policy, plan, risk
from selfsown.plan.sources import SOURCES, source
from selfsown.records import SelfsownError

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
def test_the_worth_for_a_loss_is_the_inverse_of_the_loss(law: type[C4]) -> None:
    assert law.worth_for(7e9, law.of(7e9, 1e11, 1e11)) == pytest.approx(1e11, rel=1e-6)
    assert law.worth_for(7e9, law.entropy) == math.inf


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


def test_no_more_repeats_than_the_target_asks_for_and_no_gap_where_they_do() -> None:
    found = plan(C4, (25e9, 7e9, 40e9), SOURCES, Policy())
    assert found.reach == "enough"
    assert 1.5 < found.epochs < 1.8
    assert found.worth >= 40e9
    assert {option.needed for option in found.options} == {(0.0, 0.0)}


def test_a_policy_s_risks_are_the_closed_forms() -> None:
    sharp = risk(Policy(temperature=0.9, generations=10), 1 / 3)
    assert sharp.replaced == pytest.approx(yardsticks.sharpened(0.6, 0.9, 10))
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


@pytest.mark.parametrize("said", ["", "B", "-3", "0", "3X", "1e999", "nan", "12 apples"])
def test_what_is_no_amount(said: str) -> None:
    with pytest.raises(SelfsownError, match="--tokens"):
        amount("--tokens", said)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "selfsown", "plan", *words], capture_output=True, text=True)


@pytest.mark.parametrize(("target", "code"), [("50B", 0), ("100B", 0), ("250B", 5), ("900B", 4)])
def test_the_exit_code_says_whether_it_is_safe(target: str, code: int) -> None:
    ended = command("--tokens", "25B", "--parameters", "7B", "--target", target, "--json")
    assert ended.returncode == code
    found = json.loads(ended.stdout)
    assert found["reach"] == {0: found["reach"], 4: "no", 5: "perhaps"}[code]
    assert [each["epochs"] for each in found["repeats"]] == list(PASSES)


def test_a_file_of_names_is_counted_and_the_constants_are_doubted(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("annabella\n" * 400, encoding="utf-8")
    ended = command(str(names), "--parameters", "100k", "--target", "2k")
    assert ended.returncode == 0
    said = ended.stdout
    assert "900 real tokens" in said
    assert "Refit them from five or more short runs" in said


def test_what_no_verifier_can_hold_is_not_asked_of_one() -> None:
    order = ["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--error"]
    assert "that ratio must be 0.40 or less" in command(*order, "0.03").stdout
    assert "No verifier holds it at 95 %" in command(*order, "0.1").stdout


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("plan.png", "plan.svg"):
        command("--tokens", "25B", "--parameters", "7B", "--target", "250B", "--plot", str(tmp_path / name))
        assert (tmp_path / name).stat().st_size > 5000


def test_constants_from_one_s_own_runs(tmp_path: Path) -> None:
    runs = [(n, u, u * e) for n in (1e5, 1e6) for u in (1e5, 1e6) for e in (1, 8)]
    lines = [f"{n},{u},{t},{C4.loss(n, u, t)}" for n, u, t in runs]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(["parameters,unique,tokens,loss", *lines]), encoding="utf-8")
    ended = command("--tokens", "1M", "--parameters", "1M", "--target", "2M", "--runs", str(path))
    assert ended.returncode == 0
    assert "your own 8 runs" in ended.stdout


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
        (["--tokens", "1B", "--parameters", "1B", "--target", "2B", "--plot", "x.gif"], "must end with"),
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
