"""Credentials of many forms are found; hashes, identifiers, images and placeholders are none.

Every key here is drawn at random and put together from parts, so that no scanner of repositories takes it for one.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import string

import pytest
from realdata import real_data

from selfsown.curate import secrets
from selfsown.records import Row, SelfsownError
from selfsown.text.secrets import find_secrets

RNG = random.Random(3)
ALPHANUMERIC = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def drawn(size: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(RNG.choices(alphabet, k=size))


def encoded(size: int) -> str:
    return base64.b64encode(RNG.randbytes(size)).decode()


def url(password: str, host: str) -> str:
    return "postgres:" + f"//admin:{password}@{host}:5432/shop"


JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890"}', RNG.randbytes(32))
)
FOUND = {
    "aws": "AK" + "IA" + drawn(16, string.ascii_uppercase + "234567"),
    "github": "gh" + "p_" + drawn(36),
    "github, fine-grained": "github" + "_pat_" + drawn(22) + "_" + drawn(59),
    "gitlab": "gl" + "pat-" + drawn(20),
    "openai": "sk" + "-proj-" + drawn(60),
    "anthropic": "sk" + "-ant-api03-" + drawn(80),
    "hugging face": "h" + "f_" + drawn(34, string.ascii_letters),
    "google": "AI" + "za" + drawn(35),
    "slack": "xo" + "xb-" + drawn(12, "123456789") + "-" + drawn(12, "123456789") + "-" + drawn(24),
    "stripe": "sk" + "_live_" + drawn(24),
    "npm": "npm" + "_" + drawn(36),
    "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + drawn(90),
    "jwt": JWT,
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----\n" + encoded(48),
    "pkcs8": "-----BEGIN " + "PRIVATE KEY-----\n" + encoded(48),
    "url": url(drawn(10) + "7", "db.shop.internal"),
    "assigned": f'password = "{drawn(6)}!{drawn(5)}9"',
    "yaml": f"db_password: aB{drawn(12)}7\n",
    "environment": f"export CLIENT_SECRET={drawn(32, HEX)}",
    "header": f"Authorization: Bearer {drawn(40)}",
    "azure": "Account" + "Key=" + encoded(64),
}
STAY = [
    f"The commit {drawn(40, HEX)} fixed it.",
    f"md5: {drawn(32, HEX)}, sha256:{drawn(64, HEX)}",
    "-".join(drawn(size, HEX) for size in (8, 4, 4, 4, 12)),
    "data:image/png;base64,iVBORw0KGgo" + encoded(600),
    f'<script integrity="sha384-{encoded(48)}">',
    f"torch==2.1 --hash=sha256:{drawn(64, HEX)}",
    "ssh-rsa AAAAB3NzaC1yc2E" + encoded(150) + " ann@host",
    "-----BEGIN CERTIFICATE-----\n" + encoded(48),
    "-----BEGIN PUBLIC KEY-----\n" + encoded(48),
    'api_key = "YOUR_API_KEY"',
    "export OPENAI_API_KEY=sk-...",
    'password = os.environ["DB_PASSWORD"]',
    'password = getpass.getpass("Password: ")',
    'password = "password"',
    "password: ********",
    url("password", "example.com"),
    url("${PASSWORD}", "db.shop.internal"),
    'secret = "Santa Claus"',
    "token = tokens[index + 1]",
    'tokenizer = AutoTokenizer.from_pretrained("gpt2")',
    "def check_password(password: str) -> bool:",
    "Never share your password or API key with anyone.",
    f"https://youtu.be/{drawn(11)} and 0x{drawn(40, HEX)}",
    "",
]


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
    asked, hinted, kept = Row(FOUND["github"], "a"), Row("q", "a", metadata={"system": FOUND["github"]}), Row("q", JWT)
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
