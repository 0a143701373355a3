"""Whether refusals are the fault of their rows, or of the request and the account behind all of them."""

from __future__ import annotations

import json
import math
from typing import Any

from selfsown.models.endpoint.api_formats import ParsedReply
from selfsown.models.endpoint.errors import RequestError
from selfsown.models.endpoint.http_client import HttpClient
from selfsown.models.endpoint.request import Connection

MAX_DECLINED_ROWS = (3, 200)  # rows: where all, or so many, are declined and none is answered, the request is to blame
MAX_DECLINED_INPUTS = 20  # the same, where the server blames what was asked
HINT = "a field that the server does not know is left out by extra: {FIELD: null}"
ROW_FIELDS = ("messages", "prompt", "system", "seed")  # what differs from row to row


class RefusalTracker:
    """asks: how many rows there are; bearable: how many in a row may be refused after some were answered."""

    def __init__(self, client: HttpClient, line: Connection, asks: int, bearable: float = math.inf) -> None:
        self.client, self.connection, self.row_count, self.max_in_a_row = client, line, asks, bearable
        self.in_a_row = 0
        self.settings: list[dict[str, Any]] | None = None

    def row_failure(self, body: str, fault: RequestError, answers: int) -> ParsedReply:
        """The failure of a row. Raises SelfsownError where going on is in vain."""
        place = self.connection.base_url, self.connection.account.model
        self.client.declined_rows[place] += 1
        self.in_a_row += bool(fault.fatal_reason)
        if self.in_a_row >= self.max_in_a_row:
            raise self.connection.stop_error(f"{fault.fatal_reason}, for {self.in_a_row} requests in a row", answers)
        few, many = (MAX_DECLINED_INPUTS if fault.is_input_error else MAX_DECLINED_ROWS[0]), min(MAX_DECLINED_ROWS[1], self.row_count)
        if not answers and self.client.declined_rows[place] >= max(few, many) and not self.was_answered_before(body):
            raise self.connection.stop_error(f"answers no request: {fault.reason}; {HINT}")
        return ParsedReply("", failure=fault.reason)

    def was_answered_before(self, body: str) -> bool:
        """Whether a request with the same settings was answered before, as the journal knows."""
        if self.settings is None:
            account, journal = self.connection.account, self.connection.journal
            known = journal.answered_requests(account.host, account.model) if journal else []
            self.settings = [_settings(each) for each in known]
        return _settings(body) in self.settings


def _settings(body: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(body).items() if name not in ROW_FIELDS}
