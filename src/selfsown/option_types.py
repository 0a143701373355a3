"""Types of options with their constraints; a recipe with another value is refused before it runs."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise PydanticCustomError("pattern", "a regular expression: {why}", {"why": str(error)}) from error
    return text


Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Level = Annotated[int, Field(ge=1, le=9)]  # one digit
Scale = Annotated[int, Field(ge=2, le=100)]  # the highest of a scale from 1
Pattern = Annotated[str, AfterValidator(_expression)]  # a regular expression
NotNegative = Annotated[float, Field(ge=0)]
Finite = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
GraderMetric = Literal[  # measured by `selfsown calibrate`
    "false_accepts",
    "false_rejects",
    "agreement",
    "kappa",
    "failed",
    "position_bias",
    "length_bias",
    "self_preference",
]
GraderRequirement = Literal[GraderMetric, "attack"]  # attack: measured by `selfsown attack`
