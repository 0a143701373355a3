"""The first command on the first file: what it reads without being told, and what it says where that is not enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from command import refused, run_in_process
from hypothesis import given
from hypothesis import strategies as st

from selfsown.files.column_mapping import Columns
from selfsown.preflight.real_rows import FITTING
from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.tasks.file import Task
from testing.mock_server import Server

ASKED = [f"How do I reset the password of account {at}?" for at in range(3)]
TICKETS = """id,subject,body,product,User name
1,Login fails at night,It says {{ 7*7 }} and stops,Alpha,ann
2,Login fails at noon,,Beta,bob
3,,,Beta,cid
"""
BOTH = r"real={file: {path: tickets.csv, prompt: \"{{ subject }}\n\n{{ body }}\"}}".replace('\\"', '"')


def put(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(content), path)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="")
    elif name.endswith(".json"):
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(each) + "\n" for each in content), encoding="utf-8")
    return path


def table(name: str, cells: list[str] = ASKED) -> str:
    return "\n".join([name, *cells]) + "\n"


FILES = {
    "q.txt": "\n".join(ASKED),
    "marked.txt": "\ufeff\r\n\r\n" + "\r\n".join(ASKED),
    "text.jsonl": [{"text": each} for each in ASKED],
    "Prompt.csv": table("Prompt"),
    "PROMPTS.csv": table("PROMPTS"),
    "blank-first.csv": "\n\n" + table("question"),
    "User Prompt.csv": table("id,User Prompt", [f"{at},{each}" for at, each in enumerate(ASKED)]),
    "ticket.csv": table("ticket"),
    "only.parquet": [{"Customer message": each} for each in ASKED],
    "user.jsonl": [{"user": each, "id": "u1"} for each in ASKED],
    "array.json": [{"Instruction": each} for each in ASKED],
    "both.jsonl": [{"prompt": each, "text": "a document"} for each in ASKED],
    "Messages.jsonl": [{"Messages": [{"role": "user", "content": each}]} for each in ASKED],
    "answered.csv": table("Question,Answer", [f"{each},yes" for each in ASKED]),
}
ROLES = (
    "teacher={endpoint: {url: http://127.0.0.1:1/v1, model: m}}",
    "judge={endpoint: {url: http://127.0.0.1:1/v1, model: j}}",
)


def roles(server: Server) -> list[str]:
    at = f"{{endpoint: {{url: {server.url}, model: m}}}}"
    return ["--set", f"teacher={at}", "--set", f"judge={at}"]


@pytest.mark.parametrize("name", FILES)
def test_prompts_are_found_where_the_recipe_needs_prompts(name: str, tmp_path: Path) -> None:
    recipe = Recipe.load("answers", [f"real={put(tmp_path, name, FILES[name])}", *ROLES])
    assert [row.prompt for row in recipe.real().pose(0)] == ASKED


@pytest.mark.parametrize("name", ["q.txt", "marked.txt", "text.jsonl", "ticket.csv", "only.parquet", "both.jsonl"])
def test_the_same_text_is_a_document_where_the_recipe_needs_documents(name: str, tmp_path: Path) -> None:
    rows = list(Recipe.load("questions", [f"real={put(tmp_path, name, FILES[name])}", *ROLES]).real().pose(0))
    assert [(row.prompt, row.answer) for row in rows] == [
        ("", "a document" if name == "both.jsonl" else each) for each in ASKED
    ]


@pytest.mark.parametrize(
    ("name", "recipe", "said"),
    [
        ("q.txt", "answers", "3 real rows (each line as a prompt), none set aside"),
        ("q.txt", "questions", "3 real rows (each line as a document), none set aside"),
        ("q.txt", "personas", "3 real rows (each line as a prompt), none set aside"),
        ("ticket.csv", "answers", "3 real rows (column 'ticket' as the prompt), none set aside"),
        ("User Prompt.csv", "answers", "3 real rows (column 'User Prompt' as the prompt), none set aside"),
        ("Prompt.csv", "answers", "3 real rows, none set aside"),
    ],
)
def test_what_was_decided_is_said_with_the_count(name: str, recipe: str, said: str, tmp_path: Path) -> None:
    put(tmp_path, name, FILES[name])
    done = run_in_process(tmp_path, "check", recipe, "--set", f"real={name}", "--set", ROLES[0], "--set", ROLES[1])
    assert done.returncode == 0, done.stderr
    assert said in done.stderr


def test_the_user_may_decide_otherwise(tmp_path: Path) -> None:
    path = put(tmp_path, "q.txt", FILES["q.txt"])
    for option, recipe in (("text: text", "answers"), ("read_as: documents", "answers")):
        (row, *_) = Recipe.load(recipe, [f"real={{file: {{path: '{path}', {option}}}}}", *ROLES]).real().pose(0)
        assert (row.prompt, row.answer) == ("", ASKED[0])
    (row, *_) = Recipe.load("questions", [f"real={{file: {{path: '{path}', prompt: text}}}}", *ROLES]).real().pose(0)
    assert (row.prompt, row.answer) == (ASKED[0], "")


P = [{"prompt": "a?"}]
SUBJECTS = "id,subject,body\n1,it does not start,help me with it please\n"


@pytest.mark.parametrize(
    ("recipe", "name", "content", "parts"),
    [
        (
            "questions",
            "p.jsonl",
            P,
            (
                "generate.document_qa works on documents or answers, and p.jsonl has only prompts without answers; ",
                "its columns: prompt; if a column holds them: --set 'real={file: {path: p.jsonl, text: prompt}}'; ",
                "recipes for prompts: answers, evol-instruct and self-instruct",
            ),
        ),
        (
            "answers",
            "d.jsonl",
            [{"prompt": "", "answer": "a document"}],
            (
                "generate.sample works on prompts, and d.jsonl has only documents; its columns: prompt, answer; ",
                "--set 'real={file: {path: d.jsonl, prompt: answer}}'; recipes for documents: questions, rephrase",
            ),
        ),
        (
            "palmyra-text",
            "p.csv",
            "prompt,note\na?,b\n",
            (
                "generate.self_instruct on prompts, and p.csv has only prompts without answers; ",
                "--set 'real={file: {path: p.csv, prompt: COLUMN, answer: COLUMN}}'",
            ),
        ),
        ("star-text", "p.jsonl", P, ("grade.math_equal works on prompts with known answers",)),
        ("answers", "h.csv", "prompt,answer\n", ("h.csv has column names alone (prompt, answer); rows are expected",)),
        (
            "answers",
            "t.csv",
            SUBJECTS,
            (
                "--set 'real={file: {path: t.csv, prompt: body}}'; several make one prompt by a template: ",
                'prompt: "{{ subject }}\\n\\n{{ body }}"',
            ),
        ),
        ("answers", "n.csv", "How do I log in?\nWhere is it?\n", ("n.csv has no column 'text', 'prompt' or another",)),
    ],
)
def test_what_does_not_fit_is_one_line_before_anything_is_paid(
    recipe: str, name: str, content: Any, parts: tuple[str, ...], tmp_path: Path
) -> None:
    put(tmp_path, name, content)
    with Server() as server:
        done = run_in_process(tmp_path, "make", recipe, "out", "--set", f"real={name}", *roles(server))
        message = refused(done)
        assert not [part for part in parts if part not in message], message
        assert not server.bodies
    assert not (tmp_path / "out").exists()


def test_recipes_that_are_recommended_exist() -> None:
    named = " ".join(FITTING.values()).replace(",", "").split()
    assert {name for name in named if name in shipped_recipes()} >= {"answers", "questions", "backtranslation"}


def test_tickets_need_no_other_tool(tmp_path: Path) -> None:
    put(tmp_path, "tickets.csv", TICKETS)
    judged = json.dumps({"reason": "fine", "score": 5})
    options = [
        *("--set", BOTH, "--set", "generate.sample.instruction=You support {{ product }}."),
        *("--set", "real.file.system={{ row['User name']|title }} asks.", "--set", "generate.sample.n=1"),
        *("--set", "grade.judge.rubric=Is it right for {{ product }}?"),
    ]
    with Server(say=lambda prompt, body: judged if prompt.startswith("Judge") else f"Answer: {len(prompt)}") as server:
        done = run_in_process(tmp_path, "make", "answers", "out", *options, *roles(server))
        assert done.returncode == 0, done.stderr
        sent = [body["messages"] for body in server.bodies]
        assert "3 real rows = 2 used + 1 set aside (1 blank)" in done.stdout
        again = run_in_process(tmp_path, "make", "answers", "out", *options, *roles(server))
        assert len(server.bodies) == len(sent), again.stderr
        changed = [each.replace("You support", "You know") for each in options]
        assert run_in_process(tmp_path, "make", "answers", "out", *changed, *roles(server)).returncode == 0
        assert len(server.bodies) > len(sent), "another template is another request"
    asked = [messages for messages in sent if not messages[-1]["content"].startswith("Judge")]
    assert asked[0] == [
        {"role": "system", "content": "Ann asks."},
        {"role": "user", "content": "You support Alpha.\n\nLogin fails at night\n\nIt says {{ 7*7 }} and stops"},
    ]
    assert asked[1][-1]["content"] == "You support Beta.\n\nLogin fails at noon"
    assert any("Is it right for Beta?" in messages[-1]["content"] for messages in sent)
    rows = RunFolder(tmp_path / "out").rows("rows") or []
    assert [row.metadata["product"] for row in rows] == ["Alpha", "Beta"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (
            BOTH.replace("subject", "subjct"),
            "no column 'subjct', which the template of prompt uses; did you mean 'subject'?",
        ),
        ("real={file: {path: tickets.csv, prompt: '{subject}'}}", "a template has double braces, such as {{ body }}"),
        ("real={file: {path: tickets.csv, prompt: Body}}", "did you mean 'body'?"),
        (
            "real={file: {path: tickets.csv, prompt: {{ body }}}}",
            'a template in double quotes: prompt: "{{ subject }}"',
        ),
        ("real={file: {path: tickets.csv, prompt: '{{ body'}}", "it must be a template: line 1 of the template"),
        ("real={file: {path: tickets.csv, prompt: '{{ 1 // id }}'}}", "tickets.csv:2 line 1 of the template"),
        ("real={file: {path: tickets.csv, text: body, system: product}}", "but the rows are documents"),
        (
            "generate.sample.instruction={{ prodct }}",
            "generate.sample.instruction uses 'prodct', which its rows do not have",
        ),
        ("grade.judge.rubric=Is {{ prodct }} right?", "grade.judge.rubric uses 'prodct', which its rows do not have"),
        ("generate.sample.instruction={{ 1 // product }}", "generate.sample.instruction: tickets.csv:2: line 1 of the"),
        (
            "teacher.endpoint.system={{ product }}",
            "teacher.endpoint.system is '{{ product }}'; it must be a text without",
        ),
    ],
)
def test_a_template_that_does_not_fit_the_file_is_one_line(option: str, said: str, tmp_path: Path) -> None:
    put(tmp_path, "tickets.csv", TICKETS)
    changes = [each for change in (BOTH, *ROLES, option) for each in ("--set", change)]
    assert said in refused(run_in_process(tmp_path, "check", "answers", *changes))


def test_a_method_without_a_row_takes_no_columns(tmp_path: Path) -> None:
    put(tmp_path, "tickets.csv", TICKETS)
    changes = [BOTH, *ROLES]
    with pytest.raises(SelfsownError, match="it must be a text without columns"):
        Recipe.load("self-instruct", [*changes, "generate.self_instruct.instruction={{ product }}"])
    recipe = Recipe.load("personas", [*changes, "generate.persona.instruction=As {{ persona }}, {{ difficulty }}."])
    assert Recipe.of(recipe.dump()) == recipe


def test_the_columns_that_templates_use_are_read_and_the_recipe_says_so(tmp_path: Path) -> None:
    path = put(tmp_path, "tickets.csv", TICKETS)
    recipe = Recipe.load(
        "answers",
        [
            f"real={{file: {{path: '{path}', prompt: subject}}}}",
            *ROLES,
            "grade.judge.rubric=For {{ row['User name'] }}, {{ prompt }}",
        ],
    )
    assert recipe.real.options["metadata"] == ("User name",)
    assert [row.metadata for row in recipe.real().pose(0)] == [{"User name": "ann"}, {"User name": "bob"}]
    assert Recipe.of(recipe.dump()) == recipe


def test_a_system_column_beside_a_prompt_is_the_system_message(tmp_path: Path) -> None:
    (row,) = Task(str(put(tmp_path, "p.jsonl", [{"prompt": "a?", "system": "Be brief."}]))).pose(0)
    assert row.metadata == {"system": "Be brief."}
    (row,) = Task(str(put(tmp_path, "p.jsonl", [{"prompt": "a?", "system": None}]))).pose(0)
    assert row.metadata == {}


CELLS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.text(min_size=1, max_size=9))
def test_every_record_becomes_a_row_or_is_counted_as_blank(cells: list[tuple[Any, Any]], name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    columns = Columns("rows", f"{{{{ row[{name!r}] }}}}\n{{{{ row['b' ~ ''] }}}}", "")
    aside: list[Any] = []
    made: list[Row] = list(columns.rows(enumerate({name: a, "b": b} for a, b in cells), "rows", aside.append))
    assert len(made) + len(aside) == len(cells)
    assert all(error.blank for error in aside)
    assert all(row.prompt.strip() for row in made)
