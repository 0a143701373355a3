"""When a failed request is sent again, after how many seconds, and when its server is given up."""

from __future__ import annotations

import random
import time

from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.errors import GIVE_UP_SECONDS, RequestError

FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.25, 60.0  # exponential back-off between two attempts


def backoff_seconds(failures: int, retry_after: float = 0.0) -> float:
    """Seconds until the next attempt: what the server asked for, else doubled with each failure; with jitter."""
    if retry_after:
        return retry_after * random.uniform(1, 1.2)
    return min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (min(failures, 10) - 1)) * random.uniform(0.5, 1)


def failed_reply(error: RequestError, attempts: int) -> ParsedReply:
    """The failure of a row whose request has used up its attempts."""
    return ParsedReply("", failure=f"{error.reason}, {'once' if attempts == 1 else f'{attempts} times'}")


class RetryPolicy:
    """How often in a row one call may fail: `retries` times, or for GIVE_UP_SECONDS where the server is only busy."""

    def __init__(self, retries: int) -> None:
        self.retries = retries
        self.attempts = 0
        self.busy_replies = 0
        self.busy_since = 0.0

    def next_wait(self, error: RequestError) -> float:
        """The seconds until the next attempt. Raises the error itself where no further attempt is made."""
        now = time.monotonic()
        if error.busy:
            self.busy_replies += 1
            self.busy_since = self.busy_since or now
            exhausted = now - self.busy_since > GIVE_UP_SECONDS
        else:
            self.attempts += 1
            self.busy_replies, self.busy_since = 0, 0.0
            exhausted = self.attempts >= self.retries
        if error.fatal or error.declined or exhausted or error.retry_after > GIVE_UP_SECONDS:
            raise error
        return backoff_seconds(self.busy_replies if error.busy else self.attempts, error.retry_after)
