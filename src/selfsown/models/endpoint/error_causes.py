"""Whom a refusal blames, by its words: the account, the day's limit, or what was asked."""

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
_EMPTY = re.compile(f"{_MONEY}|{_STATE}", re.IGNORECASE)  # where a quota may be one of the minute
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


def is_account_error(words: str, asked: str = "", *, quota: bool = True) -> bool:
    """Whether the account is meant, so that no request will be answered.

    asked: the request, whose own words do not count where the server repeats them; quota: whether one that is used up
    will not be there again in a minute.
    """
    kind = _ACCOUNT if quota else _EMPTY
    return any(not _quoted(words, found, asked) for found in kind.finditer(words))


def is_daily_limit(words: str) -> bool:
    """Whether a limit for the day is reached, and none for less."""
    return bool(_DAY.search(words) and _LIMIT.search(words) and not _MINUTE.search(words))


def is_short_limit(words: str) -> bool:
    """Whether a limit is meant that is soon over, whatever it is called."""
    return bool(_SOON.search(words) or _MINUTE.search(words)) and "insufficient_quota" not in words


def is_input_error(words: str) -> bool:
    """Whether what was asked is meant, and nothing else."""
    return bool(_INPUT.search(words))


def _quoted(words: str, found: re.Match[str], asked: str) -> bool:
    """Whether the request has these words itself, together with the one before or the one after."""
    core, whole = _plain(found[0]), f" {_plain(_unescaped(asked))} "
    if not core.isascii():  # these languages are written without spaces
        return core in whole
    before, after = _plain(words[: found.start()]).split()[-1:], _plain(words[found.end() :]).split()[:1]
    return any(f" {' '.join(each)} " in whole for each in ([*before, core], [core, *after]))


def _unescaped(body: str) -> str:
    """The body of a request without what JSON writes otherwise than it is."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), body)
    return re.sub(r"\\[nrtbf]", " ", text)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
