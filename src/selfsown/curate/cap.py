"""Let no prompt and no parent take too much room: of its rows, only the best stay, as many as the cap allows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from selfsown.option_types import Natural
from selfsown.records import Row


def curate(
    rows: Sequence[Row], seed: int, *, max_per_prompt: Natural = 4, max_per_parent: Natural = 0
) -> Iterator[Row]:
    """At most `prompt` rows to a prompt and `parent` rows of a parent, the best-graded; 0 is no cap.

    Chance decides between equal scores. Documents have no prompt, so no cap on it. Put it after `passed` and
    `duplicates`, or what these reject takes up room.
    """
    room = {"prompt": max_per_prompt, "parent": max_per_parent}
    taken: Counter[tuple[str, str]] = Counter()
    full: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (-row.score, hashlib.sha256(f"{seed} {row.id}".encode()).digest())):
        places = [("prompt", row.prompt)] * bool(max_per_prompt and row.prompt)
        places += [("parent", each) for each in dict.fromkeys(row.parents) if max_per_parent]
        over = next((kind for kind, name in places if taken[kind, name] >= room[kind]), "")
        if over:
            full[row.id] = f"cap: its {over} has {room[over]} others at least as good"
        else:
            taken.update(places)
    for row in rows:
        yield row.rejected(full[row.id]) if row.id in full else row
