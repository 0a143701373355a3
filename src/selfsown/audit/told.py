"""What an audit found, in plain words and as plain data; nothing is said that the rows are too few for."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from selfsown.audit.measured import LEAST, Audit
from selfsown.records import Signal
from selfsown.signals.light import told
from selfsown.signals.measures import FEW

CODES = {"differs": 4, "nothing": 0, "unsure": 5}
PLAIN = {
    "creativity": "they are less varied",
    "bias": "their attributes are shifted",
    "form": "their form or length is another",
}


def verdict(found: Audit) -> str:
    """differs, nothing or unsure."""
    if found.alarms or (found.examination and found.examination.hits):
        return "differs"
    return "unsure" if found.few or found.blind or found.tailless else "nothing"


def headline(found: Audit) -> str:
    if found.examination and found.examination.hits:
        return f"{found.examination.hits:,} of {found.synthetic.rows:,} synthetic rows meet the examination."
    if found.alarms:
        kinds = [words for family, words in PLAIN.items() if any(each.family == family for each in found.alarms)]
        return f"The synthetic rows differ from the real ones: {' and '.join(kinds)}."
    if found.few:
        return "Too few rows to say anything."
    return "Nothing differs by more than is borne, " + (
        "but some of it could not have been seen." if found.blind or found.tailless else "and it would have been seen."
    )


def sentences(found: Audit) -> list[str]:
    """What was found, one thing a sentence."""
    said = [
        f"{found.synthetic.rows:,} synthetic rows ({found.synthetic.name}) against {found.real.rows:,} real ones "
        f"({found.real.name}).",
        f"{_percent(found.repeats[0])} of the synthetic rows are said by another of as many, letter case and spaces "
        f"aside; of the real rows {_percent(found.repeats[1])}. Of the synthetic rows {_percent(found.copies)} say "
        "what a real row says.",
        f"Middle length: {found.lengths[0]:,.0f} characters, of real rows {found.lengths[1]:,.0f}.",
    ]
    if found.examination:
        said.append(
            f"{found.examination.hits:,} rows meet one of {found.examination.questions:,} questions of the "
            "examination: the same words, or thirteen of them in a row."
        )
    said += [f"{told(each)}, p = {each.p:.3g}." for each in found.alarms]
    return said


def unknown(found: Audit) -> list[str]:
    """What the rows are too few for, and what no audit sees."""
    said = []
    if found.few:
        there = min(len(found.synthetic.sample), len(found.real.sample) // 2)
        said.append(
            f"Variety, bias and form were not compared: it takes {LEAST} synthetic and {2 * LEAST} real rows at "
            f"least, and there are {there} to be set side by side."
        )
    said += [
        f"{each.name}: a difference of {_plain(each.tolerance, each.unit)} could have been missed; with {each.n:,} "
        f"rows on either side {_least(each)} is seen in four cases of five. It takes {needed:,} rows on either side "
        "(twice as many real ones, half of them as a yardstick)."
        for each, needed in found.blind
    ]
    if found.tailless:
        said.append(f"Tails were not compared: real rows say under {FEW} kinds of other real rows' rare n-grams again.")
    said.append("Whether a row is right is not looked at: that is for graders.")
    if not found.shares:
        said.append("No attribute was named, so bias was not looked at: --attribute COLUMN, or --lexicon FILE.")
    return said


def method(found: Audit) -> list[str]:
    """How it was found, for who wants to check it."""
    cut = (
        "whole"
        if found.cut > 100_000
        else f"up to their first {found.cut} words, so that none says more for being longer"
    )
    n = max((each.n for each in found.signals), default=0)
    return [
        "Exact repeats, copies of real rows, lengths and the examination are of all rows.",
        f"All else is of {n:,} synthetic and {n:,} real rows, drawn at random; as many other real rows say what is "
        "rare and where texts lie.",
        f"Tails (n-grams that those have one to three times) and the Vendi score are of the texts {cut}. Rows that one "
        "of those says, too, are left out of these two, on either side: a copy has all that is rare in it.",
        "A p is the share of random exchanges of whole rows between both sides that differ as much. Of all p together, "
        "by Holm's correction, one alarm or more is by chance in 5 % of audits.",
        "Repeated rows: those that share 80 % of their runs of five characters with another, found by MinHash.",
    ]


def data(found: Audit) -> dict[str, Any]:
    """The audit as JSON has it; no text of any row."""
    signals = [asdict(each) | {"fires": each.fires} for each in found.signals]
    return {
        "verdict": verdict(found),
        "headline": headline(found),
        "sentences": sentences(found),
        "unknown": unknown(found),
        "rows": {"synthetic": found.synthetic.rows, "real": found.real.rows},
        "repeated": {"synthetic": found.repeats[0], "real": found.repeats[1]},
        "copies_of_real": found.copies,
        "middle_length": {"synthetic": found.lengths[0], "real": found.lengths[1]},
        "examination_hits": found.examination.hits if found.examination else None,
        "shares": {
            name: {v: {"synthetic": a, "real": b} for v, (a, b) in of.items()} for name, of in found.shares.items()
        },
        "signals": signals,
        "overused": [{"words": p.words, "synthetic": p.synthetic, "real": p.real} for p in found.phrases],
    }


def _plain(value: float, unit: str) -> str:
    return f"{value:.2g} {unit}" if unit == "of log-odds" else f"{100 * value:.2g} {unit}"


def _least(signal: Signal) -> str:
    """The smallest change that is seen; a share of more than all there is cannot be."""
    if signal.unit != "of log-odds" and signal.least >= 1:
        return "not even the whole of it"
    return f"only {_plain(signal.least, signal.unit)}"


def _percent(share: float) -> str:
    return "0 %" if not share else f"{100 * share:.{max(0, 1 - math.floor(math.log10(100 * share)))}f} %"
