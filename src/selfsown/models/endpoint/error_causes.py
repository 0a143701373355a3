"""The cause of a refusal, by its message: the account, a daily limit, or the prompt."""

from __future__ import annotations

import re

_MONEY = (
    r"insufficient[ _-]?(account |user |token )?(quota|funds?|balance|credits?)|credits? balance|balance (is )?(too low"
    r"|not enough|insufficient|exhausted|negative|empty)|(out of|no|not enough|more|purchase|buy|remaining|any|lack of)"
    r" credits?\b|credits? (limit|(are |is |has been |have been )?(exhausted|depleted|used up|expired|too low))|billing"
    r"|payment.?required|overdue|arrear|good standing|(add|update) (a |your )?(valid )?(payment|credit card)"
    r"|hard.?limit.{0,9}reached|(spend|spending|usage|monthly|budget) limit|余额不足|欠费|额度不足"
)
_STATE = (
    r"(account|organi[sz]ation|workspace|project|subscription|api.?key)\b.{0,40}\b(suspended|disabled|deactivated"
    r"|terminated|blocked|banned|flagged|revoked|expired|not active|inactive|invalid|not valid)"
)
_QUOTA = r"exceeded.{0,20}\bquota|quota.{0,20}(exceeded|exhausted|not enough|used up)|no quota"
_ACCOUNT = re.compile(f"{_MONEY}|{_STATE}|{_QUOTA}", re.IGNORECASE)
_EMPTY = re.compile(f"{_MONEY}|{_STATE}", re.IGNORECASE)  # without quotas, which may be per minute
_DAY = re.compile(r"per[-_ ]?day|\bdaily\b|dailylimit|\b[RT]PD\b|每日|每天", re.IGNORECASE)
_LIMIT = re.compile(r"limit|quota|exceed|exhaust|限", re.IGNORECASE)
_MINUTE = re.compile(r"per[-_ ]?(minute|second|hour)|\b[RT]PM\b", re.IGNORECASE)
_SOON = re.compile(r"(try|retry)( again)? (in|after)|retrydelay|rate.?limit|concurren", re.IGNORECASE)
_INPUT = re.compile(
    r"moderat|flagged|content.?(filter|manag|polic|violat|inspect)|guardrail|safety|harm|inappropriate|offensive"
    r"|sensitive|prohibited|usage polic|violat|(your|the|this|user) (input|prompt|message|text|content|query)"
    r"|inspection|敏感|违规|不安全|context.{0,9}(length|size|window)|too (long|large|many tokens)"
    r"|input (token|data|text)|maximum.{0,20}tokens",
    re.IGNORECASE,
)


def is_account_error(message: str, request: str = "", *, quota: bool = True) -> bool:
    """Whether the account is the cause, so that no request will be answered.

    request: its body, whose own words do not count where the server quotes them. quota: whether an exhausted quota
    counts; it does not where it may be one per minute.
    """
    pattern = _ACCOUNT if quota else _EMPTY
    return any(not _is_quoted(message, match, request) for match in pattern.finditer(message))


def is_daily_limit(message: str) -> bool:
    """Whether a daily limit is reached, and none for a shorter time."""
    return bool(_DAY.search(message) and _LIMIT.search(message) and not _MINUTE.search(message))


def is_short_limit(message: str) -> bool:
    """Whether the cause is a limit that soon ends, whatever its name."""
    return bool(_SOON.search(message) or _MINUTE.search(message)) and "insufficient_quota" not in message


def is_input_error(message: str) -> bool:
    """Whether the prompt is the cause."""
    return bool(_INPUT.search(message))


def _is_quoted(message: str, match: re.Match[str], request: str) -> bool:
    """Whether the request has these words itself, together with the word before or after them."""
    core, whole = _plain(match[0]), f" {_plain(_unescaped(request))} "
    if not core.isascii():  # these languages are written without spaces
        return core in whole
    before, after = _plain(message[: match.start()]).split()[-1:], _plain(message[match.end() :]).split()[:1]
    return any(f" {' '.join(words)} " in whole for words in ([*before, core], [core, *after]))


def _unescaped(body: str) -> str:
    """The body of a request without JSON's escape sequences."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), body)
    return re.sub(r"\\[nrtbf]", " ", text)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
