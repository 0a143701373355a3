"""The card tells where rows come from and what became of the others, and gives nothing away."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import kept
import pytest
import yaml

from selfsown import __version__
from selfsown.export.export import export
from selfsown.run_folder import RunFolder
from selfsown.usage.journal import Call, Journal

ROWS = [
    kept.row("2+2?", "4"),
    kept.row("3+3?", "six", metadata={"reasoning": "three and three"}),
    kept.row("2+2?", "5", 0.25),
    *(kept.row(f"{at}?", "x", sample_index=at).failed(f"time-out | after {at} s") for at in range(12)),
    replace(kept.row("4+4?", "8"), grades=(), sample_index=1),
]


def card(tmp_path: Path, rows: list[Any] = ROWS, wishes: dict[str, Any] | None = None, **changes: Any) -> str:
    export(kept.made(tmp_path / "made", rows, **changes), tmp_path / "sums", **wishes or {})
    return (tmp_path / "sums/README.md").read_text(encoding="utf-8")


def head(text: str) -> Any:
    return yaml.safe_load(text.split("---\n")[1])


def test_it_tells_the_whole_story(tmp_path: Path) -> None:
    text = card(tmp_path, wishes={"real": True})
    for line in (
        r"6 rows, 3 of them real, made by the recipe `mine`: rows \| of \*mine\*.",
        'rows = load_dataset("sums", split="train")',
        "The format is `prompt-completion`. 50.0 % of the rows are synthetic: 3. Real: 3.",
        "| answer | 1 | 1 | 3 | 3 |",
        "| `seeds.jsonl` | 3 | MIT |",
        "1 more real rows were held out. They are not in this dataset.",
        "| teacher | `big-one` | `models.example.org` |",
        "| generate | `sample` | `n: 2` |",
        "| `sample` | 3 |",
        "## What became of all 16 rows that were made",
        "| kept | 3 |",
        "| failed | 12 |",
        "| exact | 1 |",
        r"| time-out \| after 0 s | 1 |",
        "And 2 more.",
        "- The grades of 2 rest on a known answer.",
        "- The grades of 1 rest on nothing: no step graded them.",
        "- Nothing looked for duplicates among the rows that were made.",
        "- 1 rows have a text `reasoning`, which is left out here.",
        f"by selfsown {__version__}",
    ):
        assert line in text, line
    assert "what it cost" not in text.lower()


def test_its_head_says_what_a_hub_asks_for(tmp_path: Path) -> None:
    found = head(card(tmp_path, wishes={"format": "conversational", "kind": "jsonl"}))
    assert found["license"] == "mit"
    assert found["size_categories"] == ["n<1K"]
    assert found["tags"] == ["synthetic", "selfsown"]
    assert found["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.jsonl"}]
    fields = [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]
    assert found["dataset_info"]["features"] == [{"name": "messages", "list": fields}]


@pytest.mark.parametrize(
    ("declared", "own", "wanted"),
    [
        ("", ["", "", ""], {"license": "unknown"}),
        ("", ["mit", "mit", ""], {"license": "unknown"}),
        ("CC-BY-4.0", ["", "", ""], {"license": "cc-by-4.0"}),
        ("mit", ["", "", "apache-2.0"], {"license": "other", "license_name": "several"}),
        ("Our own: ask", ["", "", ""], {"license": "other", "license_name": "our-own-ask"}),
    ],
)
def test_a_licence_is_named_where_every_real_row_has_one(
    declared: str, own: list[str], wanted: dict[str, str], tmp_path: Path
) -> None:
    knobs = {"path": "seeds.jsonl", "license": declared}
    folder = kept.made(tmp_path / "made", ROWS, real={"file": knobs})
    real = [replace(row, metadata={"license": one} if one else {}) for row, one in zip(kept.REAL, own, strict=True)]
    RunFolder(folder).write_rows("real", real)
    export(folder, tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert {name: value for name, value in head(text).items() if name.startswith("license")} == wanted
    assert ("no licence is declared" in text) == (wanted == {"license": "unknown"})


def test_it_shows_the_recipe_but_no_key_and_none_of_the_user_s_folders(tmp_path: Path) -> None:
    text = card(tmp_path)
    recipe = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    wanted = {**kept.RECIPE, "real": {"file": {"path": "seeds.jsonl", "license": "MIT"}}}
    wanted["teacher"] = {"endpoint": {"url": "https://models.example.org/v1", "model": "big-one"}}
    assert recipe == wanted
    assert "MY_SECRET_KEY" not in text
    assert "somebody" not in text


def test_no_text_of_a_row_or_a_recipe_can_change_the_page(tmp_path: Path) -> None:
    wild = "# big\n| a | <b>`x`</b> [l](http://h) ```"
    rows = [*ROWS, *(kept.row("q", "a", sample_index=at).failed(wild) for at in (3, 4))]
    text = card(tmp_path, rows, about=wild, name=wild, curate=[{f"./{wild}.py": {"knob": wild}}])
    page, _, recipe = text.split("---\n", 2)[2].partition("````yaml\n")
    assert yaml.safe_load(recipe.partition("````")[0])["about"] == wild
    assert [line for line in page.splitlines() if line.startswith("# ")] == ["# sums"]
    outside = re.sub(r"```.*?```|(?<!\\)`[^`\n]*`", "", page, flags=re.DOTALL)
    assert r"\<b\>\`x\`\</b\> \[l\]" in outside
    assert not re.search(r"(?<!\\)[<>`\[\]]", outside)
    tables = [line for line in page.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables if "big" in line} == {3, 4}


def test_many_different_reasons_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfsown.export.card_counts.MANY", 5)
    text = card(tmp_path)
    assert "| others | 7 |" in text


def test_what_a_run_left_out_is_said(tmp_path: Path) -> None:
    folder = kept.run(tmp_path / "run", [kept.row("a?", "b")], [kept.row("c?", "d")], stands=[True, False])
    RunFolder(folder).write_rows("generation-03/rows", [kept.row("e?", "f")])
    export(folder, tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "Left out, and not counted: generation 2, rolled back by progress." in text
    assert "Left out, and not counted: generation 3, which is not finished." in text
    assert "all 1 rows" in text


def test_a_journal_of_replies_is_a_cost(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", ROWS)
    journal = Journal(folder / "replies.sqlite")
    who = {"role": "teacher", "stage": "generate.sample", "model": "big|one", "host": "10.1.2.3:8000"}
    took = {"input": 500, "output": 700, "reasoning": None, "cached": None, "written": None, "usd": 0.75}
    journal.store_call(Call(time=1.0, key="k", outcome="answered", seconds=0.1, batch=False, **who, **took))
    journal.close()
    export(folder, tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "## What it cost" in text
    assert r"| generate.sample | teacher | big\|one | 1 | 1 | 0 | 500 | 700 | – | – | \$0.75 |" in text
    assert r"- \$0.25 for each of 3 kept rows." in text
    assert "10.1.2.3" not in text


OTHER = {"endpoint": {"url": "https://b.example.org", "model": "n"}}
NONE, REJECTED = "Nothing looked for personal", "A row that was made is rejected where it has personal data"
STATED, HURT = "only as far as the principles", "Nothing looked for words"
WORKED_ON = "The real rows that it grew from:"
OWN = "The judge is the teacher itself: it marks its own work."


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({}, [f"{NONE} data.", "Nothing looked for duplicates", HURT], [OWN]),
        ({"curate": ["min_score", "pii"]}, [REJECTED], [NONE]),
        ({"curate": [{"pii": {"kinds": ["iban"]}}]}, ["known by its form: the number of an account."], ["e-mail"]),
        (
            {"prepare": [{"pii": {"redact": True}}]},
            ["In the real rows, personal data known by its form was replaced: an e-mail", "in what models wrote."],
            [f"{NONE} data.", "set its row aside"],
        ),
        ({"prepare": ["pii"]}, ["known by its form set its row aside", "Names and postal addresses"], ["was replaced"]),
        ({"prepare": ["pii"], "curate": ["pii"]}, ["set its row aside", REJECTED], [NONE]),
        ({"curate": ["dedup"]}, [], ["Nothing looked for duplicates"]),
        ({"curate": ["dedup_prompts"]}, [], ["Nothing looked for duplicates"]),
        ({"curate": ["dedup_near"]}, [], ["Nothing looked for duplicates"]),
        ({"prepare": ["dedup"]}, ["Nothing looked for duplicates among the rows that were made."], []),
        ({"curate": ["decontaminate"]}, [], ["repeats what was held out"]),
        ({}, ["Nothing looked whether a row repeats what was held out."], []),
        ({"grade": ["judge"]}, [OWN, "what the model that wrote them thinks"], ["another model thinks"]),
        ({"grade": ["judge"], "judge": OTHER}, ["another model thinks"], [OWN]),
        ({"grade": [{"constitution": {"principles": ["It is kind."]}}]}, [STATED], [HURT]),
        ({"grade": [{"judge": {"rubric": "Is it kind?"}}]}, [STATED], [HURT]),
        ({"grade": [], "curate": []}, ["Nothing looked for duplicates"], [OWN]),
        ({"curate": ["./mine.py"]}, ["What `mine.py` looked for is not known here."], ["/home"]),
        ({"curate": ["/home/somebody/mine.py"]}, ["What `mine.py` looked for is not known here."], []),
        ({"generate": ["./mine.py"]}, ["Some are wrong"], ["Models wrote the synthetic rows"]),
        ({"generate": [{"magpie": {"user_prefix": "u"}}]}, ["The real rows that nothing was made of:"], [WORKED_ON]),
        ({"student": "tiny", "generate": ["magpie"]}, [WORKED_ON, "held out to measure on"], []),
        ({}, ["1 more real rows were held out. They are not in", WORKED_ON], ["to measure on"]),
    ],
)  # fmt: skip
def test_each_sentence_is_true_of_the_recipe(
    changes: dict[str, Any], said: list[str], unsaid: list[str], tmp_path: Path
) -> None:
    judged = [replace(row, grades=(replace(row.grades[0], evidence="judge"),)) for row in ROWS[:1]]
    text = card(tmp_path, judged if "judge" in str(changes.get("grade")) else ROWS, **changes)
    assert "somebody" not in text
    text = text.split("## The recipe")[0]
    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []


def test_it_counts_what_became_of_the_real_rows(tmp_path: Path) -> None:
    folder = kept.made(tmp_path / "made", ROWS, prepare=["blank", {"pii": {"redact": True}}])
    counts = {"read": 9, "used": 3, "held_out": 1, "unlearned": 0}
    counts |= {"set_aside": {"blank": 3, "pii": 0, "unusable": 2}, "changed": {"pii": 2}}
    RunFolder(folder).write_json("real", counts)
    export(folder, tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert (
        "The real rows were prepared by `blank`, `pii`: 9 real rows = 3 used + 1 held out + 5 set aside "
        "(3 blank, 2 unusable); changed: 2 by pii."
    ) in text
    assert "| prepare | `pii` | `redact: True` |" in text


def test_it_says_that_real_rows_were_taken_as_they_are_where_that_is_so_and_nothing_where_it_is_not_known(
    tmp_path: Path,
) -> None:
    folder = kept.made(tmp_path / "made", ROWS)
    export(folder, tmp_path / "old")
    assert "The real rows were" not in (tmp_path / "old/README.md").read_text(encoding="utf-8")
    counts = {"read": 3, "used": 3, "held_out": 0, "unlearned": 0, "set_aside": {}, "changed": {}}
    RunFolder(folder).write_json("real", counts)
    export(folder, tmp_path / "out")
    text = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "The real rows were taken as they are: 3 real rows, all used." in text
