"""What a run may claim: its effect, headline, sentences, page and terminal, for every kind of run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from histories import COUNTS, folder, generation, history, refused, score, terminal

from selfsown.findings import Effect, Findings
from selfsown.html import report
from selfsown.records import Generation, Verdict

Run = Sequence[Generation]
ALONE = history(0.50, 0.52, 0.54, real=1.0)  # a control, or a run that generates nothing
NEVER = ("it got better", "the gain rests on", "each later one learns from rows")
CREDIT = ("synthetic rows helped", "synthetic rows did harm")


class Case(NamedTuple):
    """A run and what it supports. headline, said: parts of the headline and of the sentences."""

    history: Run
    control: Run
    effect: Effect
    headline: str
    said: str
    start: str = "previous"
    finished: bool = True


def kept_none(at: int, test: float) -> Generation:
    return generation(at, test, real=1.0, counts={"made": 540, "kept": 0, "rejected": 0, "failed": 540})


def without_validation(found: Run) -> list[Generation]:
    return [generation(each.number, each.scores[0].value, real=each.real_share, validation_scores=()) for each in found]


def diverged(at: int) -> Generation:
    """A generation whose training diverged: nothing of it can be measured."""
    lost = Verdict(False, "training diverged: accuracy is NaN", "loop")
    return Generation(at, at - 1, 1, {}, 1.0, (), (lost,))


ROSE = history(0.50, 0.70, 0.80)
RETURNED = [generation(0, 0.5, real=1.0), generation(1, 0.8, parent=0), refused(generation(2, 0.3, parent=1))]
RETURNED.append(generation(3, 0.85, parent=1))
OTHERS = {
    "no control": Case(
        ROSE, [], "no control", "Accuracy rose from 0.500 to 0.800, without a control.", "may have had the same"
    ),
    "a gain": Case(
        ROSE,
        ALONE,
        "better",
        "Accuracy rose from 0.500 to 0.800; real rows alone: 0.540.",
        "real rows alone for as many training steps: 0.540 [0.520, 0.560]. The intervals do not overlap: in this run "
        "the synthetic rows helped; over several seeds: selfsown prove ",
    ),
    "as much by more training": Case(
        ROSE,
        history(0.50, 0.70, 0.79, real=1.0),
        "unclear",
        "rose from 0.500 to 0.800; real rows alone: 0.790.",
        "The intervals overlap: this run does not show that the synthetic rows helped",
    ),
    "harm": Case(
        history(0.5, 0.45, 0.60),
        history(0.5, 0.6, 0.8, real=1.0),
        "worse",
        "rose from 0.500 to 0.600; real rows alone: 0.800.",
        "The control scored better: in this run the synthetic rows did harm",
    ),
    "real rows alone were better before they overfitted": Case(
        ROSE,
        history(0.5, 0.9, 0.6, real=1.0),
        "unclear",
        "rose from 0.500 to 0.800; real rows alone: 0.600.",
        "0.600 [0.580, 0.620], and 0.900 [0.880, 0.920] at its best. Real rows alone, stopped earlier, did better: "
        "this run does not show",
    ),
    "real rows alone were as good before they overfitted": Case(
        ROSE, history(0.5, 0.79, 0.6, real=1.0), "unclear", "real rows alone: 0.600.", "stopped earlier, did as well:"
    ),
    "both overfit alike, and nothing is harm": Case(
        history(0.50, 0.45, 0.30),
        history(0.50, 0.45, 0.30, real=1.0),
        "unclear",
        "Accuracy fell from 0.500 to 0.300; real rows alone: 0.300.",
        "None scored better on the validation rows than generation 0, whose model is kept.",
    ),
    "generate: []": Case(
        ALONE,
        [],
        "no synthetic rows",
        "No model was trained on synthetic rows.",
        "any change comes from more training on real",
    ),
    "generate: [] for long": Case(
        history(0.5, 0.9, real=1.0),
        [],
        "no synthetic rows",
        "No model was trained on synthetic rows.",
        "0.900 [0.880, 0.920]",
    ),
    "540 made and none kept": Case(
        [ALONE[0], kept_none(1, 0.52), kept_none(2, 0.9)],
        [],
        "no synthetic rows",
        "No model was trained on synthetic rows.",
        "No model was trained on synthetic rows: any change comes from more training on real rows.",
    ),
    "none kept, and a control nevertheless": Case(
        [ALONE[0], kept_none(1, 0.9)],
        ALONE,
        "no synthetic rows",
        "No model was trained on synthetic rows.",
        "more training",
    ),
    "the best had learned from none yet": Case(
        [ALONE[0], kept_none(1, 0.9), generation(2, 0.7)],
        ALONE,
        "no synthetic rows",
        "Generation 1, the best, was trained on no synthetic rows.",
        "Generation 1, the best, was trained on no synthetic rows: any change comes from more training on real rows.",
    ),
    "a control that is too short": Case(
        ROSE, ALONE[:2], "no control", "without a control.", "No control was trained for as many steps"
    ),
    "a control of which only generation 0 is there": Case(
        ROSE, ALONE[:1], "no control", "without a control.", "No control was trained for as many steps"
    ),
    "a control that is longer": Case(
        history(0.5, 0.8), ALONE, "better", "real rows alone: 0.520.", "0.520 [0.500, 0.540], and 0.540 [0.520, 0.560]"
    ),
    "a control that diverged": Case(
        ROSE,
        [ALONE[0], diverged(1), diverged(2)],
        "no control",
        "without a control.",
        "No control was trained for as many",
    ),
    "a control that diverged once": Case(
        ROSE,
        [ALONE[0], diverged(1), generation(2, 0.52, real=1.0, parent=0)],
        "no control",
        "without a control.",
        "No control was trained for as many",
    ),
    "as many trainings, not as many generations": Case(
        RETURNED, ALONE, "better", "rose from 0.500 to 0.850; real rows alone: 0.540.", "in generation 3"
    ),
    "each from the base": Case(
        history(0.5, 0.7, 0.8), ALONE[:2], "better", "real rows alone: 0.520.", "in generation 2", start="base"
    ),
    "the best is generation 0": Case(
        history(0.50, 0.45, 0.40),
        history(0.50, 0.55, 0.60, real=1.0),
        "worse",
        "Accuracy fell from 0.500 to 0.400; real rows alone: 0.600.",
        "0.400 [0.380, 0.420] in the last accepted generation, 2. None scored better",
    ),
    "all rolled back": Case(
        [ALONE[0], refused(generation(1, 0.9)), refused(generation(2, 0.9, parent=0))],
        [],
        "no synthetic rows",
        "Every generation was rolled back.",
        "No later generation was accepted: the model of generation 0 is kept.",
    ),
    "less is better": Case(
        history(2.0, 1.5, better="lower"),
        history(2.0, 1.9, better="lower", real=1.0),
        "better",
        "Accuracy fell from 2.000 to 1.500; real rows alone: 1.900.",
        "the synthetic rows helped",
    ),
    "less is better, and it is more": Case(
        history(1.5, 2.0, better="lower"),
        history(1.5, 1.6, better="lower", real=1.0),
        "worse",
        "Accuracy rose from 1.500 to 2.000; real rows alone: 1.600.",
        "the synthetic rows did harm",
    ),
    "neither more nor less is better": Case(
        history(0.5, 0.9, better="neither"),
        history(0.5, 0.6, better="neither", real=1.0),
        "unclear",
        "Accuracy rose from 0.500 to 0.900; real rows alone: 0.600.",
        "but accuracy has no better direction: this run does not show",
    ),
    "neither, and no change": Case(
        history(0.5, 0.51, better="neither"),
        history(0.5, 0.51, better="neither", real=1.0),
        "unclear",
        "No change of accuracy beyond noise.",
        "The intervals overlap",
    ),
    "no change": Case(
        history(0.5, 0.53), ALONE, "unclear", "No change of accuracy beyond noise.", "this run does not show"
    ),
    "not finished": Case(ROSE, [], "no control", "without a control.", "may have had the same", finished=False),
    "not finished, all rolled back so far": Case(
        [ALONE[0], refused(generation(1, 0.9))],
        [],
        "no synthetic rows",
        "very generation was rolled back.",
        "No later generation was accepted",
        finished=False,
    ),
    "of before there were validation rows": Case(
        without_validation(ROSE),
        [],
        "no control",
        "without a control.",
        "on 500 held-out real rows: 0.500 [0.480, 0.520] from real rows alone, 0.800 [0.780, 0.820] in generation 2, "
        "which the same rows chose",
    ),
    "of before, with a control of now": Case(
        without_validation(ROSE), ALONE, "no control", "without a control.", "No control was trained"
    ),
}
CASES = pytest.mark.parametrize("case", OTHERS.values(), ids=list(OTHERS))


def spoken(case: Case, at: Path) -> tuple[str, str]:
    """The page and the terminal."""
    run = folder(at / "run", case.history, case.control, case.finished, init_from=case.start)
    return report.write(run).read_text(encoding="utf-8"), terminal(case.history, case.control, case.start)


@CASES
def test_effect_headline_and_sentences(case: Case) -> None:
    found = Findings(case.history, case.control, "accuracy", case.start, False, "runs/x")
    said = " ".join(found.sentences())
    assert found.effect == case.effect
    assert case.headline in found.headline()
    assert case.said in said
    claimed = {"better": CREDIT[0], "worse": CREDIT[1]}.get(case.effect)
    credited = [words for words in CREDIT if words in said.replace("does not show that the synthetic rows helped", "")]
    assert credited == ([claimed] if claimed else [])
    assert not any(words in f"{found.headline()} {said}".lower() for words in NEVER)


@CASES
def test_the_page_and_the_terminal_claim_nothing_else(case: Case, tmp_path: Path) -> None:
    page, screen = spoken(case, tmp_path)
    assert case.headline in page
    assert ("So far: " in page) != case.finished
    for shown in (page, screen):
        assert case.said in shown
        assert not any(words in shown.lower() for words in NEVER)
        credited = shown.replace("does not show that the synthetic rows helped", "")
        assert (CREDIT[0] in credited) == (case.effect == "better")
        assert (CREDIT[1] in credited) == (case.effect == "worse")
    assert ("test rows, which no decision uses" in page) == bool(case.history[0].validation_scores)
    assert ("which overestimates it" in page) != bool(case.history[0].validation_scores)
    learned = any(each.accepted and each.real_share < 1 for each in case.history)
    assert ("accepted later ones also on synthetic rows" in page) == learned
    assert ("as many training steps." in page) == bool(len(case.control) > 0)


@pytest.mark.parametrize(("half", "effect"), [(0.01, "better"), (0.04, "better"), (0.07, "unclear"), (0.5, "unclear")])
def test_wider_intervals_claim_less(half: float, effect: Effect) -> None:
    def with_interval(found: Run) -> list[Generation]:
        return [
            generation(at, 0.0, real=each.real_share, scores=(score(each.scores[0].value, half=half),))
            for at, each in enumerate(found)
        ]

    found = Findings(
        with_interval(history(0.5, 0.65)), with_interval(ALONE[:2]), "accuracy", "previous", False, "runs/x"
    )
    assert found.effect == effect


def test_counts_alone_credit_nothing() -> None:
    """Rows that were kept and never drawn were not learned from."""
    found = [ALONE[0], generation(1, 0.9, real=1.0, counts=COUNTS)]
    assert Findings(found, ALONE, "accuracy", "previous", False, "runs/x").effect == "no synthetic rows"
