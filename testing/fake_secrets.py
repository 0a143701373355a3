"""Made-up credentials in the forms of real ones, and texts that only look like credentials.

All are drawn at random and put together from parts, so that no scanner of repositories takes this file for a leak.
"""

from __future__ import annotations

import base64
import string
from random import Random

ALPHANUMERIC = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def credentials(draw: Random) -> dict[str, str]:
    """One text of each kind."""

    def drawn(size: int, alphabet: str = ALPHANUMERIC) -> str:
        return "".join(draw.choices(alphabet, k=size))

    def encoded(size: int) -> str:
        return base64.b64encode(draw.randbytes(size)).decode()

    jwt = ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=")
        for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890"}', draw.randbytes(32))
    )
    return {
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
        "npm, configured": "//registry.example.org/:_auth"
        + "Token="
        + drawn(8, HEX)
        + "-4a0c-4b1d-9e2f-"
        + drawn(12, HEX),
        "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + drawn(90),
        "jwt": jwt,
        "private key": "-----BEGIN " + "RSA PRIVATE KEY-----\n" + encoded(48),
        "pkcs8": "-----BEGIN " + "PRIVATE KEY-----\n" + encoded(48),
        "url": _url(drawn(10) + "7", "db.shop.internal"),
        "assigned": f'password = "{drawn(6)}!{drawn(5)}9"',
        "yaml": f"db_password: aB{drawn(12)}7\n",
        "environment": f"export CLIENT_SECRET={drawn(32, HEX)}",
        "header": f"Authorization: Bearer {drawn(40)}",
        "azure": "Account" + "Key=" + encoded(64),
    }


def lookalikes(draw: Random) -> list[str]:
    """Hashes, identifiers, images, public keys, placeholders and code."""

    def drawn(size: int, alphabet: str = ALPHANUMERIC) -> str:
        return "".join(draw.choices(alphabet, k=size))

    def encoded(size: int) -> str:
        return base64.b64encode(draw.randbytes(size)).decode()

    return [
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
        _url("password", "example.com"),
        _url("${PASSWORD}", "db.shop.internal"),
        'secret = "Santa Claus"',
        "token = tokens[index + 1]",
        'tokenizer = AutoTokenizer.from_pretrained("gpt2")',
        "def check_password(password: str) -> bool:",
        "Never share your password or API key with anyone.",
        f"https://youtu.be/{drawn(11)} and 0x{drawn(40, HEX)}",
        "",
    ]


def _url(password: str, host: str) -> str:
    return "postgres:" + f"//admin:{password}@{host}:5432/shop"
