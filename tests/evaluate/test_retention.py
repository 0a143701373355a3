"""What a model could do before: shipped questions, or the user's own, and the guard that compares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from selfsown.errors import DataError, RecipeError
from selfsown.evaluate import retention
from selfsown.guard import forgetting
from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.records import Generation, Row, Score
from selfsown.text.chat import Prompt


class Knows:
    """Answers as it was told to, and finds right answers likely."""

    name = "knows"

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        assert params.temperature == 0
        return [[Reply(str(prompt), self.answers.get(str(prompt), "I do not know."))] for prompt in prompts]

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return [(2.0 * len(row.answer), len(row.answer)) for row in rows]

    answer_bits = bits


def test_a_right_answer_counts_within_a_sentence_and_a_part_of_a_word_does_not() -> None:
    questions = {row.prompt: row.answer for row in retention._questions("")}
    assert len(questions) == 120
    capital, gas = "What is the capital of Italy?", "What gas do people need to breathe to live?"
    accuracy, loss = retention.evaluate(Knows({capital: "It is ROME, of course.", gas: "oxygenated water"}))
    assert accuracy.value == pytest.approx(1 / 120)
    assert (loss.key, loss.value, loss.direction) == ("retention_loss", 2.0, "lower")


def test_any_of_several_answers_is_right_and_no_shipped_question_holds_no_answer() -> None:
    rows = retention._questions("")
    spiders = "How many legs does a spider have?"
    assert next(iter(retention.evaluate(Knows({spiders: "Eight legs."})))).value == pytest.approx(1 / 120)
    assert all(row.answer for row in rows)
    perfect = Knows({row.prompt: row.answer.split("|")[-1] for row in rows})
    assert next(iter(retention.evaluate(perfect))).value == 1


def test_the_users_own_questions(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("question,answer\nWho?,Ada|Grace\nWhy?,because\n", encoding="utf-8")
    accuracy, _ = retention.evaluate(Knows({"Who?": "Grace did."}), path=str(path))
    assert (accuracy.value, accuracy.n) == (0.5, 2)
    path.write_text("text\nonly a document\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds no questions with answers"):
        list(retention.evaluate(Knows({}), path=str(path)))


def generation(number: int, value: float, before: float | None = None, name: str = "retention") -> Generation:
    def score(value: float) -> Score:
        return Score(name, value, 120, value - 0.09, value + 0.09)

    pretrained = () if before is None else (score(before),)
    return Generation(number, 0, 0, {}, 1.0, (score(value),), pretrained_scores=pretrained)


def test_forgetting_is_judged_against_the_model_as_it_came() -> None:
    base = generation(0, 0.3, before=0.6)
    assert not forgetting.guard([base, generation(1, 0.35)]).passed, "better than generation 0, worse than it came"
    verdict = forgetting.guard([base, generation(1, 0.55)])
    assert verdict.passed
    assert verdict.reason == "retention 0.600 to 0.550"
    assert forgetting.guard([generation(0, 0.3), generation(1, 0.35)]).passed, "it came untrained"
    assert not forgetting.guard([generation(0, 0.6), generation(1, 0.35)]).passed
    assert forgetting.guard([base, generation(1, 0.35)], tolerance=0.5).passed


def test_known_outcomes_are_compared_question_by_question() -> None:
    def history(before: str, after: str) -> list[Generation]:
        scores = [Score("retention", text.count("1") / 100, 100, 0, 1, outcomes=text) for text in (before, after)]
        return [Generation(number, 0, 0, {}, 1.0, (score,)) for number, score in enumerate(scores)]

    before = "1" * 60 + "0" * 40
    only_lost = history(before, "0" * 8 + before[8:])
    assert not forgetting.guard(only_lost).passed, "8 lost and none gained: 2.9 standard errors"
    as_many_changed = history(before, "0" * 28 + "1" * 52 + "0" * 20)
    verdict = forgetting.guard(as_many_changed)
    assert verdict.passed, "28 lost and 20 gained: 1.2 standard errors"
    assert verdict.metrics["retention standard_error"] == pytest.approx(0.0688, abs=1e-4)


def test_a_score_that_nothing_measures_is_named() -> None:
    history = [generation(0, 0.5), generation(1, 0.5)]
    with pytest.raises(RecipeError, match="nothing measures 'retentoin'; did you mean 'retention'"):
        forgetting.guard(history, scores=("retentoin",))
