"""The driver's answers to the calls of its workers: the only process that opens the journal."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import ray

from selfsown.chunks import Work
from selfsown.cluster.mailbox import Answer, Call
from selfsown.files.row_parquet import parquet_bytes
from selfsown.usage.budget import Budget, Reservation
from selfsown.usage.journal import Call as SentRequest
from selfsown.usage.journal import StoredReply

ANSWER_SECONDS = 5.0  # until the last answer is given up
RETRY_SECONDS = 0.2  # between attempts to reach the mailbox
MAX_REMEMBERED = 20_000  # answers, in case a call is repeated


class JournalServer:
    """Answers calls until it is closed. Each method is what workers call, with the worker's name first."""

    def __init__(self, work: Work, mailbox: Any) -> None:
        self.work, self.journal, self.mailbox = work, work.journal, mailbox
        self.real: list[Any] = []  # the reference of the file of real rows, once a worker asks for it
        self.reserved = defaultdict[str, Counter[Reservation]](Counter)  # by worker
        self.rows_finished, self.rows_done = 0, dict[str, float]()  # of partitions that are done; at work, by worker
        self.partitions_done = Counter[str]()  # by worker
        self.lost = set[str]()  # workers, whose last calls may still come
        self.answered: OrderedDict[str, Answer] = OrderedDict()
        self.is_open, self.last_answer = True, list[Any]()
        self.thread = threading.Thread(target=self._serve, name="journal server", daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.is_open = False
        self.thread.join()
        if self.last_answer:
            ray.wait(self.last_answer, timeout=ANSWER_SECONDS)

    def _serve(self) -> None:
        while self.is_open:
            try:
                calls = ray.get(self.mailbox.take.remote())
                if calls:
                    self.last_answer = [self.mailbox.answer.remote(self._answers(calls))]
            except ray.exceptions.RayError:  # its machine is lost, and it starts again elsewhere
                time.sleep(RETRY_SECONDS)

    def _answers(self, calls: Sequence[Call]) -> list[tuple[str, Answer]]:
        answers, writes = dict[str, Answer](), dict[str, Future[None]]()
        for call_id, name, arguments in calls:
            if call_id in self.answered:
                answers[call_id] = self.answered[call_id]
                continue
            try:
                result = getattr(self, name)(*arguments)
                answers[call_id] = (True, None if isinstance(result, Future) else result)
                if isinstance(result, Future):
                    writes[call_id] = result
            except Exception as error:
                answers[call_id] = (False, error)
        for call_id, write in writes.items():
            if problem := write.exception():
                answers[call_id] = (False, problem)
        self.answered |= answers
        while len(self.answered) > MAX_REMEMBERED:
            self.answered.popitem(last=False)
        return list(answers.items())

    def read(self, _: str, keys: Sequence[str]) -> dict[str, str]:
        return self.journal.read(keys)

    def query(self, _: str, query: str, values: Sequence[object]) -> list[tuple[str, ...]]:
        return self.journal.query(query, values)

    def store(self, _: str, replies: Sequence[StoredReply], calls: Sequence[SentRequest]) -> Future[None]:
        return self.journal.store(replies, calls)

    def real_rows(self, _: str) -> list[Any]:
        """The reference of their file, in a list: Ray would replace it with the file."""
        if not self.real:
            self.real = [ray.put(parquet_bytes(self.work.real))]
        return self.real

    def reserve(self, worker: str, need: Reservation) -> bool | None:
        """Whether the budget allows the request; None: perhaps once others have ended."""
        allowed = worker not in self.lost and self._budget.reserve_now(need)
        if allowed:
            self.reserved[worker][need] += 1
        return allowed

    def release(self, worker: str, need: Reservation) -> None:
        if self.reserved[worker][need]:
            self.reserved[worker][need] -= 1
            self._budget.release(need)

    def exceeded(self, _: str, need: Reservation, left: int, stage: str) -> Exception:
        return self._budget.exceeded_error(need, left, stage)

    def progress(self, worker: str, partition: int, rows: float) -> None:
        """So many rows of a worker's partition, counted from 0, have passed all steps."""
        if partition == self.partitions_done[worker]:  # else it comes late
            self.rows_done[worker] = rows
            self._show_progress()

    def finish(self, worker: str, rows: int) -> None:
        """A worker has done its partition of so many rows."""
        self.partitions_done[worker] += 1
        self.rows_done.pop(worker, None)
        self.rows_finished += rows
        self._show_progress()

    def _show_progress(self) -> None:
        self.work.tally.making.done = self.rows_finished + sum(self.rows_done.values())

    def forget(self, worker: str) -> None:
        """Release what a worker that is lost had reserved; its partition is done again."""
        self.lost.add(worker)
        self.rows_done.pop(worker, None)
        for need, count in self.reserved.pop(worker, Counter()).items():
            for _ in range(count):
                self._budget.release(need)

    @property
    def _budget(self) -> Budget:
        assert self.journal.budget
        return self.journal.budget
