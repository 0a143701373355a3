"""A talk of several turns: written out as one prompt, and the messages that it was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

Turn = tuple[str, str]  # role, words


def written_out(turns: Sequence[Turn]) -> str:
    """A single user turn as it stands; a longer talk with a line for each turn, which says who speaks."""
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\n".join(f"{role}: {words}" for role, words in turns)


def remembered(turns: Sequence[Turn]) -> dict[str, str]:
    """The trait "messages" of a talk that is longer than its prompt shows for certain."""
    if len(turns) < 2:
        return {}
    messages = [{"role": role, "content": words} for role, words in turns]
    return {"messages": json.dumps(messages, ensure_ascii=False)}


def turns_of(prompt: str, traits: Mapping[str, str]) -> list[Turn]:
    """The turns that the prompt was made of, if the trait still says the same; else a single turn of the user's."""
    try:
        turns = [(each["role"], each["content"]) for each in json.loads(traits.get("messages", "[]"))]
        return turns if written_out(turns) == prompt else [("user", prompt)]
    except (ValueError, TypeError, KeyError, RecursionError):  # a trait of the user's own, of the same name
        return [("user", prompt)]
