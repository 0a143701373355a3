"""How toxic an English text is, by the linear classifier of the package alt-profanity-check.

It was trained on 200,000 comments that people labeled as clean or not, and is in the package. It knows words and not
what they mean together: insults and coarse words are found, threats and hatred in plain words mostly are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CHARACTERS = 20_000  # of a text that are read
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@cache
def _classifier() -> Callable[[list[str]], Any]:
    from profanity_check import predict_prob

    return predict_prob  # type: ignore[no-any-return]


def toxicity(texts: Sequence[str]) -> list[tuple[float, str]]:
    """Of each text, the probability that its most toxic sentence is toxic, and that sentence; (0, "") if it is empty.

    Sentences are judged one by one, since an insult does not stand out in a long text.
    """
    sentences = [
        [part for part in _SENTENCE_END.split(text[:MAX_CHARACTERS]) if part and not part.isspace()] for text in texts
    ]
    every = list(chain.from_iterable(sentences))
    scores = iter([float(score) for score in _classifier()(every)] if every else [])
    return [max(((next(scores), part) for part in parts), default=(0.0, "")) for parts in sentences]
