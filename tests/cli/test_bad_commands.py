"""Whatever a user gets wrong is one line on standard error, before any warning, and nothing is written."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import refused, run_in_process, tree, written

from selfsown.models.endpoint import health_check
from testing.mock_server import Server

DEAD = "teacher={endpoint: {url: DEAD_URL, model: m}}"
PROMPTS = ("answers", "--set", "real=p.jsonl", "--set")
# The words of the command, and what the one line says.
CASES: list[tuple[tuple[str, ...], str]] = [
    (("run", "answer"), "did you mean 'answers'?"),
    (("run", "Answers"), "did you mean 'answers'?"),
    (("run", "self_instruct"), "did you mean 'self-instruct'?"),
    (("run", "zzzz"), "`selfsown list recipes` lists all"),
    (("run", "mine"), "did you mean 'mine.yaml'?"),
    (("run", "mien.yaml"), "did you mean 'mine.yaml'?"),
    (("run", "mine.yml"), "did you mean 'mine.yaml'?"),
    (
        ("prove", "names.txt"),
        "names.txt is no recipe, which is a FILE.yaml; real rows are named with --set real=names.txt",
    ),
    (("compare", "runs/a", "runs/b"), "runs/a is the folder of a run, not a recipe; its recipe is runs/a/recipe.yaml"),
    (("check", "."), "is a folder, not a recipe"),
    (("run", "empty.yaml"), "holds no recipe"),
    (("run", "binary.yaml"), "a recipe is YAML in UTF-8"),
    (("run", "bad.yaml"), "bad.yaml:2 is not valid YAML"),
    (("run", "mine.yaml", "--set", "grade=verfy"), "did you mean 'verify'?"),
    (("run", "mine.yaml", "--set", "grade=zzzz"), "`selfsown list grade` lists all"),
    (("run", "mine.yaml", "--set", "generashuns=1"), "did you mean 'generations'?"),
    (("run", "mine.yaml", "--set", "zzzz=1"), "`selfsown list keys` lists all"),
    (("check", "first", "--set", "train.tiny.steps=3"), "did you mean train.sft.steps=3?"),
    (("check", "first", "--set", "train.steps=3"), "did you mean train.sft.steps=3?"),
    (("check", "first", "--set", "steps=3"), "did you mean base_train.sft.steps=3 or train.sft.steps=3?"),
    (("check", "first", "--set", "base.tiny.steps=3"), "did you mean base_train.sft.steps=3 or train.sft.steps=3?"),
    (("check", "first", "--set", "grade.verfy.correct=true"), "did you mean grade.verify.correct=true?"),
    (("check", "first", "--set", "train.sft.stepss=3"), "did you mean 'steps'?"),
    (
        ("check", "first", "--set", "train.sft.steps=ten"),
        "train.sft.steps is 'ten'; it must be a whole number, such as 100",
    ),
    (("check", "first", "--set", "seed.a=1"), "seed has no methods; write seed=value"),
    (("check", "first", "--set", "control=1:30"), "control is '1:30'; it must be true or false"),
    (("check", "first", "--set", "name=no"), "put it in quotes: 'name=\"no\"'"),
    (("check", "first", "--set", "description=a: b"), "put text with a colon in quotes: 'description=\"a: b\"'"),
    (("check", "first", "--set", "description=a: b: c"), "put the value in single quotes"),
    (("check", "first", "--set", "generate=[propose: {count: 3"), "a bracket is not closed"),
    (
        ("run", "names", "--set", "real={file:", "{path:", "x.csv}}"),
        "put the change in single quotes: --set 'real={file: {path: x.csv}}'",
    ),
    (("check", "first", "--set", "generate.propose.count=-3"), "greater than or equal to 0"),
    (("check", "first", "--set", "budget=10"), "a mapping, such as {name: value}"),
    (("check", "first", "--set", "grade=./gone.py"), "there is no file gone.py"),
    (("runn", "first"), 'Did you mean "run"?'),
    (("run",), "run needs RECIPE; see selfsown run --help"),
    (("run", "names", "a", "b"), "takes no further argument 'b'"),
    (("run", "names", "--seeet", "x=1"), "Did you mean --set?"),
    (("run", "names", "--set"), "--set needs a value"),
    (("preview", "answers", "--rows", "abc"), '"abc"'),
    (("preview", *PROMPTS, DEAD, "--rows", "0"), "--rows is 0"),
    (("audit", "names.txt"), "audit needs --against"),
    (("list", "jugde"), "did you mean 'judge'?"),
    (("list", "grade.juge"), "did you mean 'judge'?"),
    (("show", "frist"), "did you mean 'first'?"),
    (("show", "answers", "--set", "grade=jugde"), "did you mean 'judge'?"),
    (("explain", "b", "abc"), "there is no folder b; folders of runs: runs/a"),
    (("explain", "runs/aa", "abc"), "did you mean runs/a?"),
    (("explain", "zzzz", "abc"), "folders of runs: runs/a"),
    (("cost", "names.txt"), "names.txt is a file; name the folder of a run"),
    (("report", "runs/aa"), "did you mean runs/a?"),
    (("export", "nosuch", "out"), "there is no folder nosuch"),
    (("run", "mine.yaml", "foreign"), "holds other files and no run"),
    (("run", "mine.yaml", "names.txt"), "names.txt is a file"),
    (("run", "mine.yaml", "/proc/nosuch/x"), "name another folder"),
    (("check", "first", "--set", "real=name.txt"), "there is no file name.txt; did you mean 'names.txt'?"),
    (("check", "first", "--set", r"real=C:\data\rows.csv"), r"there is no file C:\data\rows.csv"),
    (("make", "mine.yaml"), "teacher is missing"),
    (("make", "answers", "--set", "real=names.txt"), "teacher is missing"),
    (("make", "answers", "--set", "real=empty.txt", "--set", DEAD), "empty.txt is empty"),
    (("make", "answers", "--set", "real=binary.bin", "--set", DEAD), "binary data of an unknown format"),
    (("make", "answers", "--set", "real=gone.txt", "--set", DEAD), "gone.txt"),
    (
        ("make", "answers", "--set", "real=cols.csv", "--set", DEAD),
        "--set 'real={file: {path: cols.csv, prompt: subject",
    ),
    (("make", "answers", "--set", "real={file: {path: cols.csv, prompt: bodyy}}", "--set", DEAD), "no column 'bodyy'"),
    (("make", *PROMPTS, DEAD.replace("m}}", "m, api_key: NO_SUCH_KEY}}")), "NO_SUCH_KEY names neither"),
    (
        ("make", *PROMPTS, DEAD),
        "nothing listens at this host and port (connection refused); start the server, or correct url",
    ),
    (("preview", *PROMPTS, DEAD), "nothing listens"),
    (("estimate", *PROMPTS, DEAD), "nothing listens"),
    (("make", *PROMPTS, DEAD.replace("DEAD_URL", "localhost:8000/v1")), "write http://localhost:8000/v1"),
    (("make", *PROMPTS, DEAD.replace("DEAD_URL", "api.openai.com/v1")), "write https://api.openai.com/v1"),
    (("make", *PROMPTS, DEAD.replace("DEAD_URL", "http://h:1/v1/chat/completions")), "write http://h:1/v1"),
    (
        ("make", *PROMPTS, "teacher={endpoint: {model: m}}"),
        "teacher.endpoint needs url: write endpoint: {url: …, model: m}",
    ),
]


@pytest.fixture
def dead() -> Iterator[str]:
    """The URL of a port at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.parametrize(("arguments", "said"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_a_mistake_is_one_line_before_any_warning_and_writes_nothing(
    arguments: tuple[str, ...], said: str, dead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_check, "MAX_UNREACHABLE_SECONDS", 0.1)
    written(tmp_path)
    (tmp_path / "empty.yaml").touch()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "binary.bin").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "bad.yaml").write_text("real: [programs\nseed: 1\n")
    (tmp_path / "cols.csv").write_text("subject,body\na,b\nc,d\n")
    (tmp_path / "p.jsonl").write_text("".join(json.dumps({"prompt": f"what is {at}?"}) + "\n" for at in range(20)))
    for folder, name in (("foreign", "notes.txt"), ("runs/a", "recipe.yaml")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / name).write_text("real: programs\n")
    before = tree(tmp_path)
    done = run_in_process(tmp_path, *(argument.replace("DEAD_URL", dead) for argument in arguments))
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("selfsown: ")
    assert said in line
    assert len(line) < 400 + len(os.fspath(tmp_path)), "no list of everything"
    assert tree(tmp_path) == before


