"""Real rows are prepared before anything else sees them: what was read is what is used and what is set aside."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import Finished, refused, run_in_process, written
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsown import loop
from selfsown.callbacks import Callbacks
from selfsown.html.run_page import content
from selfsown.intake import SET_ASIDE, Intake, prepared_rows
from selfsown.pipeline import make
from selfsown.preflight.warnings import data_warnings
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.terminal.lineage import story
from selfsown.text.personal_data import find_personal_data
from testing.mock_server import Server

MAIL = "ada@posteo.de"
TICKETS = [
    *({"prompt": f"<p>Where is order no. {at}?</p>", "answer": "On its way."} for at in range(30)),
    *({"prompt": f"Write to {MAIL} about order no. {at}", "answer": f"I wrote to {MAIL}."} for at in range(10)),
    *({"prompt": "where is  order no. 3?", "answer": "Lost."} for _ in range(5)),
    *({"prompt": "\u200b", "answer": "?"} for _ in range(4)),
]
ALL: list[Any] = ["strip_html", {"blank": {"require": ["prompt"]}}, "dedup", {"pii": {"redact": True}}]


def tickets(folder: Path, rows: list[dict[str, str]] | None = None) -> Path:
    path = folder / "tickets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows or TICKETS), encoding="utf-8")
    return path


def recipe(folder: Path, url: str = "http://127.0.0.1:9/v1", **changes: Any) -> dict[str, Any]:
    """What makes an answer to each ticket, and marks it."""
    there = {"endpoint": {"url": url, "model": "m"}}
    tree: dict[str, Any] = {"real": str(folder / "tickets.jsonl"), "teacher": there, "generate": [{"sample": {"n": 1}}]}
    tree |= {"grade": ["judge"], "curate": ["min_score"], "prepare": ALL, "name": "mine"}
    return {**tree, **changes}


def say(prompt: str, body: dict[str, Any]) -> str:
    return '{"reason": "good", "score": 5}' if "response_format" in body else "an answer"


def served() -> Server:
    return Server(say=say)


def test_nothing_that_is_sent_holds_what_was_redacted(tmp_path: Path) -> None:
    tickets(tmp_path)
    with served() as server:
        make(Recipe.of(recipe(tmp_path, server.url, prepare=[])), tmp_path / "bare")
        assert any(MAIL in json.dumps(body) for body in server.bodies)
        server.bodies.clear()
        tally = make(Recipe.of(recipe(tmp_path, server.url)), tmp_path / "out")
        sent = [json.dumps(body) for body in server.bodies]
    assert len(sent) == 2 * 40
    assert not any(find_personal_data(text, ("email",)) or "<p>" in text for text in sent)
    assert sum("[EMAIL]" in text for text in sent) == 2 * 10
    assert tally.counts["kept"] == 40


def test_what_was_read_is_what_is_used_and_what_is_set_aside(tmp_path: Path) -> None:
    tickets(tmp_path)
    with served() as server:
        make(Recipe.of(recipe(tmp_path, server.url, prepare=ALL[:3])), tmp_path / "out")
        assert len(server.bodies) == 2 * 40
    store = RunFolder(tmp_path / "out")
    found = Intake.of(store)
    assert found
    assert (found.read, found.used, found.held_out) == (49, 40, 0)
    assert +found.set_aside == {"dedup": 5, "blank": 4}
    assert found.changed == {"strip_html": 30}
    assert found.sentence() == "49 real rows = 40 used + 9 set aside (4 blank, 5 dedup); changed: 30 by strip_html"
    aside = store.rows(SET_ASIDE) or []
    assert [(row.source, row.status) for row in aside] == [(f"tickets.jsonl:{at}", "rejected") for at in range(41, 50)]
    assert {row.reason for row in aside} == {
        "dedup: duplicate of tickets.jsonl:4",
        "blank: blank prompt",
    }
    assert len(store.rows("real") or []) == 40


def test_explain_tells_what_was_changed_and_why_a_row_was_set_aside(tmp_path: Path) -> None:
    tickets(tmp_path)
    with served() as server:
        make(Recipe.of(recipe(tmp_path, server.url)), tmp_path / "out")
    store = RunFolder(tmp_path / "out")
    rows = store.rows("real") or []
    changed = story(tmp_path / "out", rows[30].id)
    assert "prepared: pii changed its prompt 40 to 34, answer 25 to 19 characters" in " ".join(changed.split())
    made = next(row for row in store.rows("rows") or [] if row.parents == (rows[30].id,))
    assert not any("changes" in name for name in made.metadata), "it was not the new row that was changed"
    assert "strip_html changed its prompt 28 to 21 characters" in story(tmp_path / "out", rows[3].id)
    aside = (store.rows(SET_ASIDE) or [])[0]
    told = story(tmp_path / "out", aside.id)
    assert told.startswith("real row that was set aside")
    assert "set aside by dedup: duplicate of tickets.jsonl:4" in told


def test_rows_that_no_step_made_anything_of_are_set_aside(tmp_path: Path) -> None:
    """A document among prompts has none to answer, and a chunk may hold nothing but documents."""
    (tmp_path / "mixed.py").write_text(
        "from selfsown.files.user_rows import UserRows\n"
        "from selfsown.records import Row\n"
        "class Task(UserRows):\n"
        "    name = 'mixed'\n"
        "    def pose(self, seed):\n"
        "        for at in range(70):\n"
        "            yield Row(\n"
        "                f'what of {at}?' if at < 2 else '', f'text {at}', source=f'mixed:{at}', sample_index=at)\n"
    )
    with served() as server:
        tree = recipe(tmp_path, server.url, prepare=[], real="./mixed.py")
        tally = make(Recipe.of(tree, tmp_path), tmp_path / "out")
        only = Recipe.of(tree | {"generate": [{"sample": {"where": {"kind": "none"}}}]}, tmp_path)
        with pytest.raises(SelfsownError, match="no real row has a prompt"):
            make(only, tmp_path / "none")
        both = make(
            Recipe.of(tree | {"generate": ["sample", "rephrase"], "max_failure_rate": 1.0}, tmp_path), tmp_path / "2"
        )
    assert tally.made == 2
    assert tally.real.sentence() == "70 real rows = 2 used + 68 set aside (68 generate.sample)"
    aside = RunFolder(tmp_path / "out").rows(SET_ASIDE) or []
    assert {row.reason for row in aside} == {"generate.sample: made nothing from it, because it has no prompt"}
    assert len(aside) == 68
    assert both.real.sentence() == "70 real rows, none set aside", "what one method cannot use, another does"


def test_held_out_rows_are_prepared_in_the_same_way(tmp_path: Path) -> None:
    tickets(tmp_path)
    with served() as server:
        make(Recipe.of(recipe(tmp_path, server.url, held_out=8)), tmp_path / "out")
    store = RunFolder(tmp_path / "out")
    found, out = Intake.of(store), store.rows("held_out") or []
    assert found
    assert (found.read, found.used, found.held_out, found.set_aside.total()) == (49, 32, 8, 9)
    assert len(out) == 8
    assert not any("<p>" in row.prompt or MAIL in row.prompt for row in [*out, *(store.rows("real") or [])])
    assert len(store.rows(SET_ASIDE) or []) == 9, "the file is read twice, and they are written once"


def test_a_changed_prepare_asks_only_what_is_new_and_the_same_nothing(tmp_path: Path) -> None:
    tickets(tmp_path)
    with served() as server:
        make(Recipe.of(recipe(tmp_path, server.url, prepare=["strip_html", "blank", "dedup"])), tmp_path / "out")
        before = len(server.bodies)
        make(Recipe.of(recipe(tmp_path, server.url)), tmp_path / "out")
        assert len(server.bodies) == before + 2 * 10, "the redacted ones"
        first = contents(tmp_path / "out")
        make(Recipe.of(recipe(tmp_path, server.url)), tmp_path / "out")
        assert len(server.bodies) == before + 2 * 10
    assert contents(tmp_path / "out") == first


def contents(folder: Path) -> dict[str, bytes]:
    names = ("real.json", "real.parquet", "held_out.parquet", "set_aside.parquet", "rows.parquet", "made.json")
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        ([{"length": {"min_chars": 1000}}], "no real row is left, of 49 real rows = 49 set aside"),
        (["nosuch"], "prepare: there is no method 'nosuch'; available: blank, dedup"),
        ([{"pii": {"redcat": True}}], "did you mean 'redact'"),
        ([{"pii": {"redact": "yes"}}], "prepare.pii.redact is 'yes'"),
        ([{"dedup": {"by": "answer"}}], "prepare.dedup.by is 'answer'"),
        (["./gone.py"], "there is no file"),
        (["./loses.py"], "lost 1 rows; it must give every row"),
        (["./turns.py"], "gave a row out of order"),
        (["./twice.py"], "gave a row out of order"),
        (["./keeps.py"], "gave a row with the status 'kept'; it may change rows, or reject them"),
        (["./raises.py"], "ValueError: so it is (raises.py:3)"),
        (["./asks.py"], "asks for 'teacher', which is no input of prepare; available: rows"),
    ],
)
def test_what_does_not_fit_is_one_line_before_anything_is_asked(prepare: list[Any], words: str, tmp_path: Path) -> None:
    own = {
        "loses": "def prepare(rows):\n    yield from list(rows)[:-1]\n",
        "turns": "def prepare(rows):\n    yield from reversed(list(rows))\n",
        "twice": "def prepare(rows):\n    for row in rows:\n        yield row\n        yield row\n",
        "keeps": "def prepare(rows):\n    for row in rows:\n        yield row.kept()\n",
        "raises": "def prepare(rows):\n    for row in rows:\n        raise ValueError('so it is')\n        yield row\n",
        "asks": "def prepare(rows, teacher):\n    yield from rows\n",
    }
    for name, source in own.items():
        (tmp_path / f"{name}.py").write_text(source)
    tickets(tmp_path)
    with served() as server:
        tree = recipe(tmp_path, server.url, prepare=prepare)
        with pytest.raises(SelfsownError, match=re.escape(words)):
            make(Recipe.of(tree, tmp_path), tmp_path / "made")
        if "no real row is left" in words:
            (tmp_path / "mine.yaml").write_text(json.dumps(tree))
            for command in ("check", "make"):
                assert words in refused(run_in_process(tmp_path, command, "mine.yaml"))
        assert server.bodies == []
    assert not (tmp_path / "made").exists()


def test_a_method_of_the_user_s_own_changes_rows_and_sets_others_aside(tmp_path: Path) -> None:
    (tmp_path / "upper.py").write_text(
        '"""Short prompts go, the others are written in capitals."""\n'
        "def prepare(rows, *, least=99):\n"
        "    for row in rows:\n"
        "        short = len(row.prompt) < least\n"
        "        yield row.rejected('too short') if short else row.replace_fields(prompt=row.prompt.upper())\n"
    )
    tickets(tmp_path)
    found = Intake()
    recipe_ = Recipe.of(recipe(tmp_path, prepare=["blank", {"./upper.py": {"least": 25}}]), tmp_path)
    aside: list[Row] = []
    rows = list(prepared_rows(recipe_, recipe_.real(), found, aside.append))
    assert all(row.prompt.isupper() for row in rows)
    assert +found.set_aside == {"upper.py": 9}
    assert {row.reason for row in aside} == {"upper.py: too short"}


def test_a_list_can_be_set_on_the_command_line_and_is_shown_before_anything_is_paid(tmp_path: Path) -> None:
    tickets(tmp_path)
    said = "49 real rows = 40 used + 9 set aside (4 blank, 5 dedup); changed: 30 by strip_html, 10 by pii"
    told: list[Finished] = []
    with served() as server:
        (tmp_path / "mine.yaml").write_text(json.dumps(recipe(tmp_path, server.url, prepare=[])))
        change = "prepare=[strip_html, blank: {require: [prompt]}, dedup, pii: {redact: true}]"
        for command in (["check"], ["estimate", "--offline"], ["preview", "--rows", "1"], ["make"]):
            told.append(run_in_process(tmp_path, command[0], "mine.yaml", *command[1:], "--set", change))
    for done in told:
        assert done.returncode == 0, done.stderr
        assert said in done.stdout + done.stderr
        assert "personal data" not in done.stdout + done.stderr
    assert "the judge is the teacher itself, which grades its own work" in told[-1].stdout


def test_personal_data_that_will_be_sent_is_said(tmp_path: Path) -> None:
    tickets(tmp_path)

    def said(**changes: Any) -> str:
        return " ".join(data_warnings(Recipe.of(recipe(tmp_path, **changes))))

    assert "10 of the first 49 real rows hold personal data, such as an e-mail address" in said(prepare=[])
    assert "personal data" not in said() + said(prepare=["pii"])


METHODS: list[Any] = ["strip_html", "blank", "dedup", {"dedup": {"by": "row"}}, "normalize_unicode", "pii"]
METHODS += [
    "normalize_whitespace",
    {"pii": {"redact": True}},
    {"length": {"min_chars": 3}},
    {"length": {"max_chars": 9}},
]
SAID = st.sampled_from(["", " ", "a", "A", "<p>a</p>", "b <br> c", f"to {MAIL}", "\u200b", "long words here"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(SAID, SAID), min_size=1, max_size=12),
    st.lists(st.sampled_from(METHODS), max_size=5),
    st.sampled_from([0, 1, 0.3]),
)
def test_whatever_is_read_is_used_or_set_aside_with_a_reason(
    said: list[tuple[str, str]], methods: list[Any], held_out: float
) -> None:
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        tickets(folder, [{"prompt": prompt, "answer": answer} for prompt, answer in said])
        tree = recipe(folder, prepare=methods, held_out=held_out, generate=[], teacher=None, grade=[], curate=[])
        recipe_ = Recipe.of(tree)
        found, aside = Intake(), list[Row]()
        try:
            rows = list(prepared_rows(recipe_, recipe_.real(), found, aside.append))
        except SelfsownError as error:
            if "no real row is left" in str(error) or "has no usable row" in str(error):
                return
            raise
    assert found.read == len(said) == len(rows) + len(aside)
    assert found.set_aside.total() == len(aside)
    assert +found.set_aside == Counter(row.reason.partition(":")[0] for row in aside)
    assert all(row.status == "rejected" and row.reason.partition(": ")[2] for row in aside)
    places = [row.source for row in [*rows, *aside]]
    assert sorted(places) == sorted(f"tickets.jsonl:{at}" for at in range(1, len(said) + 1))


def test_a_run_prepares_before_it_splits_and_goes_on_with_what_it_prepared(tmp_path: Path) -> None:
    few: list[Any] = ["dedup", {"length": {"max_chars": 5}}]
    changes = {"real": "names.txt", "grade": [], "goal": "loss", "evaluate": ["loss"], "generations": 1}
    written(tmp_path, **changes, prepare=few)
    names = [*(f"name{at}" for at in range(50)), "NAME1", "name3", "much too long"]
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    said = refused(run_in_process(tmp_path, "run", "mine.yaml", "--no-report"))
    assert "names.txt (43 of its 53 rows are set aside) has 10 rows" in said
    assert not (tmp_path / "runs").exists()
    recipe_ = Recipe.load(tmp_path / "mine.yaml", ["prepare=[dedup, length: {max_chars: 6}]"])
    told = list[Intake]()
    watch = Callbacks()
    watch.real_rows = told.append  # type: ignore[method-assign]
    loop.run(recipe_, tmp_path / "run", watch)
    loop.run(recipe_, tmp_path / "run", watch)
    store = RunFolder(tmp_path / "run")
    for found in told:
        assert (found.read, found.used + found.held_out) == (53, 50)
        assert +found.set_aside == {"dedup": 2, "length": 1}
    assert len(told) == 2
    assert len(store.rows("real") or []) + len(store.rows("held_out") or []) == 50
    assert len(store.rows(SET_ASIDE) or []) == 3
    assert f"{told[0].sentence()}." in content(tmp_path / "run").opening.sentences
    with pytest.raises(SelfsownError, match=r"prepare was \['dedup', .* and is now \[\]; name another folder"):
        loop.run(Recipe.load(tmp_path / "mine.yaml", ["prepare=[]"]), tmp_path / "run")


def test_the_folder_of_an_older_version_goes_on(tmp_path: Path) -> None:
    written(tmp_path, real="names.txt", grade=[], goal="loss", evaluate=["loss"], generations=1)
    recipe_ = Recipe.load(tmp_path / "mine.yaml")
    before = loop.run(recipe_, tmp_path / "run")
    tree = yaml.safe_load((tmp_path / "run/recipe.yaml").read_text())
    assert tree.pop("prepare") == []
    (tmp_path / "run/recipe.yaml").write_text(yaml.safe_dump(tree))
    for name in ("real.json", "set_aside.parquet"):
        (tmp_path / "run" / name).unlink()
    assert loop.run(recipe_, tmp_path / "run") == before
    assert Intake.of(RunFolder(tmp_path / "run")) is None
