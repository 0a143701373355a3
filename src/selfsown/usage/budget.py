"""What requests took so far, and a cap on it: a request that might pass the cap waits, or is not sent at all."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from selfsown.option_types import Positive
from selfsown.records import SelfsownError

Caps = dict[Literal["usd", "tokens", "requests"], Positive]  # as a recipe says it; money in dollars
ModelAtHost = tuple[str, str]  # host and name
DEFAULT_REPLY_TOKENS = 1000  # tokens of a reply, before a model has given any
SPENT = 3  # the exit code of a run that its budget stopped


@dataclass
class Meter:
    """Running totals. money is in dollars, and None once a reply's price was not known."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class Reservation(NamedTuple):
    """What a request may take at the most, as far as that can be guessed."""

    usd: float
    tokens: int
    requests: int = 1


class Budget:
    """Caps over the life of a folder, all models together; it is used within one event loop.

    before: what was spent until now; now: what is added. usual: how many replies each model has given, and the tokens
    of all of them.
    """

    def __init__(
        self, caps: Mapping[str, float], before: Meter, now: Meter, usual: Mapping[ModelAtHost, tuple[int, int]]
    ) -> None:
        self.caps, self.spent_before, self.meter, self.reply_totals = caps, before, now, dict(usual)
        self.reserved = dict.fromkeys(caps, 0.0)
        self.in_flight = 0
        self.waiting = deque[asyncio.Future[None]]()

    def spent(self, what: str) -> float:
        return (getattr(self.spent_before, what) or 0) + (getattr(self.meter, what) or 0)

    def expected_reply_tokens(self, model: ModelAtHost) -> int:
        """The tokens that a reply of this model is expected to have; many, before it has given one."""
        replies, tokens = self.reply_totals.get(model, (0, 0))
        return round(tokens / replies) if replies else DEFAULT_REPLY_TOKENS

    def record_reply(self, model: ModelAtHost, tokens: int | None, usd: float | None) -> None:
        """A reply came; SelfsownError where nobody can say what it took."""
        known = {"usd": usd, "tokens": tokens, "requests": 1}
        if any(known[what] is None for what in self.caps):
            raise SelfsownError(
                f"{model[0]} does not say what a reply of {model[1]} took, so the budget cannot be kept; "
                "cap the requests instead, such as --set 'budget={requests: 1000}'"
            )
        replies, before = self.reply_totals.get(model, (0, 0))
        self.reply_totals[model] = replies + 1, before + (tokens or 0)

    async def reserve(self, guess: Callable[[], Reservation]) -> Reservation | None:
        """Wait until there is room, guessing anew after each reply; None if there is none although nothing is out."""
        while self._exceeded(need := guess(), self.reserved):
            if not self.in_flight:
                return None
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            await turn
        self.in_flight += 1
        for what in self.caps:
            self.reserved[what] += getattr(need, what)
        return need

    def release(self, need: Reservation) -> None:
        """It is no longer out; what it took is among what was spent."""
        self.in_flight -= 1
        for what in self.caps:
            self.reserved[what] = self.reserved[what] - getattr(need, what) if self.in_flight else 0.0
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _exceeded(self, need: Reservation, reserved: Mapping[str, float]) -> list[str]:
        """The caps that the request might pass."""
        return [w for w, cap in self.caps.items() if self.spent(w) + reserved.get(w, 0) + getattr(need, w) > cap]

    def exceeded_error(self, need: Reservation, left: int, stage: str) -> SelfsownError:
        """Why the run ends here, and how it goes on."""
        short = self._exceeded(need, {})
        asked = {what: left * getattr(need, what) for what in short}
        more = {what: max(2 * cap, self.spent(what) + asked.get(what, 0)) for what, cap in self.caps.items()}
        more |= {what: cap for what, cap in self.caps.items() if what not in short}
        first = (
            ""
            if self.reply_totals
            else f" (each at {DEFAULT_REPLY_TOKENS:,} tokens until one has come, if max_tokens is not set)"
        )
        needed = " and ".join(format_amount(*each) for each in asked.items())
        spent = " and ".join(
            f"{format_amount(w, self.spent(w))} of {format_amount(w, cap)}" for w, cap in self.caps.items()
        )
        return SelfsownError(
            f"the budget has no room for the next request: {spent} are spent; {stage or 'this step'} still "
            f"asks for {left:,} replies, about {needed}{first}, and later steps may ask for more; what was answered is "
            "kept, and a larger budget goes on: "
            f"--set 'budget={{{', '.join(f'{what}: {_plain(what, cap)}' for what, cap in more.items())}}}'",
            code=SPENT,
        )


def format_amount(what: str, value: float) -> str:
    """Dollars, to a cent or to two digits; or a count of what it is."""
    if what != "usd":
        return f"{value:,.0f} {what}"
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.2g}" if value >= 0.0001 else f"${value:.8f}"


def _plain(what: str, cap: float) -> str:
    """As YAML reads it back as a number."""
    return f"{cap:.6f}".rstrip("0").rstrip(".") if what == "usd" else f"{math.ceil(cap)}"
