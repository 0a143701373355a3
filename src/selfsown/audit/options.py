"""What a user says to `selfsown audit`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wish:
    """Columns, attributes, and what is borne.

    Parameters
    ----------
    text
        The column of a document; the usual names are known, and a file that lacks this one is read by them.
    prompt
        The column of a question.
    answer
        The column of its answer.
    real_text
        The column of a document of the real rows, where it is another.
    examination_text
        The column of a question of the examinations; prompt, question and instruction are known.
    attribute
        Columns in which a bias would show; occupation+pronoun: two together, columns or of the lexicon.
    lexicon
        A YAML file: for each attribute its values, for each of them words or one regular expression.
    examination
        Files of questions that no row may meet.
    sample
        How many synthetic rows are compared in full, and as many real ones twice.
    tails
        How much less of what is rare is borne: 0.1 is 10 %.
    vendi
        How much less variety, by the Vendi score, is borne.
    shift
        How far the shares of an attribute may shift: 0.05 is 5 points.
    odds
        How much the log-odds of its most common value may change.
    form
        How far the shares of lengths and of forms may shift.
    repeats
        How many more rows may be repeated: 0.02 is 2 points.
    copies
        How many more rows may say, at least nearly, what another real row says.
    blank
        How many more rows may say nothing, or nothing after their prompt.
    seed
        Of all that is drawn.
    """

    text: str = ""
    prompt: str = ""
    answer: str = ""
    real_text: str = ""
    examination_text: str = ""
    attribute: tuple[str, ...] = ()
    lexicon: Path | None = None
    examination: tuple[Path, ...] = ()
    sample: int = 10_000
    tails: float = 0.1
    vendi: float = 0.1
    shift: float = 0.05
    odds: float = 0.2
    form: float = 0.1
    repeats: float = 0.02
    copies: float = 0.02
    blank: float = 0.02
    seed: int = 0
