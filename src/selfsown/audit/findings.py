"""What an audit found, in plain words and as plain data; nothing is said that the rows are too few for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from selfsown.audit.alarm_sentences import percent, sentence
from selfsown.audit.attributes import Shares
from selfsown.audit.audit import EXAMPLES, Audit
from selfsown.audit.contamination import Examination
from selfsown.audit.scan import Side, blank, number
from selfsown.audit.text_view import LEAST
from selfsown.records import Signal
from selfsown.signals.measures import MIN_COUNT
from selfsown.signals.reference import AXES
from selfsown.text.overlap import COMMON, SHORT

CODES = {"differs": 4, "nothing": 0, "unsure": 5}
KINDS: dict[str, Callable[[Signal], bool]] = {
    "they copy real rows": lambda each: each.name.startswith("copies"),
    "more of them are blank": lambda each: each.name == "blank rows",
    "they are less varied": lambda each: each.family == "creativity" and not each.name.startswith("copies"),
    "their form or length is another": lambda each: each.family == "form" and each.name != "blank rows",
}


def verdict(found: Audit) -> str:
    """differs, nothing or unsure."""
    if found.alarms or (found.examination and found.examination.met):
        return "differs"
    return "nothing" if found.conclusive else "unsure"


def headline(found: Audit) -> str:
    """All that was found, in a sentence."""
    kinds = [words for words, of in KINDS.items() if any(map(of, found.alarms))]
    biased = [name for name in found.shares if any(_of(each, name) for each in found.alarms)]
    if biased:
        kinds.append(f"their attributes are shifted ({', '.join(biased)})")
    if found.examination and found.examination.met:
        kinds.insert(0, f"{found.examination.met:,} of {found.synthetic.rows:,} meet an examination")
    few = "Too few rows to say anything" + (" else." if kinds else ".")
    if kinds:
        said = f"The synthetic rows differ from the real ones: {'; '.join(kinds)}."
        return f"{said} {few}" if found.few else said
    if found.same:
        return "Both files hold the same rows, so nothing was compared."
    if found.few:
        return few
    return "Nothing differs by more than is borne, " + (
        "and it would have been seen." if found.conclusive else "but some of it could not have been seen."
    )


def _of(alarm: Signal, name: str) -> bool:
    return alarm.family == "bias" and (
        alarm.name == f"shift of {name}" or alarm.name.startswith(f"log-odds of {name}=")
    )


def sentences(found: Audit) -> list[str]:
    """What was found, one thing a sentence."""
    said = [
        f"{_side(found.synthetic, 'synthetic rows')} against {_side(found.real, 'real ones')}.",
        f"{percent(found.repeats[0])} of the synthetic rows are said by another of as many, letter case and spaces "
        f"aside; of the real rows {percent(found.repeats[1])}. Of the synthetic rows {percent(found.copies)} say "
        "exactly what a real row says.",
        f"Middle length: {found.lengths[0]:,.0f} characters, of real rows {found.lengths[1]:,.0f}.",
    ]
    if found.examination:
        said += [
            f"{found.examination.hits[name]:,} rows meet one of {questions:,} questions of {name}: the same words, or "
            "thirteen of them in a row, or all of a shorter question."
            for name, questions in found.examination.asked.items()
        ]
    said += [f"{name} is of numbers; they are taken by tenths of the real ones." for name in found.tenths]
    return said + [sentence(found, each) for each in found.alarms]


def _side(side: Side, rows: str) -> str:
    blank = f", {side.blank:,} of them blank" if side.blank else ""
    return f"{side.rows:,} {rows}{blank} ({side.name}: {', '.join(side.columns)})"


def unknown(found: Audit) -> list[str]:
    """What the rows are too few for, and what no audit sees."""
    said = []
    if found.few:
        said.append(
            f"Variety, bias and form were not compared: it takes {LEAST} synthetic and {2 * LEAST} real rows at "
            f"least, and there are {found.compared} to be set side by side."
        )
    said += [
        f"{each.name}: a difference of {_plain(each.tolerance, each.unit)} could have been missed; with {each.n:,} "
        f"rows on either side {_least(each)} is seen in four cases of five. {_needed(found, rows)}"
        for each, rows in found.blind
    ]
    if found.tailless:
        said.append(
            f"Tails were not compared: real rows say under {MIN_COUNT} kinds of other real rows' rare n-grams again."
        )
    known, there = len(found.real.sample), found.real.rows
    if not found.few and known < there:
        said.append(
            f"Near copies were looked for among {known:,} of {there:,} real rows, so that most may have been missed; "
            "exact copies among all."
        )
    said += [f"{each.name} could not be measured." for each in found.unmeasured]
    if found.same:
        said.append("Both files hold the same rows; compare with other real rows.")
    said += _unasked(found.examination) if found.examination else _NO_EXAMINATION
    said.append("Whether a row is right is not looked at: that is for graders.")
    if not found.shares:
        said.append("No attribute was named, so bias was not looked at: --attribute COLUMN, or --lexicon FILE.")
    return said


def _needed(found: Audit, rows: int) -> str:
    if rows <= min(len(found.synthetic.said), len(found.real.said) // 2):
        return f"The files have rows enough: --sample {rows}."
    return f"It takes {rows:,} rows on either side (twice as many real ones, half of them as a yardstick)."


_NO_EXAMINATION = ["No examination was named, so it was not looked for what its questions say: --examination FILE."]


def _unasked(found: Examination) -> list[str]:
    said = ["Answers of an examination are not looked for, its questions alone."]
    said += [
        f"{name}: not one of its {found.asked[name]:,} questions can be found inside other words."
        for name in found.unsearchable
    ]
    if found.hidden:
        said.append(
            f"{found.hidden:,} of {found.asked.total():,} questions cannot be found inside other words, only as a "
            f"whole row or prompt: they are too short (under {SHORT} words), or all that they say stands in more than "
            f"{COMMON} others, too."
        )
    return said


def method(found: Audit) -> list[str]:
    """How it was found, for who wants to check it."""
    cuts = " (of answers: ".join(
        "whole" if words > 100_000 else f"up to their first {words} words" for words in found.cuts
    ) + ")" * (len(found.cuts) - 1)
    n = found.compared
    return [
        "Exact repeats, copies of real rows, lengths and the examination are of all rows.",
        f"All else is of {n:,} synthetic and {n:,} real rows, drawn at random; as many other real rows say what is "
        "rare and where texts lie.",
        f"Tails (n-grams that those have one to three times; rare words and rare pairs weigh the same) and the Vendi "
        f"score (in the {AXES} leading directions of those rows' TF-IDF) are of the texts {cuts}, so that none says "
        "more for being longer. Rows that nearly say what one of those says are left out of these two, on either "
        "side: a copy has all that is rare in it.",
        "A p is the share of random exchanges of whole rows between both sides that differ as much. Of all p together, "
        "by Holm's correction, one alarm or more is by chance in 5 % of audits.",
        "Rows nearly say the same where they share 80 % of their runs of five characters, or both share them with a "
        "third row; found by MinHash. Of long texts, 512 of these runs are compared.",
    ]


def data(found: Audit) -> dict[str, Any]:
    """The audit as JSON has it; no text of any row, but where it stands."""
    signals = [asdict(each) | {"fires": each.is_alarm} for each in found.signals]
    return {
        "verdict": verdict(found),
        "headline": headline(found),
        "sentences": sentences(found),
        "unknown": unknown(found),
        "rows": {"synthetic": found.synthetic.rows, "real": found.real.rows},
        "blank": {"synthetic": found.synthetic.blank, "real": found.real.blank},
        "repeated": {"synthetic": found.repeats[0], "real": found.repeats[1]},
        "copies_of_real": found.copies,
        "middle_length": {"synthetic": found.lengths[0], "real": found.lengths[1]},
        "examination_hits": found.examination.met if found.examination else None,
        "examinations": _examinations(found.examination) if found.examination else {},
        "shares": {name: _shares(of) for name, of in found.shares.items()},
        "forms": _shares(found.forms),
        "signals": signals,
        "overused": [{"words": p.words, "synthetic": p.synthetic, "real": p.real, "row": p.row} for p in found.phrases],
        "examples": _examples(found),
    }


def _examinations(found: Examination) -> dict[str, dict[str, int]]:
    return {name: {"questions": questions, "hits": found.hits[name]} for name, questions in found.asked.items()}


def _shares(of: Shares) -> dict[str, dict[str, float]]:
    return {value: {"synthetic": ours, "real": theirs} for value, (ours, theirs) in of.items()}


def _examples(found: Audit) -> dict[str, list[Any]]:
    """Synthetic rows that offend, by their number: groups that say nearly the same, and single ones."""
    hits = found.examination.shown if found.examination else []
    return {
        "repeated": [list(each.numbers) for each in found.near],
        "copies": [row for each in found.copied for row in each.numbers],
        "blank": [number(row) for row in found.synthetic.sample if blank(row)][:EXAMPLES],
        "examination": [{"examination": hit.examination, "row": number(hit.row)} for hit in hits],
    }


def _plain(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if unit == "of log-odds" else f"{100 * value:.3g} {unit}"


def _least(signal: Signal) -> str:
    """The smallest change that is seen; a share of more than all there is cannot be."""
    if signal.unit != "of log-odds" and signal.mde >= 1:
        return "not even the whole of it"
    return f"only {_plain(signal.mde, signal.unit)}"
