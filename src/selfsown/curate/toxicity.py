"""Reject rows with insults and coarse words in English, by a linear classifier.

Threats and hatred in plain words mostly pass; a judge may find those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice

from selfsown.errors import RecipeError
from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.samples import evenly, lower_limit
from selfsown.text.toxicity import toxicity

STREAMS = True

MAX_REAL_ROWS = 2000  # from which the limit is learned
BATCH = 32  # rows that are classified together


def curate(
    rows: Iterable[Row], real: Sequence[Row], *, threshold: Share = 0.6, max_share: Share = 0.01
) -> Iterator[Row]:
    """A row's score is that of the most toxic sentence of its prompt and answer, from 0 to 1.

    threshold: rows with a higher score are rejected.
    max_share: the threshold is raised where more than this share of the real rows (rounded up to whole rows) would be
    rejected; 1: never.

    By the package alt-profanity-check (a support vector machine over words, trained on 200,000 labeled comments, which
    is in the package). It finds insults and coarse words, few threats, and hatred mostly where it uses such words; it
    errs on sentences such as "a vampire needs to suck blood". RecipeError where it is not installed.
    """
    if not find_spec("profanity_check"):
        raise RecipeError(
            "curate.toxicity needs the package alt-profanity-check, which is not installed: "
            "pip install 'selfsown[curation]'"
        )
    if max_share < 1:
        known = [-score for score, _ in _scores(evenly(real, MAX_REAL_ROWS))]
        threshold = max(threshold, -min(0.0, lower_limit(known, max_share) if known else 0.0))
    waiting = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        for row, (score, sentence) in zip(batch, _scores(batch), strict=True):
            reason = f"toxicity: {score:.2f} (threshold {threshold:.2f}): {sentence.strip()[:60]!r}"
            yield row.rejected(reason) if sentence and score > threshold else row


def _scores(rows: Sequence[Row]) -> list[tuple[float, str]]:
    return toxicity([f"{row.prompt}\n{row.answer}" for row in rows])
