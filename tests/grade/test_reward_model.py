"""A classifier in a folder scores rows: good ones high, bad ones low, and what it cannot read has failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from classifiers import classifier

from selfsown.grade import reward_model
from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.chat import messages_metadata, messages_text

pytest.importorskip("transformers")
GOOD, BAD = Row("what is it", "good good", sample_index=1), Row("what is it", "bad", sample_index=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return classifier(tmp_path_factory.mktemp("several"), ("poor", "fine"))


def graded(folder: Path, *rows: Row, **knobs: Any) -> list[Grade]:
    return list(reward_model.grade(rows, folder=str(folder), **knobs))


def test_good_answers_score_high_and_bad_ones_low(folder: Path) -> None:
    good, bad, text = graded(folder, GOOD, BAD, Row("", "the answer is bad"))
    assert good.score > 0.75 > 0.25 > bad.score
    assert text.score < 0.25
    assert (good.grader, good.evidence, good.failed) == ("reward_model", "judge", False)
    assert float(good.reason.removeprefix("reward ")) > 1


def test_centre_and_spread_say_which_reward_is_a_half_and_how_steep_it_is(folder: Path) -> None:
    number = float(graded(folder, GOOD)[0].reason.removeprefix("reward "))
    assert graded(folder, GOOD, center=number)[0].score == pytest.approx(0.5, abs=1e-3)
    flat, steep = (graded(folder, GOOD, spread=spread)[0].score for spread in (100.0, 0.1))
    assert 0.5 < flat < 0.51 < steep == 1.0


def test_of_several_numbers_the_share_of_one_label_counts(several: Path) -> None:
    good, bad = graded(several, GOOD, BAD)
    assert good.score > 0.75 > 0.25 > bad.score
    assert good.reason == f"fine {good.score:.4f}"
    assert graded(several, GOOD, label="poor")[0].score == pytest.approx(1 - good.score, abs=1e-4)
    with pytest.raises(SelfsownError, match="no label 'fair'; available: poor, fine"):
        graded(several, GOOD, label="fair")


def test_rows_come_out_in_order_whatever_the_batch_and_the_neighbours(folder: Path) -> None:
    rows = [Row("what is it", "good " * (at % 7) + "bad " * (at % 4), sample_index=at) for at in range(40)]
    alone = graded(folder, *rows, batch_size=1)
    assert graded(folder, *rows, batch_size=3) == graded(folder, *rows, batch_size=64) == alone
    assert alone[:4] == [graded(folder, row)[0] for row in rows[:4]]
    assert len({grade.score for grade in alone if not grade.failed}) == 3
    assert [grade.failed for grade in alone] == [not row.answer for row in rows]


def test_what_is_longer_than_the_model_reads_has_failed_and_no_other(folder: Path) -> None:
    first, second = graded(folder, Row("what", "good " * 40), GOOD)
    assert (first.failed, first.reason) == (True, "44 tokens exceed the model's limit of 32")
    assert not second.failed


def test_a_model_of_talks_is_shown_a_talk(tmp_path: Path, folder: Path) -> None:
    chat = classifier(tmp_path, chat=True)
    assert graded(chat, GOOD)[0].score > 0.75 > 0.25 > graded(chat, BAD)[0].score
    short = Row("what", "good " * 27)  # 31 tokens as a talk, with who speaks; 31 as a pair, with its marks
    assert not graded(chat, short)[0].failed
    assert graded(chat, Row("what", "good " * 30))[0].reason == "33 tokens exceed the model's limit of 32"


def test_a_model_of_talks_is_shown_the_system_message_and_earlier_turns_too(tmp_path: Path) -> None:
    chat = classifier(tmp_path, chat=True)
    for words, best in (("good", True), ("bad", False)):
        messages = [{"role": "user", "content": words}, {"role": "assistant", "content": words}]
        messages.append({"role": "user", "content": "what"})
        rows = [Row("what", "is", metadata={"system": f"{words} {words}"})]
        rows.append(Row(messages_text(messages), "is", metadata=messages_metadata(messages)))
        assert all((grade.score > 0.75) == best for row in rows for grade in graded(chat, row))


def test_a_folder_without_a_classifier_is_refused_in_one_line(tmp_path: Path, folder: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    with pytest.raises(SelfsownError, match=r"holds no config\.json"):
        graded(tmp_path, GOOD)
    GPT2LMHeadModel(GPT2Config(vocab_size=8, n_embd=8, n_layer=1, n_head=1)).save_pretrained(tmp_path)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / file).write_bytes((folder / file).read_bytes())
    with pytest.raises(SelfsownError, match=r"not a trained classifier: weights score\.weight"):
        graded(tmp_path, GOOD)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SelfsownError, match="cannot be loaded"):
        graded(tmp_path, GOOD)


def test_where_there_are_no_rows_nothing_is_loaded() -> None:
    assert graded(Path("nowhere")) == []
