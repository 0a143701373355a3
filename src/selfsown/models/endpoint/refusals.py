"""Whether refusals and failures concern single rows, or the settings, the account or the server of all requests."""

from __future__ import annotations

import json
import math

from selfsown.models import JsonObject
from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.request import Connection, Request
from selfsown.models.endpoint.retry import failed_reply

MAX_IN_A_ROW = 10, 0.05  # rows, or this share of all: where so many are refused or lost, the server is to blame
MAX_DECLINED_ROWS = 3, 200  # where all, or so many, are declined and none is answered, the settings are to blame
MAX_DECLINED_INPUTS = 20  # the same, where the server blames the prompt
HINT = "remove a field that the server does not support with extra: {FIELD: null}"
ROW_FIELDS = ("messages", "prompt", "system", "seed")  # they differ from row to row


def max_in_a_row(rows: int) -> float:
    """How many rows in a row a server that works may refuse or lose, of so many."""
    return max(MAX_IN_A_ROW[0], MAX_IN_A_ROW[1] * rows)


class RefusalTracker:
    """row_count: rows of the call. max_in_a_row: so many refused in a row, or so many lost, end it."""

    def __init__(
        self, client: HttpClient, connection: Connection, row_count: int, max_in_a_row: float = math.inf
    ) -> None:
        self.client, self.connection = client, connection
        self.row_count, self.max_in_a_row = row_count, max_in_a_row
        self.in_a_row = self.lost = 0
        self.settings: list[JsonObject] | None = None

    def row_failure(self, body: str, error: RequestError, answers: int) -> ParsedReply:
        """The failure of a row. Raises ModelError where no request would be answered."""
        model = self.connection.base_url, self.connection.account.model
        self.client.declined_rows[model] += 1
        self.in_a_row += bool(error.fatal_reason)
        if self.in_a_row >= self.max_in_a_row:
            raise self.connection.stop_error(f"{error.fatal_reason}, for {self.in_a_row} requests in a row", answers)
        few, many = (
            (MAX_DECLINED_INPUTS if error.is_input_error else MAX_DECLINED_ROWS[0]),
            min(MAX_DECLINED_ROWS[1], self.row_count),
        )
        if not answers and self.client.declined_rows[model] >= max(few, many) and not self.was_answered_before(body):
            raise self.connection.stop_error(f"rejects every request: {error.reason}; {HINT}")
        return ParsedReply("", failure=error.reason)

    def lost_row(self, request: Request, error: RequestError, answers: int) -> ParsedReply:
        """The failure of a row that was tried often enough. Raises ModelError where too many in a row were."""
        self.lost += 1
        if self.lost >= self.max_in_a_row:
            raise self.connection.give_up_error(error, answers)
        return failed_reply(error, request.attempts)

    def was_answered_before(self, body: str) -> bool:
        """Whether the journal has a reply to a request with the same settings."""
        if self.settings is None:
            account, journal = self.connection.account, self.connection.journal
            known = journal.answered_requests(account.host, account.model) if journal else []
            self.settings = [_settings(request) for request in known]
        return _settings(body) in self.settings


def _settings(body: str) -> JsonObject:
    return {name: value for name, value in json.loads(body).items() if name not in ROW_FIELDS}
