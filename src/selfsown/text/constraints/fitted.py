"""A demonstration's answer for other parameters of its constraint, where a simple change keeps them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from selfsown.text.constraints.constraint import Constraint
from selfsown.text.constraints.parts import lines, sentences


def fitted_answer(answer: str, shown: Constraint, required: Constraint) -> str | None:
    """The answer that keeps `shown`, changed to keep `required`, which is of the same kind; None where no change does.

    A dictated word or phrase is exchanged, keys of JSON are renamed, and lines or sentences are left out.
    """
    return next((text for text in _candidates(answer, shown, required) if not required.violation(text)), None)


def _candidates(answer: str, shown: Constraint, required: Constraint) -> Iterator[str]:
    yield answer
    for name, value in required.parameters.items():
        before = shown.parameters[name]
        if isinstance(value, str):
            yield value.join(re.split(rf"(?<!\w){re.escape(before)}(?!\w)", answer))
        elif isinstance(value, int):
            yield "\n".join(lines(answer)[:value])
            yield " ".join(sentences(answer)[:value])
        elif answer.startswith("{"):
            yield json.dumps(dict(zip(value, json.loads(answer).values(), strict=False)), ensure_ascii=False)
