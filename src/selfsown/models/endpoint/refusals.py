"""Whether refusals are the fault of their rows, or of the request and the account behind all of them."""

from __future__ import annotations

import json
import math
from typing import Any

from selfsown.models.endpoint.api_formats import Said
from selfsown.models.endpoint.errors import Fault
from selfsown.models.endpoint.http_client import Client
from selfsown.models.endpoint.request import Line

DECLINED = (3, 200)  # rows: where all, or so many, are declined and none is answered, the request is to blame
DECLINED_INPUTS = 20  # the same, where the server blames what was asked
HINT = "a field that the server does not know is left out by extra: {FIELD: null}"
ASKED = ("messages", "prompt", "system", "seed")  # what differs from row to row


class Verdict:
    """asks: how many rows there are; bearable: how many in a row may be refused after some were answered."""

    def __init__(self, client: Client, line: Line, asks: int, bearable: float = math.inf) -> None:
        self.client, self.line, self.asks, self.bearable = client, line, asks, bearable
        self.in_a_row = 0
        self.settings: list[dict[str, Any]] | None = None

    def declined(self, body: str, fault: Fault, answers: int) -> Said:
        """The failure of a row. Raises SelfsownError where going on is in vain."""
        place = self.line.base, self.line.account.model
        self.client.declined[place] += 1
        self.in_a_row += bool(fault.stops)
        if self.in_a_row >= self.bearable:
            raise self.line.stopped(f"{fault.stops}, for {self.in_a_row} requests in a row", answers)
        few, many = (DECLINED_INPUTS if fault.of_input else DECLINED[0]), min(DECLINED[1], self.asks)
        if not answers and self.client.declined[place] >= max(few, many) and not self.ever(body):
            raise self.line.stopped(f"answers no request: {fault.words}; {HINT}")
        return Said("", failure=fault.words)

    def ever(self, body: str) -> bool:
        """Whether a request with the same settings was answered before, as the journal knows."""
        if self.settings is None:
            account, journal = self.line.account, self.line.journal
            known = journal.requests(account.host, account.model) if journal else []
            self.settings = [_settings(each) for each in known]
        return _settings(body) in self.settings


def _settings(body: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(body).items() if name not in ASKED}