LINES = {
    "vllm": "{endpoint: {url: http://localhost:8000/v1, model: NAME}}",
    "sglang": "{endpoint: {url: http://localhost:30000/v1, model: NAME}}",
    "ollama": "{endpoint: {url: http://localhost:11434/v1, model: NAME}}",
    "llama.cpp": "{endpoint: {url: http://localhost:8080/v1, model: NAME}}",
    "llama_cpp": "{endpoint: {url: http://localhost:8080/v1, model: NAME}}",
    "lm_studio": "{endpoint: {url: http://localhost:1234/v1, model: NAME}}",
    "litellm": "{endpoint: {url: http://localhost:4000/v1, model: NAME}}",
    "openai": "{endpoint: {url: https://api.openai.com/v1, model: NAME, api_key: OPENAI_API_KEY}}",
    "openrouter": "{endpoint: {url: https://openrouter.ai/api/v1, model: NAME, api_key: OPENROUTER_API_KEY}}",
    "azure": "{endpoint: {url: https://NAME.openai.azure.com/openai/v1, model: DEPLOYMENT, "
    "headers: {api-key: AZURE_KEY}}}",
    "huggingface": "{hf: {model: NAME}}",
    "transformers": "{hf: {model: NAME}}",
    "local": "{hf: {model: NAME}}",
    "claude": "{anthropic: {model: NAME}}",
    "gpt-4.1-mini": "{endpoint: {url: https://api.openai.com/v1, model: gpt-4.1-mini, api_key: OPENAI_API_KEY}}",
    "claude-sonnet-4": "{anthropic: {model: claude-sonnet-4}}",
    "llama3:8b": "{endpoint: {url: http://localhost:11434/v1, model: llama3:8b}}",
    "Qwen/Qwen2.5-7B": "{endpoint: {url: http://localhost:8000/v1, model: Qwen/Qwen2.5-7B}}",
}


