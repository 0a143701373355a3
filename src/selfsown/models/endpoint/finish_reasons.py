"""Finish reasons: only some of those that a server gives mean a complete answer."""

from __future__ import annotations

import re
from collections.abc import Collection

# In letters alone, without case: the same word is spelled EOS_TOKEN, eosToken and eos-token.
COMPLETE = re.compile(
    r"stop(sequence|token|stringfound)?|eos(token|found)?|end(turn|oftext|ofturn)?|completed?|finish(ed)?|done"
)
TRUNCATED = re.compile(
    r"length|maxtokens?|maxlength|maxoutputtokens|modellength|tokenlimit|maxpredictedtokensreached|incomplete"
    r"|(model)?context(window|length)(exceeded|reached)?"
)
TRANSIENT = re.compile(
    r"error|abort(ed)?|(network|server|internal|connection)error|insufficientsystemresources?|timeout|timelimit"
    r"|cancel(l?ed)?|overloaded|(un|not)finished"
)
WITHHELD = re.compile(
    r"contentfilter(ed)?|(image)?safety|recitation|sensitive|refusal|blocklist|blocked|spii|prohibitedcontent"
    r"|guardrailintervened|errortoxic|moderation"
)
TOOL_CALL = re.compile(r"(unexpected|malformed)?(tool|function)(calls?|use)|pauseturn")


def normalized(end: object) -> str:
    """The reason in lower-case letters alone; "" where there is none."""
    if isinstance(end, dict):
        end = end.get("type")
    if not isinstance(end, str):
        return "" if end is None else f"{end} is not a string"
    letters = re.sub(r"[^a-z]", "", end.lower()).removeprefix("finishreason")
    return "" if letters in ("none", "null", "unspecified") else letters or re.sub(r"\s", "", end)


def is_transient(end: object, accepted: Collection[str] = ()) -> bool:
    """Whether the server interrupted the reply, and may complete it the next time."""
    return bool(TRANSIENT.fullmatch(normalized(end))) and normalized(end) not in accepted


def failure_of(end: object, tokens: int = 0, accepted: Collection[str] = ()) -> str:
    """Why a reply with this finish reason is not a complete answer; "" where it is one.

    tokens: its length, 0 where unknown. accepted: further finish reasons of a complete answer, normalized.
    """
    reason = normalized(end)
    if not reason or COMPLETE.fullmatch(reason) or reason in accepted:
        return ""
    named = str(end.get("type") if isinstance(end, dict) else end)[:50]
    if TRUNCATED.fullmatch(reason):
        return f"truncated at max_tokens{f', {tokens} tokens' if tokens else ''}"
    if WITHHELD.fullmatch(reason):
        return f"withheld by the server ({named})"
    if TOOL_CALL.fullmatch(reason):
        return f"it stopped to call a tool ({named}), and there are no tools here"
    if TRANSIENT.fullmatch(reason):
        return f"the server interrupted it ({named})"
    return f"unknown finish reason {named!r}; if it means a complete answer, set finish_reasons: [{named}]"
