"""Find credentials in texts: keys and tokens of known forms, private keys, passwords in links and in assignments.

Most forms come from the package detect-secrets, whose detectors are called on strings alone, so nothing is verified
over the network. Forms that it does not know, and assignments of passwords, are here: its own detector of keywords
takes `api_key = "YOUR_API_KEY"` for a secret, and its detectors of entropy take hashes for secrets.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

MIN_ENTROPY = 3.0  # bits a character of an assigned password or token; words and counted-up placeholders have less
URL_PASSWORD = "Basic Auth Credentials"
# Detectors of detect-secrets that are not used: too many other texts look alike; that of npm takes time quadratic in
# the length of a line.
_UNUSED = {"Base64 High Entropy String", "Hex High Entropy String", "Public IP (ipv4)", "Secret Keyword", "NPM tokens"}
_OWN = {
    "GitHub token": r"\bgithub_pat_\w{36,}",
    "OpenAI key": r"\bsk-(?:proj|svcacct|admin)-[\w-]{40,}",
    "Anthropic key": r"\bsk-ant-[\w-]{40,}",
    "Hugging Face token": r"\bhf_[A-Za-z]{34}\b",
    "Google key": r"\bAIza[\w-]{35}(?![\w-])",
    "Google OAuth secret": r"\bGOCSPX-[\w-]{28}(?![\w-])",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{64}\b",
    "Slack token": r"\bxapp-\d-[A-Z0-9]+-\d+-[0-9a-f]{32,}",
    "Stripe key": r"\b[sr]k_live_[A-Za-z0-9]{20,}",
    "GitLab token": r"\bgl(?:pat|dt|rt|cbt|ptt|ft|agent|soat)-[\w-]{20,}",
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*[\w+/=:\\]",
    "bearer token": r"\bauthorization['\"]?\s*[:=]\s*['\"]?(?:bearer|token|basic)\s+(?P<value>[\w.+/=-]{16,})",
}
_NAME = (
    r"[\w.-]{0,40}(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credentials?)[\w-]{0,20}"
)
_ASSIGNED = re.compile(
    rf"\b{_NAME}['\"]?\]?\s{{0,4}}(?:=|:=|:|=>)\s{{0,4}}"
    r"(?:(?P<quote>['\"`])(?P<quoted>[^\s'\"`]{8,200})(?P=quote)|(?P<bare>[^\s'\"`,;(){}\[\]<>$]{12,200})(?=\s|\Z))",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:^|[^a-z])(?:your|my|example|sample|dummy|fake|test|change|changeme|replace|insert|placeholder|redacted|todo|secret"
    r"|password|passwd|passw0rd|token|key|user|none|null|xxx+)(?:[^a-z]|$)|[*•…<>{}$%]|\.\.\.|x{4,}|^(.)\1+$|1234567|abcdef",
    re.IGNORECASE,
)
# Whatever has none of these has no secret; most texts do not.
_CANDIDATE = re.compile(
    r"PRIVATE KEY|hf_|://[^\s/@]+@|passw|passphrase|pwd|secret|token|key|credential|authorization|(?=[\w+/=.:-]{0,60}\d)[\w+/=.:-]{20}",
    re.IGNORECASE,
)
_RESERVED_HOST = re.compile(
    r"@(?:[\w.-]*\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|host(?:name)?|127\.0\.0\.1)(?![\w.-])",
    re.I,
)
_URL = re.compile(r"://[^\s:/@'\"]{0,100}:(?P<password>[^\s/@'\"]{1,200})@[^\s/'\"]{0,200}")


@cache
def _detectors() -> list[tuple[str, BasePlugin]]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    detectors: Mapping[str, Any] = get_mapping_from_secret_type_to_class()
    return [(kind, detectors[kind]()) for kind in detectors if kind not in {*_UNUSED, URL_PASSWORD}]


@cache
def _own() -> list[tuple[str, re.Pattern[str]]]:
    return [(kind, re.compile(pattern, re.I if "bearer" in kind else 0)) for kind, pattern in _OWN.items()]


def find_secrets(text: str) -> Iterator[str]:
    """The kinds of the secrets in the text, such as "AWS Access Key"; the secrets themselves are not given."""
    if not _CANDIDATE.search(text):
        return
    for kind, pattern in _own():
        if any(not _is_placeholder(match.groupdict().get("value", "")) for match in pattern.finditer(text)):
            yield kind
    for kind, detector in _detectors():
        if any(not _is_placeholder(str(value)) for value in detector.analyze_string(text)):
            yield kind
    if any(_is_url_password(match) for match in _URL.finditer(text)):
        yield "password in a link"
    if any(_is_password(match) for match in _ASSIGNED.finditer(text)):
        yield "assigned password or token"


def _is_placeholder(value: str) -> bool:
    return bool(value) and bool(_PLACEHOLDER.search(value))


def _is_url_password(match: re.Match[str]) -> bool:
    """Not of a reserved host, and no placeholder such as `password`."""
    return not (_is_placeholder(match["password"]) or _RESERVED_HOST.search(match[0]))


def _is_password(match: re.Match[str]) -> bool:
    """A value with letters and digits that is no name, path or placeholder; where it is not quoted, one with both
    cases or many digits, since code assigns names of variables."""
    value = match["quoted"] or match["bare"]
    if _PLACEHOLDER.search(value) or entropy(value) < MIN_ENTROPY:
        return False
    digits = sum(char.isdigit() for char in value)
    if not digits or not any(char.isalpha() for char in value) or re.search(r"://|^[./~]|\.\w{1,4}$|\(", value):
        return False
    return bool(match["quoted"]) or digits >= 3 or (digits >= 1 and value.lower() != value != value.upper())


def entropy(value: str) -> float:
    """Shannon's entropy of its characters, in bits a character."""
    return -sum(count / len(value) * math.log2(count / len(value)) for count in Counter(value).values())