@pytest.mark.parametrize("name", LINES)
def test_the_name_of_a_server_or_a_model_says_what_to_write(name: str, tmp_path: Path) -> None:
    written(tmp_path)
    for role in ("teacher", "judge"):
        done = run_in_process(tmp_path, "check", "mine.yaml", "--set", f"{role}='{name}'")
        assert f"{role}: there is no method {name!r}" in done.stderr
        assert done.stderr.endswith(f"--set '{role}={LINES[name]}'\n")
    done = run_in_process(tmp_path, "check", "mine.yaml", "--set", f"student={{'{name}': {{path: x}}}}")
    if "hf" in LINES[name] or "/" in name:
        assert done.stderr.endswith(f"--set 'student={{hf: {{model: {name if '/' in name else 'x'}}}}}'\n")
        return
    assert "only hf and tiny can be trained" in done.stderr
    assert "docs/recipes.md" in done.stderr


def test_the_line_to_write_is_right_and_keeps_what_was_given(tmp_path: Path) -> None:
    written(tmp_path)
    given = "teacher={vllm: {model: big, base_url: http://gpu:9000/v1}}"
    line = run_in_process(tmp_path, "check", "mine.yaml", "--set", given).stderr.partition("--set '")[2].rstrip("'\n")
    assert line == "teacher={endpoint: {url: http://gpu:9000/v1, model: big}}"
    assert run_in_process(tmp_path, "check", "mine.yaml", "--set", line).returncode == 0


@pytest.mark.parametrize("command", ["make", "preview", "estimate"])
def test_an_address_that_only_the_requests_show_to_be_wrong_is_one_line_and_leaves_no_folder(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "p.jsonl").write_text("".join(json.dumps({"prompt": f"what is {at}?"}) + "\n" for at in range(20)))
    before = tree(tmp_path)
    with Server() as server:
        for url, model, said in (
            (server.url.replace("/v1", "/v2"), "m", f"write --set teacher.endpoint.url={server.url}"),
            (server.url, "other", "has no model 'other'"),
        ):
            change = f"teacher={{endpoint: {{url: '{url}', model: {model}}}}}"
            done = run_in_process(tmp_path, command, *PROMPTS, change)
            assert done.stdout == ""
            assert said in refused(done)
            assert tree(tmp_path) == before
        right = f"teacher={{endpoint: {{url: '{server.url}', model: m}}}}"
        wrong_judge = f"judge={{endpoint: {{url: '{server.url}', model: other}}}}"
        done = run_in_process(tmp_path, "make", *PROMPTS, right, "--set", wrong_judge)
    assert done.returncode == 2
    assert (tmp_path / "made/answers/replies.sqlite").exists(), "what is paid stays"
