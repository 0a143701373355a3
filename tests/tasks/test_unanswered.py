"""A prompt that nobody has answered is a real row without an answer: it is asked, and never taught or measured on."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from command import refused, run_in_process, written
from hypothesis import given
from hypothesis import strategies as st

from selfsown.curate import preference_pairs, resample_to_real
from selfsown.files.column_mapping import Columns
from selfsown.generate import backtranslate, correct_errors, document_qa, rephrase
from selfsown.grade import exact_match, math_equal, rules
from selfsown.loop import run
from selfsown.preflight.dry_run import dry_run
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError, answered
from selfsown.run_folder import RunFolder
from selfsown.tasks.file import Task
from testing.mock_server import Server

RIVER = "Name a river in Spain."
NAN = math.nan


def put(folder: Path, name: str, content: str | list[dict[str, Any]]) -> str:
    path = folder / name
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(content), path)
    else:
        text = content if isinstance(content, str) else "".join(json.dumps(each) + "\n" for each in content)
        path.write_text(text, encoding="utf-8")
    return str(path)


def said(task: Task) -> list[tuple[str, str, str]]:
    return [(row.prompt, row.answer, row.target) for row in task.pose(0)]


@pytest.mark.parametrize(
    ("record", "prompt"),
    [
        ({"prompt": RIVER}, RIVER),
        ({"instruction": RIVER}, RIVER),
        ({"instruction": "Translate.", "input": "una casa"}, "Translate.\n\nuna casa"),
        ({"instruction": "Translate.", "input": ""}, "Translate."),
        ({"instruction": "Sum up.", "context": "a text"}, "Sum up.\n\na text"),
        ({"question": RIVER, "id": 7}, RIVER),
        ({"query": RIVER}, RIVER),
        ({"problem": RIVER, "level": "easy"}, RIVER),
        ({"input": RIVER}, RIVER),
        ({"prompt": RIVER, "answer": None}, RIVER),
        ({"prompt": RIVER, "answer": ""}, RIVER),
        ({"prompt": RIVER, "answer": " \n"}, RIVER),
        ({"prompt": RIVER, "answer": NAN}, RIVER),
        ({"prompt": RIVER, "completion": None}, RIVER),
        ({"instruction": "Translate.", "input": "una casa", "output": None}, "Translate.\n\nuna casa"),
        ({"question": RIVER, "answer": None}, RIVER),
    ],
    ids=repr,
)
def test_prompts_alone_are_found_by_their_usual_names(record: dict[str, Any], prompt: str, tmp_path: Path) -> None:
    assert said(Task(put(tmp_path, "rows.jsonl", [record]))) == [(prompt, "", "")]


@pytest.mark.parametrize(
    ("record", "pair"),
    [
        ({"query": "q", "response": "r"}, ("q", "r")),
        ({"problem": "p", "solution": "s"}, ("p", "s")),
        ({"problem": "p", "solution": "s", "answer": "4"}, ("p", "4")),
        ({"input": "i", "output": "o"}, ("i", "o")),
        ({"prompt": "p", "response": "r"}, ("p", "r")),
        ({"instruction": "i", "context": "c", "response": "r"}, ("i\n\nc", "r")),
        ({"prompt": "p", "chosen": "c", "rejected": "r"}, ("p", "c")),
    ],
    ids=repr,
)
def test_more_pairs_are_found_by_their_usual_names(
    record: dict[str, str], pair: tuple[str, str], tmp_path: Path
) -> None:
    assert said(Task(put(tmp_path, "rows.jsonl", [record]))) == [(*pair, pair[1])]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_some_answers_may_be_missing(name: str, tmp_path: Path) -> None:
    path = put(tmp_path, name, [{"prompt": "a?", "answer": None}, {"prompt": "b?", "answer": "4"}])
    assert said(Task(path)) == [("a?", "", ""), ("b?", "4", "4")]
    table = put(tmp_path, "rows.csv", "prompt,answer\na?,\nb?,4\n")
    assert said(Task(table)) == [("a?", "", ""), ("b?", "4", "4")]


def test_an_answer_that_only_later_records_have_is_found(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.jsonl", [{"prompt": "a?"}, {"prompt": "b?", "answer": "4"}])
    assert said(Task(path)) == [("a?", "", ""), ("b?", "4", "4")]


@pytest.mark.parametrize("first", [{"prompt": "a?"}, {"prompt": "a?", "answer": "x"}])
def test_no_answer_under_another_name_is_passed_over(first: dict[str, str], tmp_path: Path) -> None:
    path = put(tmp_path, "rows.jsonl", [first] * 200 + [{"prompt": "b?", "completion": "4"}])
    with pytest.raises(SelfsownError, match=r"rows\.jsonl:201 has an answer in 'completion'"):
        said(Task(path))


def test_lines_of_a_text_file_can_be_prompts(tmp_path: Path) -> None:
    path = put(tmp_path, "q.txt", "a?\n\n  \nb?\n")
    assert said(Task(path, prompt="text")) == [("a?", "", ""), ("b?", "", "")]
    assert said(Task(path)) == [("", "a?", "a?"), ("", "b?", "b?")]


def test_a_column_of_prompts_can_be_named(tmp_path: Path) -> None:
    path = put(tmp_path, "t.csv", "id,body,reply\n1,help,no\n2,please,\n")
    assert said(Task(path, prompt="body")) == [("help", "", ""), ("please", "", "")]
    assert said(Task(path, prompt="body", answer="reply")) == [("help", "no", "no"), ("please", "", "")]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (
            "t.csv",
            "id,reply,body\n1,no,please help\n",
            "{file: {path: PATH, prompt: reply, answer: body}}",
        ),
        ("t.csv", "id,body\n1,please help me\n", "{file: {path: PATH, prompt: body}}"),
        ("t.csv", "a: b,c\nx y,z\n", '{file: {path: PATH, prompt: "a: b", answer: c}}'),
    ],
)
def test_the_line_to_paste_names_the_columns_with_most_text(name: str, content: str, line: str, tmp_path: Path) -> None:
    path = put(tmp_path, name, content)
    with pytest.raises(SelfsownError) as caught:
        said(Task(path))
    shown = str(caught.value)
    assert f"--set 'real={line.replace('PATH', path)}'" in shown
    pasted = shown.partition("--set '")[2].removesuffix("'")
    assert said(Recipe.load("answers", [pasted, *ENDPOINT]).real())


ENDPOINT = ["teacher={endpoint: {url: http://127.0.0.1:1/v1, model: m}}"]


def test_the_first_command_of_the_readme_answers_prompts(tmp_path: Path) -> None:
    put(tmp_path, "prompts.jsonl", [{"prompt": RIVER}, {"prompt": "And in Italy?"}])
    judged = '{"reason": "fine", "score": 5}'

    def say(prompt: str, body: dict[str, Any]) -> str:
        return judged if prompt.startswith("Judge") else f"It is {body['seed']}."

    with Server(say=say) as server:
        line = f"teacher={{endpoint: {{url: {server.url}, model: m}}}}"
        rest = ("--set", "real=prompts.jsonl", "--set", line)
        for command in (["check", "answers"], ["preview", "answers", "peek"], ["estimate", "answers", "guess"]):
            done = run_in_process(tmp_path, *command, *rest)
            assert done.returncode == 0, done.stderr
        done = run_in_process(tmp_path, "make", "answers", "out", *rest)
        assert done.returncode == 0, done.stderr
    made = RunFolder(tmp_path / "out").rows("rows") or []
    assert {row.prompt for row in made} == {RIVER, "And in Italy?"}
    assert all(row.status == "kept" and row.target == "" for row in made)
    done = run_in_process(tmp_path, "export", "out", "with-real", "--real", "--file-format", "jsonl")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "with-real" / "data").glob("*.jsonl")
    exported = [json.loads(line) for path in lines for line in path.read_text().splitlines()]
    assert len(exported) == len(made)
    assert all(each["completion"] for each in exported)
    assert "2 real rows are not exported: they are prompts without an answer" in (
        tmp_path / "with-real" / "README.md"
    ).read_text(encoding="utf-8")


def test_a_text_file_that_is_no_prompts_says_how_it_would_be(tmp_path: Path) -> None:
    put(tmp_path, "q.txt", "a?\nb?\n")
    with Server() as server:
        line = f"teacher={{endpoint: {{url: {server.url}, model: m}}}}"
        rest = ("--set", "real={file: {path: q.txt, text: text}}", "--set", line, "--set", "grade=")
        assert "'real={file: {path: q.txt, prompt: text}}'" in refused(
            run_in_process(tmp_path, "make", "answers", "out", *rest)
        )


def test_prompts_alone_are_audited_as_what_they_are(tmp_path: Path) -> None:
    path = put(tmp_path, "prompts.jsonl", [{"instruction": f"what of {at}?", "input": "x" * 90} for at in range(40)])
    done = run_in_process(tmp_path, "audit", path, "--against", path, "--json")
    found = json.loads(done.stdout)
    assert found["blank_rows"] == {"synthetic": 0, "real": 0}
    assert "(prompts.jsonl: instruction, input)" in found["findings"][0]
    assert "Median length: 103 characters" in str(found["findings"])


ANSWERED = Row("a?", "four", target="four")
UNANSWERED = [Row(f"open {at}?", "", sample_index=at) for at in range(60)]
REPLY = Row("a?", "five", origin="synthetic")


@pytest.mark.parametrize("grader", [exact_match, math_equal])
def test_no_answer_is_not_a_known_answer(grader: Any) -> None:
    (grade,) = grader.grade([Row("open 1?", "", origin="synthetic")])
    assert (grade.failed, grade.reason) == (True, "no known answer to compare with")
    assert Task("rows.jsonl").check(UNANSWERED[0], "").failed


def test_rules_keep_to_the_answers_that_there_are() -> None:
    (grade,) = rules.grade([Row("b?", "f", origin="synthetic")], [ANSWERED, *UNANSWERED])
    assert "1 characters; real rows have 4 to 4" in grade.reason
    (grade,) = rules.grade([REPLY], UNANSWERED)
    assert (grade.failed, grade.reason) == (True, "no real row has an answer to compare with")


def test_an_unanswered_prompt_is_no_better_answer_of_a_pair() -> None:
    (ended,) = preference_pairs.curate([Row("open 1?", "five", origin="synthetic")], UNANSWERED, chosen="real")
    assert (ended.status, ended.reason) == ("rejected", "preference_pairs: no real row answers its prompt")


def test_what_no_real_row_says_draws_nothing_toward_it() -> None:
    rows = [Row(f"b {at}?", "five", origin="synthetic", sample_index=at) for at in range(60)]
    assert list(resample_to_real.curate(rows, UNANSWERED, 0)) == rows


@pytest.mark.parametrize("method", [backtranslate, document_qa, correct_errors, rephrase])
def test_methods_that_work_on_answers_pass_prompts_by_or_say_that_there_is_nothing_else(method: Any) -> None:
    class Silent:
        name = "silent"

        def complete(self, prompts: list[str], *given: Any) -> list[Any]:
            assert not prompts
            return []

    assert list(method.generate(UNANSWERED, Silent(), 0, [ANSWERED, *UNANSWERED])) == []
    with pytest.raises(SelfsownError, match=r"no real row has an answer, only prompts; use generate\.sample"):
        list(method.generate(UNANSWERED, Silent(), 0, UNANSWERED))


def mixed(folder: Path, answered: int = 40, open_: int = 20) -> str:
    rows = [{"prompt": f"what of {at}?", "answer": f"it is {at}"} for at in range(answered)]
    return put(folder, "rows.jsonl", rows + [{"prompt": f"open {at}?", "answer": None} for at in range(open_)])


def test_a_run_learns_from_answers_and_works_on_prompts(tmp_path: Path) -> None:
    written(tmp_path)
    recipe = Recipe.load(tmp_path / "mine.yaml", [f"real={mixed(tmp_path)}", *RUN])
    history = run(recipe, tmp_path / "out")
    store = RunFolder(tmp_path / "out")
    real, held_out = (store.rows(side) or [] for side in ("real", "held_out"))
    assert sum(not row.answered for row in [*real, *held_out]) == 20
    measured = [score.n for half in (history[0].scores, history[0].validation_scores) for score in half]
    assert sum(measured) == len(answered(held_out)), "each half is measured on its answered rows"


RUN = ["held_out=0.4", "generations=1", "grade=", "curate=", "goal=loss", "evaluate=loss", "guard=", "generate=[]"]


def test_too_few_answers_to_learn_from_are_said_in_a_line(tmp_path: Path) -> None:
    written(tmp_path)
    path = mixed(tmp_path, answered=12, open_=60)
    recipe = Recipe.load(tmp_path / "mine.yaml", [f"real={path}", *RUN])
    with pytest.raises(SelfsownError, match=r"60 real rows have no answer, .*the recipe answers"):
        dry_run(recipe, recipe.real())


@given(st.lists(st.sampled_from([None, "", " ", "\t\n", "nan", "null", "None", "4", 4, 4.0, 0, False])))
def test_whatever_the_answers_are_only_text_is_an_answer(answers: list[Any]) -> None:
    records = [(at, {"p": "a?", "a": answer}) for at, answer in enumerate(answers)]
    rows = list(Columns("rows", "p", "a").rows(records, "rows"))
    assert len(rows) == len(answers)
    wanted = ["" if answer is None else str(answer).strip() for answer in answers]
    written_out = {"4.0": "4", "False": "false"}
    assert [row.answer for row in rows] == [written_out.get(each, each) for each in wanted]
    assert all(row.answer == row.target and row.answered == bool(row.answer) for row in rows)
