"""The plan as JSON; infinite numbers are null."""

from __future__ import annotations

import math
from dataclasses import asdict

from selfsown.plan.findings import conclusion, warnings
from selfsown.plan.planner import EPOCHS, Plan


def to_json(plan: Plan) -> dict[str, object]:
    """Everything that the plan computed, as plain data."""
    content = asdict(plan) | {
        "feasibility": plan.feasibility,
        "flops": plan.flops,
        "max_effective_tokens": plan.law.max_effective_tokens(plan.real_tokens),
        "risk": asdict(plan.risk),
        "warnings": warnings(plan),
        "conclusion": conclusion(plan),
        "repeats": [
            {"epochs": epochs, "effective_tokens": plan.law.effective_tokens(plan.real_tokens, epochs)}
            for epochs in EPOCHS
        ],
    }
    return {key: _finite(value) for key, value in content.items()}


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
