"""Reject rows whose text is degraded: repetitive, garbled, cut off, boilerplate, or otherwise unlike the real rows.

Text statistics after Gopher (Rae et al. 2021), C4 (Raffel et al. 2020) and FineWeb (Penedo et al. 2024), and the
likelihood by a small language model, as in CCNet (Wenzek et al. 2020). Their limits are learned from the real rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.quality import CHECKS, DEFINITIONS, Check
from selfsown.text.quality_limits import Limits, learn
from selfsown.text.samples import evenly, lower_limit

STREAMS = True

PARTS = ("prompt", "answer")
MAX_REAL_ROWS = 1000


def curate(
    rows: Iterable[Row], real: Sequence[Row], *, max_share: Share = 0.02, checks: tuple[Check, ...] = CHECKS
) -> Iterator[Row]:
    """A row is judged by how far the statistics of its prompt or answer lie in the outer tenths of the real ones, all
    statistics together, and is rejected if only a few real rows are as unusual; the reason names the most unusual one.

    max_share: the share of the real rows that would be rejected, by all checks together.
    checks: those to make: length, word_length, symbols (share of the characters), characters
    (share of those that are rare in the real rows), common_words (share of words that
    are among the hundred most frequent of the real rows), repeated_lines, repeated_ngrams, compression, ending (how a
    text ends, if the real ones end in few ways), brackets (and quotes and fences without a second one), boilerplate
    (phrases of web pages, placeholders to fill in), likelihood and passage (by a language model of the characters of
    the real rows: of the text, and of its least likely eighty characters). Leave out length where new rows may be
    longer or shorter than the real ones.

    A limit is learned from at most 1000 real rows; with fewer than 40 prompts or answers, those are not checked.
    """
    sample = [(row.prompt, row.answer) for row in evenly(real, MAX_REAL_ROWS)]
    learned, excesses = learn(sample, checks) if sample and checks else ([], [])
    limits = {part: its_limits for part, its_limits in zip(PARTS, learned, strict=False) if its_limits}
    limit = -lower_limit([-excess for excess in excesses], max_share)
    for row in rows:
        reason = next(filter(None, (_reason(part, getattr(row, part), limits[part], limit) for part in limits)), "")
        yield row.rejected(f"quality: {reason}") if reason else row


def _reason(part: str, text: str, limits: Limits, limit: float) -> str:
    finding = limits.judge(text)
    if not finding.check or finding.excess <= limit:
        return ""
    words = DEFINITIONS[finding.check][0]
    return f"{finding.check} of its {part}: {words} is {finding.value:.2f}, in real rows mostly {finding.typical:.2f}"
