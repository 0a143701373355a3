"""Samples in the journal of a run, so that a run which was killed does not sample them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from selfsown.models.hf.sampling import Request, Samples, Sampling
from selfsown.usage.journal import Journal


class StoredSamples:
    """The stored samples of some requests. weights: the identity of the model's weights. Without a journal, none."""

    def __init__(self, journal: Journal | None, weights: str, requests: Sequence[Request], sampling: Sampling) -> None:
        self.journal = journal
        how = (weights, sorted(sampling.ends), sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed)
        self.keys = [
            hashlib.sha256(repr((how, place, list(request.tokens), request.n, request.max_new)).encode()).hexdigest()
            for place, request in enumerate(requests)
        ]

    def read(self) -> dict[int, Samples]:
        """The samples that are stored, by the index of their request."""
        replies = self.journal.read(self.keys) if self.journal else {}
        return {place: json.loads(replies[key]) for place, key in enumerate(self.keys) if key in replies}

    def write(self, place: int, samples: Samples) -> None:
        """Store the samples of one request."""
        if self.journal:
            self.journal.store_reply(self.keys[place], "", json.dumps(samples))
