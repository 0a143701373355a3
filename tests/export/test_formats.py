"""Each format has the columns that its trainers read, and the right rows in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import kept
import pytest
from kept import records

from selfsown.export.export import export
from selfsown.export.formats import FORMATS
from selfsown.records import SelfsownError

TOLD = {"system": "Be brief.", "reasoning": "two and two"}
GOOD = kept.row("2+2?", "4", metadata=TOLD)
FAIR = kept.row("2+2?", "four", 0.75)
BAD = kept.row("2+2?", "5", 0.25, metadata=TOLD)
PLAIN = kept.row("Colour?", "Grün 🌱\u2028\x00", sample_index=1, parents=("ab", "cd"), metadata={"form": "x"})
ROWS = [
    GOOD,
    BAD,
    PLAIN,
    kept.row("Colour?", "no", 0.0).failed("a time-out"),
    kept.row("Colour?", "", 0.25, sample_index=2),
]
SYSTEM, ASKED = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}


def answered(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


COLOUR = {"role": "user", "content": "Colour?"}
SCORES = {"score_chosen": 1.0, "score_rejected": 0.25}
WANTED: dict[str, list[dict[str, Any]]] = {
    "prompt-completion": [
        {"prompt": "2+2?", "completion": "4"},
        {"prompt": "Colour?", "completion": PLAIN.answer},
    ],
    "conversational": [
        {"messages": [SYSTEM, ASKED, answered("4")]},
        {"messages": [COLOUR, answered(PLAIN.answer)]},
    ],
    "conversational-prompt-completion": [
        {"prompt": [SYSTEM, ASKED], "completion": [answered("4")]},
        {"prompt": [COLOUR], "completion": [answered(PLAIN.answer)]},
    ],
    "preference": [
        {"prompt": "2+2?", "chosen": "4", "rejected": "5", **SCORES},
        {"prompt": "Colour?", "chosen": PLAIN.answer, "rejected": "", **SCORES},
    ],
    "conversational-preference": [
        {"prompt": [SYSTEM, ASKED], "chosen": [answered("4")], "rejected": [answered("5")], **SCORES},
        {"prompt": [COLOUR], "chosen": [answered(PLAIN.answer)], "rejected": [answered("")], **SCORES},
    ],
    "sharegpt": [
        {
            "conversations": [
                {"from": "system", "value": "Be brief."},
                {"from": "human", "value": "2+2?"},
                {"from": "gpt", "value": "4"},
            ]
        },
        {"conversations": [{"from": "human", "value": "Colour?"}, {"from": "gpt", "value": PLAIN.answer}]},
    ],
    "alpaca": [
        {"instruction": "2+2?", "input": "", "output": "4"},
        {"instruction": "Colour?", "input": "", "output": PLAIN.answer},
    ],
    "text": [{"text": "2+2?\n4"}, {"text": f"Colour?\n{PLAIN.answer}"}],
    "rows": [
        {
            **{name: getattr(each, name) for name in ("id", "prompt", "answer", "problem", "target", "origin")},
            **{"source": "big-one", "method": "sample", "parents": list(each.parents), "generation": 0},
            **{
                "sample_index": each.sample_index,
                "level": 0,
                "score": 1.0,
                "metadata": json.dumps(dict(each.metadata)),
            },
            "grades": json.dumps(
                [{"score": 1.0, "reason": "seen", "grader": "exact_match", "evidence": "oracle", "correction": None}]
            ),
        }
        for each in (GOOD, PLAIN)
    ],
}


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", [each.name for each in FORMATS])
def test_the_right_rows_are_in_and_no_others(name: str, kind: str, tmp_path: Path) -> None:
    done = export(kept.made(tmp_path / "made", ROWS), tmp_path / "out", format=name, file_format=kind)
    found = sorted(records(done.out), key=repr)
    assert found == sorted(WANTED[name], key=repr)
    assert (done.rows, done.format) == (2, name)


def test_what_the_model_thought_stands_beside_its_message_if_asked_for(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", ROWS)
    export(folder, tmp_path / "out", format="conversational", file_format="jsonl", reasoning=True)
    first, second = records(tmp_path / "out")
    thoughts = [message["reasoning_content"] for message in (*first["messages"], *second["messages"])]
    assert thoughts == [None, None, "two and two", None, None]
    export(folder, tmp_path / "pairs", format="conversational-preference", reasoning=True)
    pair = next(each for each in records(tmp_path / "pairs") if each["prompt"][0]["role"] == "system")
    assert [pair[side][0]["reasoning_content"] for side in ("chosen", "rejected")] == ["two and two"] * 2


def test_prompt_and_answer_of_a_text_are_joined_by_the_separator(tmp_path: Path) -> None:
    rows = [GOOD, kept.row("", "a document")]
    export(kept.made(tmp_path / "made", rows), tmp_path / "out", format="text", separator=" → ")
    assert records(tmp_path / "out") == [{"text": "2+2? → 4"}, {"text": "a document"}]


@pytest.mark.parametrize(("first", "format"), [(FAIR, "prompt-completion"), (kept.row("", "a document"), "text")])
def test_by_default_rows_with_prompts_and_documents_each_have_their_plainest_format(
    first: Any, format: str, tmp_path: Path
) -> None:
    assert export(kept.made(tmp_path / "made", [first]), tmp_path / "out").format == format


@pytest.mark.parametrize("name", [each.name for each in FORMATS if each.name not in ("text", "rows")])
def test_a_document_has_no_prompt_and_is_named_where_it_fits(name: str, tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", [GOOD, BAD, kept.row("", "a document")])
    with pytest.raises(SelfsownError, match=r"is a document without a prompt.*formats for documents: text") as refusal:
        export(folder, tmp_path / "out", format=name)
    assert kept.row("", "a document").id in str(refusal.value)
    assert not (tmp_path / "out").exists()


def test_of_several_answers_the_best_is_chosen_and_the_worst_of_the_lower_ones_rejected(tmp_path: Path) -> None:
    """Rows of one prompt may stand in several generations; equal words, or an equal score, make no pair."""
    again = [kept.row("2+2?", answer, score) for answer, score in (("4", 0.25), ("six", 0.25), ("7", 0.0))]
    folder = kept.run(tmp_path / "run", [FAIR, kept.row("2+2?", "4.0")], [*again, kept.row("alone?", "yes")])
    export(folder, tmp_path / "out", format="preference")
    assert records(tmp_path / "out") == [
        {"prompt": "2+2?", "chosen": "4.0", "rejected": "7", "score_chosen": 1.0, "score_rejected": 0.0}
    ]


def test_another_system_text_makes_another_prompt(tmp_path: Path) -> None:
    rows = [GOOD, kept.row("2+2?", "5", 0.25)]
    with pytest.raises(SelfsownError, match=r"no prompt in .* has a kept answer and an answer with a lower score"):
        export(kept.made(tmp_path / "made", rows), tmp_path / "out", format="preference")
