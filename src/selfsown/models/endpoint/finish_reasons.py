"""What the reason means that a server gives for the end of a reply: only some are the end of a whole answer."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

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


def normalized(end: Any) -> str:
    """The reason in letters alone; nothing where none is given."""
    if isinstance(end, dict):
        end = end.get("type")
    if not isinstance(end, str):
        return "" if end is None else f"{end} is no text"
    letters = re.sub(r"[^a-z]", "", end.lower()).removeprefix("finishreason")
    return "" if letters in ("none", "null", "unspecified") else letters or re.sub(r"\s", "", end)


def is_transient(end: Any, accepted: Collection[str] = ()) -> bool:
    """Whether the server broke the reply off, and may not do so the next time."""
    return bool(TRANSIENT.fullmatch(normalized(end))) and normalized(end) not in accepted


def failure_of(end: Any, tokens: int = 0, accepted: Collection[str] = ()) -> str:
    """Why a reply that ended so is no whole answer; nothing where it is one.

    tokens: how long it is, 0 where nobody knows; accepted: further reasons that a whole answer ends with, plain.
    """
    found = normalized(end)
    if not found or COMPLETE.fullmatch(found) or found in accepted:
        return ""
    named = str(end.get("type") if isinstance(end, dict) else end)[:50]
    if TRUNCATED.fullmatch(found):
        return f"cut off at its longest{f', {tokens} tokens' if tokens else ''}"
    if WITHHELD.fullmatch(found):
        return f"withheld by the server ({named})"
    if TOOL_CALL.fullmatch(found):
        return f"it stopped to call a tool ({named}), which nobody answers here"
    if TRANSIENT.fullmatch(found):
        return f"the server broke it off ({named})"
    return f"its end {named!r} is not known as that of a whole answer; if it is one: finish_reasons: [{named}]"
