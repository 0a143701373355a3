"""A dataset goes to the hub by this one command, private unless the user says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kept
import pytest
from command import Finished, run_in_process
from hub import Hub, serving
from huggingface_hub import constants

from selfsown.export import shards
from selfsown.export.export import export

ROWS = [kept.row(f"{at}?", str(at), sample_index=at) for at in range(4)]
TOKEN = "hf_token_of_nobody"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return export(kept.made(tmp_path / "made", ROWS), tmp_path / "sums").out


def push_as_user(folder: Path, *arguments: str, url: str, token: str = TOKEN) -> Finished:
    """The command, with a home of its own, so that no token of the machine's is found."""
    home = {"HOME": str(folder.parent), "HF_HOME": str(folder.parent / "hf"), "HF_ENDPOINT": url, "HF_TOKEN": token}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    order = [sys.executable, "-m", "selfsown", "push", str(folder), *arguments]
    return subprocess.run(order, env=plain | home, capture_output=True, text=True, timeout=60)


def push(folder: Path, *arguments: str, url: str, token: str = TOKEN) -> Finished:
    """The same in this process, which has imported the hub's client: what that reads when it is imported is set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", url)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        for name in ("HF_TOKEN_PATH", "HF_STORED_TOKENS_PATH"):
            patch.setattr(constants, name, str(folder.parent / "hf" / name))
        for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING_FACE_"))]:
            patch.delenv(name)
        patch.setenv("HF_TOKEN", token)
        return run_in_process(folder.parent, "push", str(folder), *arguments)


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_a_process_of_its_own_uploads_and_prints_the_address(out: Path) -> None:
    with serving(Hub()) as hub:
        done = push_as_user(out, "me/sums", url=hub.url)
    assert (done.returncode, done.stdout) == (0, f"{hub.url}/datasets/me/sums\n"), done.stderr
    assert hub.files == files(out)
    assert set(hub.tokens.values()) == {f"Bearer {TOKEN}"}
    tokenless = push_as_user(out, "me/sums", url=hub.url, token="")
    assert (tokenless.returncode, len(tokenless.stderr.splitlines())) == (2, 1), tokenless.stderr
    assert "put it in HF_TOKEN" in tokenless.stderr


@pytest.mark.parametrize(("flags", "private"), [((), True), (("--private",), True), (("--public",), False)])
def test_every_file_is_there_as_it_was(flags: tuple[str, ...], private: bool, out: Path) -> None:
    with serving(Hub()) as hub:
        done = push(out, "me/sums", *flags, url=hub.url)
    assert (done.returncode, done.stdout) == (0, f"{hub.url}/datasets/me/sums\n"), done.stderr
    assert hub.files == files(out)
    assert hub.private is private
    assert set(hub.tokens.values()) == {f"Bearer {TOKEN}"}


def test_the_files_of_an_earlier_export_go(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Hub()) as hub:
        assert push(out, "me/sums", url=hub.url).returncode == 0
        monkeypatch.setattr(shards, "ROWS_PER_FILE", 2)
        export(out.parent / "made", out)
        assert push(out, "me/sums", url=hub.url).returncode == 0
    assert set(hub.files) == set(files(out))
    assert len(hub.files) == 3


@pytest.mark.parametrize(
    ("private", "flag", "said"), [(False, "--private", "--public"), (True, "--public", "--private")]
)
def test_what_is_there_is_never_shown_to_others_than_the_user_said(
    private: bool, flag: str, said: str, out: Path
) -> None:
    with serving(Hub(private)) as hub:
        done = push(out, "me/sums", flag, url=hub.url)
    assert done.returncode == 2
    assert f"nothing was uploaded: add {said}" in done.stderr
    assert not hub.files


def test_a_missing_token_a_refusal_and_a_dead_network_are_one_line_each(out: Path) -> None:
    with serving(Hub(refusal=403)) as hub:
        refused = push(out, "me/sums", url=hub.url)
        asked = len(hub.asked)
        tokenless = push(out, "me/sums", url=hub.url, token="")
        assert len(hub.asked) == asked
    dead = push(out, "me/sums", url="http://127.0.0.1:9")
    for done, said in (
        (refused, "was not uploaded to the hub"),
        (tokenless, "put it in HF_TOKEN"),
        (dead, "was not uploaded"),
    ):
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert said in done.stderr
        assert TOKEN not in done.stderr


@pytest.mark.parametrize("repo", ["sums", "me/", "/sums", "a/b/c", "me/su ms"])
def test_a_place_that_is_none_is_refused(repo: str, out: Path) -> None:
    with serving(Hub()) as hub:
        done = push(out, repo, url=hub.url)
    assert (done.returncode, len(done.stderr.splitlines()), hub.asked) == (2, 1, []), done.stderr


def test_only_an_export_is_pushed(out: Path) -> None:
    (out / "secret.txt").write_text("mine")
    with serving(Hub()) as hub:
        done = push(out, "me/sums", url=hub.url)
    assert "is not an export; export writes one" in done.stderr
    assert not hub.asked
