"""Values, names and splits of columns; errors in options come before any data set is read."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pyarrow.feather
import pyarrow.parquet
import pytest
from auditing import alarms, audit, records, rows, texts
from command import refused, run_in_process


def test_attributes_are_compared_by_value_and_not_by_spelling(tmp_path: Path) -> None:
    rng = random.Random(0)

    def made(name: str, count: int, seed: int, whole: type[int] | type[float]) -> str:
        lines = [
            {
                "text": text,
                "score": rng.random() / 1000,
                "stars": whole(at % 5),
                "good": at % 3 == 0 if whole is int else str(at % 3 == 0),
                "colour": None if at % 4 == 0 else "red",
            }
            for at, text in enumerate(texts(count, seed))
        ]
        return records(tmp_path / name, lines)

    one, two = made("a.jsonl", 600, 1, int), made("b.jsonl", 1200, 2, float)
    named = [word for name in ("score", "stars", "good", "colour") for word in ("--attribute", name)]
    code, found, _ = audit(one, "--against", two, *named)
    assert code != 2
    assert not alarms(found)
    assert len(found["attribute_shares"]["score"]) == 10
    assert "score is numeric" in str(found["findings"])
    assert set(found["attribute_shares"]["stars"]) == set("01234")
    assert set(found["attribute_shares"]["good"]) == {"true", "false"}
    assert found["attribute_shares"]["colour"]["none"]["real"] == pytest.approx(0.25, abs=0.03)


def test_an_attribute_that_only_synthetic_rows_have_is_an_alarm(tmp_path: Path) -> None:
    one = records(tmp_path / "a.jsonl", [{"text": text, "flag": "odd"} for text in texts(400, 1)])
    two = records(tmp_path / "b.jsonl", [{"text": text, "flag": None} for text in texts(800, 2)])
    code, found, _ = audit(one, "--against", two, "--attribute", "flag")
    assert (code, alarms(found)) == (4, {"shift of flag"})
    assert "flag: the share of none fell from 100 % to 0 %, odd grew from 0 % to 100 %." in found["findings"]
    code, _, said = audit(two, "--against", two, "--attribute", "flag")
    assert (code, "no row has a value" in said) == (2, True)


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "arrow"])
def test_nan_is_a_missing_attribute(kind: str, tmp_path: Path) -> None:
    scores = [math.nan if at % 4 == 0 else float(at % 3) for at in range(400)]
    rows = [{"text": text, "score": score} for text, score in zip(texts(400, 1), scores, strict=True)]
    two = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        records(two, rows)
    else:
        table = pyarrow.table({"text": [row["text"] for row in rows], "score": pyarrow.array(scores)})
        pyarrow.feather.write_feather(table, two) if kind == "arrow" else pyarrow.parquet.write_table(table, two)
    code, found, said = audit(str(two), "--against", str(two), "--attribute", "score")
    assert code != 2, said
    assert set(found["attribute_shares"]["score"]) == {"none", "0", "1", "2"}
    assert found["attribute_shares"]["score"]["none"]["real"] == pytest.approx(0.25, abs=0.05)


def test_an_infinite_attribute_is_an_error(tmp_path: Path) -> None:
    one = records(tmp_path / "a.jsonl", [{"text": "a", "score": 1.0}, {"text": "b", "score": math.inf}])
    code, _, said = audit(one, "--against", one, "--attribute", "score")
    assert (code, "a.jsonl:2 has an infinite number in column 'score'" in said) == (2, True)


def test_each_file_may_have_its_own_column_names(tmp_path: Path) -> None:
    one = records(tmp_path / "a.jsonl", [{"body": text} for text in texts(200, 1)])
    two = records(tmp_path / "b.jsonl", [{"text": text, "story": text[::-1]} for text in texts(400, 2)])
    code, found, _ = audit(one, "--against", two, "--text", "body")
    assert code != 2
    assert "(a.jsonl: body) against 400 real rows (b.jsonl: text)" in str(found["findings"])
    found = audit(one, "--against", two, "--text", "body", "--real-text", "story")[1]
    assert "(b.jsonl: story)" in str(found["findings"])


def test_splits_of_a_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    some = datasets.Dataset.from_dict({"text": texts(300, 1)})
    datasets.DatasetDict({"test": some}).save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"good": some, "bad": some.select(range(250))}).save_to_disk(tmp_path / "two")
    two = rows(tmp_path / "b.jsonl", texts(600, 2))
    assert audit(str(tmp_path / "one"), "--against", two)[1]["rows"]["synthetic"] == 300
    assert audit(f"{tmp_path / 'two'}:bad", "--against", two)[1]["rows"]["synthetic"] == 250
    code, _, said = audit(str(tmp_path / "two"), "--against", two)
    assert code == 2
    assert "has no split 'train'; available: good, bad" in said
    assert f"{tmp_path / 'two'}:SPLIT" in said


def test_a_larger_sample_is_suggested_where_the_files_have_enough_rows(tmp_path: Path) -> None:
    one, two = rows(tmp_path / "a.jsonl", texts(2500, 1)), rows(tmp_path / "b.jsonl", texts(5000, 2))
    said = str(audit(one, "--against", two, "--sample", "200")[1]["limitations"])
    assert "The files have enough rows for" in said
    assert "of these checks: --sample" in said
    assert "Near copies were searched among 400 of 5,000 real rows" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--html", "nowhere/audit.html"], "there is no folder nowhere"),
        (["--html", "page.txt"], "its name must end with .html"),
        (["--lexicon", "bad.yaml"], "is not a valid regular expression"),
        (
            ["--lexicon", "good.yaml", "--attribute", "region"],
            "--attribute region is also defined in --lexicon good.yaml",
        ),
        (["--text", "bodyy"], "--text is bodyy; no file has such a column; available: text, region"),
        (["--real-text", "bodyy"], "b.jsonl has no column 'bodyy'; available: text, region"),
        (["--benchmark", "nowhere.txt"], "no such file or folder: nowhere.txt"),
    ],
)
def test_bad_options_fail_before_data_is_read(words: list[str], said: str, tmp_path: Path) -> None:
    rows(tmp_path / "b.jsonl", texts(300, 2))
    with (tmp_path / "b.jsonl").open("a") as file:
        file.write("\nnot JSON at all\n")
    (tmp_path / "bad.yaml").write_text("gender: {female: 'she('}", encoding="utf-8")
    (tmp_path / "good.yaml").write_text("region: {north: [north]}", encoding="utf-8")
    assert said in refused(run_in_process(tmp_path, "audit", "b.jsonl", "--against", "b.jsonl", *words))


def test_a_folder_without_data_is_a_one_line_error(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    assert "dataset_name" not in refused(run_in_process(tmp_path, "audit", ".", "--against", "."))
