"""The probes, in families: each makes one answer to a problem, which is wrong, or right in another notation."""

from __future__ import annotations

from selfsown.attack.probes import code, data, judges, numbers, replies, right_answers
from selfsown.attack.probes.probe import Probe

WRONG: tuple[Probe, ...] = (
    *numbers.PROBES,
    *replies.PROBES,
    *judges.PROBES,
    *data.PROBES,
    *code.PROBES,
)
RIGHT: tuple[Probe, ...] = right_answers.PROBES
