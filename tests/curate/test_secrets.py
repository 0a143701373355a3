"""Credentials of many forms are found; hashes, identifiers, images and placeholders are none."""

from __future__ import annotations

import gzip
import json
import time
from random import Random

import pytest
from realdata import real_data

from selfsown.curate import secrets
from selfsown.records import Row, SelfsownError
from selfsown.text.secrets import find_secrets
from testing.fake_secrets import credentials, lookalikes

FOUND = credentials(Random(3))
STAY = lookalikes(Random(3))


@pytest.mark.parametrize("kind", FOUND)
def test_credentials_are_found_and_not_repeated(kind: str) -> None:
    text = f"Use this one:\n{FOUND[kind]}"
    (row,) = secrets.curate([Row("q", text)])
    assert row.status == "rejected"
    assert row.reason.startswith("secrets: its answer has a secret (")
    assert not any(word in row.reason for word in FOUND[kind].split() if len(word) > 12)


@pytest.mark.parametrize("text", STAY)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert [row.status for row in secrets.curate([Row("q", text)])] == [""]


def test_prompt_and_metadata_are_searched_and_a_kind_may_be_ignored() -> None:
    asked, hinted, kept = (
        Row(FOUND["github"], "a"),
        Row("q", "a", metadata={"system": FOUND["github"]}),
        Row("q", FOUND["jwt"]),
    )
    assert [row.reason.split(" has")[0] for row in secrets.curate([asked, hinted])] == [
        "secrets: its prompt",
        "secrets: its system",
    ]
    assert [row.status for row in secrets.curate([kept], ignore=("JSON Web Token",))] == [""]


def test_nothing_is_sent_to_verify_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **kwargs: object) -> None:
        raise AssertionError("a request was sent")

    monkeypatch.setattr("requests.sessions.Session.request", refused)
    monkeypatch.setattr("socket.socket.connect", refused)
    assert all(list(find_secrets(text)) for text in FOUND.values())


@pytest.mark.parametrize("part", ["://a:b@", "a", "password = ", "-----BEGIN ", "eyJ", "{'token': "])
def test_a_long_text_takes_no_quadratic_time(part: str) -> None:
    start = time.process_time()
    list(find_secrets(part * (150_000 // len(part))))
    assert time.process_time() - start < 3


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "find_spec", lambda name: None)
    with pytest.raises(SelfsownError, match=r"needs the package detect-secrets, .*'selfsown\[curation\]'"):
        list(secrets.curate([]))


def test_problems_and_programs_have_none() -> None:
    folder = real_data("gsm8k_train_1000.jsonl").parent
    texts = (folder / "gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()
    texts += (folder / "self_instruct_seed_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    with gzip.open(folder / "humaneval.jsonl.gz", "rt", encoding="utf-8") as file:
        texts += [json.loads(line)["canonical_solution"] for line in file]
    assert [text for text in texts if list(find_secrets(text))] == []
