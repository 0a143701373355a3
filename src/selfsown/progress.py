"""What is being worked on and how much of it is done: a tree of steps, which the terminal draws if anybody watches.

    with progress.step("reading rows", total=1000, unit="rows") as reading:
        reading.done += 1

    for step in progress.track(steps):
        ...

Reporting is an addition and draws nothing. Steps within steps refine the share of the outer one. A step that begins on
another thread is shown if that thread works on a `portion` of one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Spending(Protocol):
    """What model servers cost so far. usd: dollars; None where a price is unknown."""

    requests: int
    usd: float | None


@dataclass
class Step:
    """A piece of work.

    total: how many parts it has; 0 where that is unknown. unit: what is counted, such as rows; without one, the parts
    are steps of their own. collected: what fills up meanwhile; its items are done. spending: of the whole command.
    portions: of it that are being worked on.
    seconds_left: where the work itself estimates how long it still takes; otherwise that follows from its share.
    """

    name: str = ""
    total: int = 0
    unit: str = ""
    done: float = 0
    collected: Sized = ()
    inner: Step | None = None
    outer: Step | None = None
    spending: Spending | None = None
    portions: list[Portion] = field(default_factory=list)
    seconds_left: Callable[[], float | None] | None = None

    @property
    def share(self) -> float | None:
        """How much is done, from 0 to 1; None where that is unknown."""
        inside = self.inner.share if self.inner else None
        if not self.total:
            return inside
        if self.unit:  # what is within may be a whole batch of them
            return min(1.0, max(self.count / self.total, inside or 0.0))
        return min(1.0, (self.count + (inside or 0.0)) / self.total)

    @property
    def count(self) -> float:
        """How many parts are done."""
        with _adding:
            return self.done + len(self.collected) + sum(portion.done for portion in self.portions)

    @contextmanager
    def portion(self, parts: float) -> Iterator[None]:
        """Work on the present thread that is so many of the parts: the steps within it say how much of it is done."""
        with watched() as root:
            portion = Portion(root, parts)
            with _adding:
                self.portions.append(portion)
            try:
                yield
                portion.is_done = True
            finally:
                with _adding:
                    self.portions.remove(portion)
                    self.done += parts * portion.is_done

    @property
    def chain(self) -> list[Step]:
        """This step and those within it, the innermost last."""
        return [self, *(self.inner.chain if self.inner else ())]


@dataclass(eq=False)
class Portion:
    """So many parts of a step, on a thread of their own. root: of the steps there."""

    root: Step
    parts: float
    share: float = 0.0  # the most so far: a second step within begins again at 0
    is_done: bool = False

    @property
    def done(self) -> float:
        self.share = max(self.share, self.root.share or 0.0)
        return self.parts * self.share


_adding = threading.RLock()
_current: ContextVar[Step | None] = ContextVar("step", default=None)


@contextmanager
def watched() -> Iterator[Step]:
    """The root of the steps that begin inside this context."""
    before, root = _current.get(), Step()
    _current.set(root)
    try:
        yield root
    finally:
        _current.set(before)


@contextmanager
def step(name: str = "", total: int = 0, unit: str = "") -> Iterator[Step]:
    """A step within the current one; whoever does the work adds to `done`."""
    outer = _current.get()
    new = Step(name, total, unit, outer=outer)
    if outer is None:
        yield new
        return
    _current.set(new)
    outer.inner = new
    try:
        yield new
    finally:
        outer.inner = None
        if _current.get() is new:  # a generator that was left early may close in another order
            _current.set(outer)


def track(items: Iterable[Item], name: str = "", total: int = 0, unit: str = "") -> Iterator[Item]:
    """The items, one by one, as a step that counts them."""
    with step(name, total or (len(items) if isinstance(items, Sized) else 0), unit) as counted:
        for item in items:
            yield item
            counted.done += 1


def spend(spending: Spending) -> None:
    """From now on, show what model servers cost."""
    current = _current.get()
    while current and current.outer:
        current = current.outer
    if current:
        current.spending = spending
