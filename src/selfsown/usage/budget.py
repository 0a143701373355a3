"""Usage so far, and a cap on it: a request that might exceed the cap waits, or is not sent at all."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from selfsown.errors import ExitCode, ModelError
from selfsown.option_types import Positive

Caps = dict[Literal["usd", "tokens", "requests"], Positive]  # as a recipe gives them; usd in dollars
ModelAtHost = tuple[str, str]  # host and name
DEFAULT_REPLY_TOKENS = 1000  # of a reply, before a model has returned any


@dataclass
class Meter:
    """Running totals since the journal was opened. usd: dollars, None once the price of a reply was unknown."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class Reservation(NamedTuple):
    """The most that a request is expected to use: dollars, tokens (input and output), and requests."""

    usd: float
    tokens: int
    requests: int = 1


class Budget:
    """Caps over the lifetime of a folder, all models together. Any thread may use it.

    caps: by usd, tokens or requests. spent_before: until the journal was opened; meter: since then. reply_totals: for
    each model the number of its replies, and their output tokens.
    """

    def __init__(
        self,
        caps: Mapping[str, float],
        spent_before: Meter,
        meter: Meter,
        reply_totals: Mapping[ModelAtHost, tuple[int, int]],
    ) -> None:
        self.caps, self.spent_before, self.meter, self.reply_totals = caps, spent_before, meter, dict(reply_totals)
        self.reserved = dict.fromkeys(caps, 0.0)
        self.in_flight = 0
        self.lock = threading.Lock()
        self.waiting = deque[asyncio.Future[None]]()

    def spent(self, what: str) -> float:
        return (getattr(self.spent_before, what) or 0) + (getattr(self.meter, what) or 0)

    def expected_reply_tokens(self, model: ModelAtHost) -> int:
        """The mean output tokens of a reply of this model; DEFAULT_REPLY_TOKENS before it has returned one."""
        replies, tokens = self.reply_totals.get(model, (0, 0))
        return round(tokens / replies) if replies else DEFAULT_REPLY_TOKENS

    def record_reply(self, model: ModelAtHost, tokens: int | None, usd: float | None) -> None:
        """Count a reply. Raises ModelError where its usage is unknown, so that the caps cannot be kept."""
        known = {"usd": usd, "tokens": tokens, "requests": 1}
        if any(known[what] is None for what in self.caps):
            raise ModelError(
                f"{model[0]} does not report the usage of a reply of {model[1]}, so the budget cannot be enforced; "
                "cap requests instead, such as --set 'budget={requests: 1000}'"
            )
        replies, before = self.reply_totals.get(model, (0, 0))
        self.reply_totals[model] = replies + 1, before + (tokens or 0)

    async def reserve(self, estimate: Callable[[], Reservation]) -> Reservation | None:
        """Wait until the caps allow the request, estimated again after each reply. None where nothing is in flight, and
        the caps still do not allow it."""
        while (allowed := self.reserve_now(need := estimate())) is None:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append(turn)
            if (allowed := self.reserve_now(need := estimate())) is not None:  # something ended meanwhile
                break
            await turn
        return need if allowed else None

    def reserve_now(self, need: Reservation) -> bool | None:
        """Whether the caps allow the request, which then is in flight; None: perhaps once another one has ended."""
        with self.lock:
            if self._exceeded(need, self.reserved):
                return None if self.in_flight else False
            self.in_flight += 1
            for what in self.caps:
                self.reserved[what] += getattr(need, what)
            return True

    def release(self, need: Reservation) -> None:
        """The request has ended; its usage is in the meter."""
        with self.lock:
            self.in_flight -= 1
            for what in self.caps:
                self.reserved[what] = self.reserved[what] - getattr(need, what) if self.in_flight else 0.0
            turns = [self.waiting.popleft() for _ in range(len(self.waiting))]
        for turn in turns:
            turn.get_loop().call_soon_threadsafe(_wake, turn)

    def _exceeded(self, need: Reservation, reserved: Mapping[str, float]) -> list[str]:
        """The caps that the request might exceed."""
        return [w for w, cap in self.caps.items() if self.spent(w) + reserved.get(w, 0) + getattr(need, w) > cap]

    def exceeded_error(self, need: Reservation, left: int, stage: str) -> ModelError:
        """The error that ends the run, with a larger budget that continues it.

        left: requests of this call without a reply.
        """
        short = self._exceeded(need, {})
        needs = {what: left * getattr(need, what) for what in short}
        more = {what: max(2 * cap, self.spent(what) + needs.get(what, 0)) for what, cap in self.caps.items()}
        more |= {what: cap for what, cap in self.caps.items() if what not in short}
        first = (
            ""
            if self.reply_totals
            else f" (each at {DEFAULT_REPLY_TOKENS:,} tokens until the first reply, if max_tokens is not set)"
        )
        needed = " and ".join(format_amount(*amount) for amount in needs.items())
        spent = " and ".join(
            f"{format_amount(w, self.spent(w))} of {format_amount(w, cap)}" for w, cap in self.caps.items()
        )
        return ModelError(
            f"the budget does not cover the next request: {spent} spent; {stage or 'this step'} still "
            f"needs {left:,} replies, about {needed}{first}, and later steps may need more; all replies are stored, "
            "and a larger budget continues the run: "
            f"--set 'budget={{{', '.join(f'{what}: {_plain(what, cap)}' for what, cap in more.items())}}}'",
            code=ExitCode.BUDGET,
        )


def _wake(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def format_amount(what: str, value: float) -> str:
    """Dollars, to a cent or to two digits; or a count with its name."""
    if what != "usd":
        return f"{value:,.0f} {what}"
    if value >= 1 or not value:
        return f"${value:,.2f}"
    return f"${value:.2g}" if value >= 0.0001 else f"${value:.8f}"


def _plain(what: str, cap: float) -> str:
    """As YAML reads it back as a number."""
    return f"{cap:.6f}".rstrip("0").rstrip(".") if what == "usd" else f"{math.ceil(cap)}"
