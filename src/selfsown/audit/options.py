"""Options of `selfsown audit`, of which this dataclass is the command line, and of `selfsown dedup`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_SIMILARITY = 0.85  # of rows that are no near-duplicates, as that of `curate: dedup_near`


@dataclass(frozen=True)
class AuditOptions:
    """Columns, attributes, benchmarks and the tolerance of each check.

    Parameters
    ----------
    text
        Column with a whole document. By default the usual names are tried; so they are for a file without this column.
    prompt
        Column with the prompt.
    answer
        Column with the answer.
    real_text
        Column with the document in the real file, if it has another name there.
    benchmark_text
        Column with the question in the benchmark files. By default prompt, question or instruction.
    attribute
        Column to check for bias. occupation+pronoun checks two attributes jointly (columns or lexicon entries).
    lexicon
        YAML file that defines attributes by their values, each a list of words or one regular expression.
    benchmark
        File of test questions, or its address, that no synthetic row may contain.
    sample
        Number of synthetic rows that are compared in full; twice as many real rows are drawn.
    max_tail_loss
        Largest tolerated loss of rare words and word pairs, as a fraction: 0.1 is 10 %.
    max_vendi_loss
        Largest tolerated loss of variety (Vendi score), as a fraction: 0.1 is 10 %.
    max_shift
        Largest tolerated shift of an attribute's shares (total variation), as a fraction: 0.05 is 5 points.
    max_log_odds
        Largest tolerated growth of the log-odds of an attribute's most common value, in units of log-odds.
    max_form_shift
        Largest tolerated shift of text lengths and of text forms (total variation), as a fraction: 0.1 is 10 points.
    max_duplicates
        Largest tolerated excess of duplicate rows over the real rate, as a fraction: 0.02 is 2 points.
    max_copies
        Largest tolerated excess of copies and near copies of real rows, as a fraction: 0.02 is 2 points.
    max_blank
        Largest tolerated excess of blank rows or blank answers, as a fraction: 0.02 is 2 points.
    drop
        Also write the rows that are safe to train on to this file, in the format and with the columns of the input:
        without those that contain a benchmark question, copy a real row, repeat another row or are blank.
    seed
        Seed of every random draw.
    """

    text: str = ""
    prompt: str = ""
    answer: str = ""
    real_text: str = ""
    benchmark_text: str = ""
    attribute: tuple[str, ...] = ()
    lexicon: Path | None = None
    benchmark: tuple[str, ...] = ()
    sample: int = 10_000
    max_tail_loss: float = 0.1
    max_vendi_loss: float = 0.1
    max_shift: float = 0.05
    max_log_odds: float = 0.2
    max_form_shift: float = 0.1
    max_duplicates: float = 0.02
    max_copies: float = 0.02
    max_blank: float = 0.02
    drop: Path | None = None
    seed: int = 0
