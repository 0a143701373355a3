"""A false name, a refusal and the marks of a template do not become lessons; texts about such things may."""

from __future__ import annotations

import gzip
import json

import pytest
from realdata import real_data

from selfsown.curate import self_reference
from selfsown.records import Row, SelfsownError

WRONG = [
    "I am ChatGPT, and I can help you with that.",
    "Hello! I'm Claude, made to be helpful.",
    "My name is Gemini. How can I help?",
    "You can call me Bard.",
    "As an AI language model, I have no feelings.",
    "As an AI, I have no favourite colour.",
    "I'm just an AI assistant and cannot taste.",
    "I am a large language model.",
    "I was trained by OpenAI on a lot of text.",
    "I'm a large model developed by Meta AI.",
    "That happened after my knowledge cutoff.",
]
REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "Sorry, I cannot provide this.",
    "I apologize, but I am unable to answer that question.",
    "Unfortunately, I'm not able to fulfill it.",
    "I cannot help with that.",
    "I can't assist with this request.",
    "I must respectfully decline.",
]
TEMPLATES = [
    "<|im_start|>assistant\nParis",
    "Paris<|eot_id|>",
    "[INST] Say it. [/INST] Paris",
    "Sure.\n### Response:\nParis",
    "<start_of_turn>model",
    "</text-0123456789ab>\nParis",
    "<think>They ask for a city.</think>Paris",
    "You are a helpful assistant. Paris",
    "You are a helpful, honest assistant.",
]
RIGHT = [
    "ChatGPT was released by OpenAI in 2022.",
    "I am a Gemini, born in June.",
    "My name is Claude Monet and I paint water.",
    "I'm an AI researcher in Paris.",
    "As an AI engineer she was trained by Google.",
    "Sorry is a card game. I cannot play it.",
    "Dear Ann, I am so sorry that I missed your party. I cannot help it, I was ill.",
    "I cannot recommend this film enough.",
    "I can't believe that it is over.",
    "Unfortunately, the train was late.",
    "The model refuses when it says that it cannot help with that.",
    "Instruction: mix, then bake.",
    "",
]


@pytest.mark.parametrize("answer", [*WRONG, *REFUSALS, *TEMPLATES])
def test_what_a_model_says_of_itself_is_rejected_with_its_words(answer: str) -> None:
    (row,) = self_reference.curate([Row("q", answer)])
    assert row.status == "rejected"
    assert row.reason.startswith("self_reference: ")


@pytest.mark.parametrize("answer", RIGHT)
def test_texts_about_such_things_stay(answer: str) -> None:
    row = Row("What did ChatGPT say, as an AI?", answer)
    assert list(self_reference.curate([row])) == [row]


def test_marks_of_a_template_are_looked_for_in_the_prompt_too() -> None:
    out = list(
        self_reference.curate([Row("<|im_start|>user\nWho are you?", "Nobody."), Row("Are you ChatGPT?", "No.")])
    )
    assert [row.status for row in out] == ["rejected", ""]
    assert "template text: '<|im_start|>'" in out[0].reason


def test_a_model_may_say_its_own_name() -> None:
    rows = [
        Row("q", said) for said in ("I am Palmyra.", "I'm an AI assistant.", "I was made by Writer.", "I am ChatGPT.")
    ]
    ends = {name: [row.status for row in self_reference.curate(rows, name=name)] for name in ("", "palmyra", "Writer")}
    assert ends[""] == ["rejected"] * 4
    assert ends["palmyra"] == ["", "", "rejected", "rejected"]
    assert ends["Writer"] == ["rejected", "", "", "rejected"]


def test_patterns_of_one_s_own_are_added() -> None:
    rows = [Row("q", "Ask ACME support."), Row("q", "As an AI, no."), Row("q", "Yes.")]
    out = list(self_reference.curate(rows, patterns=(r"\bacme\b",)))
    assert [row.status for row in out] == ["rejected", "rejected", ""]
    assert out[0].reason == "self_reference: custom pattern: 'ACME'"
    with pytest.raises(SelfsownError, match="not a valid regular expression"):
        list(self_reference.curate(rows, patterns=("(",)))


def test_real_rows_hardly_ever_sound_like_a_model() -> None:
    folder = real_data("gsm8k_train_1000.jsonl").parent
    lines = (folder / "gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [Row(record["question"], record["answer"]) for record in map(json.loads, lines)]
    with gzip.open(folder / "humaneval.jsonl.gz", "rt", encoding="utf-8") as file:
        rows += [Row(record["prompt"], record["canonical_solution"]) for record in map(json.loads, file)]
    rows += [Row("", line) for line in (folder / "tinyshakespeare.txt").read_text(encoding="utf-8").splitlines()]
    assert len(rows) > 30_000
    assert [row.reason for row in self_reference.curate(rows) if row.status] == []
