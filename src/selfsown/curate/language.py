"""Reject rows in other languages than those of the real rows, or than those that are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec

from selfsown.errors import RecipeError
from selfsown.option_types import Share
from selfsown.records import Row
from selfsown.text.languages import NO_LANGUAGE, identify, language_codes, least_probable, segments
from selfsown.text.samples import evenly, lower_limit

STREAMS = True

PARTS = ("prompt", "answer")
MAX_REAL_ROWS = 2000  # from which languages and limits are learned
_OPTION = "curate.language.languages"
CERTAIN = 0.5  # the probability from which a real text counts for a language


def curate(
    rows: Iterable[Row],
    real: Sequence[Row],
    *,
    languages: tuple[str, ...] = (),
    min_probability: Share = 0.05,
    min_language_share: Share = 0.02,
    max_share: Share = 0.01,
) -> Iterator[Row]:
    """Prompt and answer, and each of their paragraphs of sixty letters or more, must be in one of the languages.
    Code, formulas, links and texts of fewer than thirty letters are not judged.

    languages: ISO 639 codes of the languages to keep, such as en or de; empty: those of the real prompts for prompts,
    and those of the real answers for answers; where no real answer can be judged, those of the real prompts, and the
    other way round; where none of either can be, all rows stay.
    min_language_share: the share of the real texts from which a language counts as one of theirs.
    min_probability: a text is rejected if its probability of being in these languages is below this.
    max_share: the limit is lowered where more than this share of the real texts would be rejected.

    By the package py3langid (Lui and Baldwin 2012), whose model is in the package and knows 140 languages. RecipeError
    where it is not installed or does not know a language.
    """
    if not find_spec("py3langid"):
        raise RecipeError(
            "curate.language needs the package py3langid, which is not installed: pip install 'selfsown[curation]'"
        )
    if unknown := [code for code in languages if code not in language_codes()]:
        raise RecipeError(f"{_OPTION}: {unknown[0]!r} is no language code that py3langid knows, such as en, de or zh")
    sample = evenly(real, MAX_REAL_ROWS)
    texts_of = {part: [getattr(row, part) for row in sample] for part in PARTS}
    known_of = {part: languages or _languages(texts, min_language_share) for part, texts in texts_of.items()}
    limits = dict[str, tuple[tuple[str, ...], float]]()
    for part, other in (PARTS, PARTS[::-1]):
        allowed = known_of[part] or known_of[other]
        limits[part] = allowed, min(min_probability, _limit(texts_of[part], allowed, max_share))
    for row in rows:
        reasons = (_reason(part, getattr(row, part), *limits[part]) for part in PARTS)
        reason = next(filter(None, reasons), "")
        yield row.rejected(f"language: {reason}") if reason else row


def _languages(texts: Iterable[str], min_share: float) -> tuple[str, ...]:
    """The languages of so large a share of the texts; of all of them where no language has it."""
    counts = Counter[str]()
    for text in texts:
        if whole := next(segments(text), ""):
            language, probability = next(iter(identify(whole).items()))
            counts[language] += probability >= CERTAIN and language != NO_LANGUAGE
    frequent = [language for language, count in counts.items() if count and count >= min_share * counts.total()]
    return tuple(sorted(frequent or (language for language, count in counts.items() if count)))


def _limit(texts: Iterable[str], allowed: tuple[str, ...], max_share: float) -> float:
    """The probability below which that share of the texts lies; 1 where none can be judged."""
    judged = [least_probable(text, allowed) for text in texts] if allowed else []
    known = [probability for probability, language in judged if language]
    return lower_limit(known, max_share) if known else 1.0


def _reason(part: str, text: str, allowed: tuple[str, ...], limit: float) -> str:
    if not allowed:
        return ""
    probability, language = least_probable(text, allowed)
    if not language or probability >= limit:
        return ""
    return f"its {part} seems to be in {language}; P({' or '.join(allowed)}) = {probability:.3f}, below {limit:.3f}"
