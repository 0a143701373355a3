"""Each alarm of an audit in plain words, for who does not read tables."""

from __future__ import annotations

import math

from selfsown.audit.attributes import Shares
from selfsown.audit.audit import Audit
from selfsown.records import Signal

SAID = {
    "tails lost": "Rare words{where}: {far} fewer kinds of rare words and pairs of words are still said.",
    "Vendi score lost": "Variety{where}: texts lie in {far} fewer directions, in effect.",
    "repeated rows": "Repeats: {ours} of the rows are said by another row, at least nearly; of real rows {theirs}.",
    "repeated answers": "Repeats: {ours} of the answers are given to another prompt, too, at least nearly; of real "
    "answers {theirs}.",
    "copies of real rows": "Copies: {ours} of the rows say what a real row says, at least nearly; of real rows "
    "{theirs} say what another one says.",
    "copies of real answers": "Copies: {ours} of the answers are those of real rows, at least nearly; of real rows "
    "{theirs} are answered as another one is.",
    "blank rows": "Blank: {ours} of the rows say nothing, or nothing after their prompt; of real rows {theirs}.",
}


def sentence(found: Audit, alarm: Signal) -> str:
    """What the alarm says, in words and with what it takes of numbers."""
    name, _, where = alarm.name.partition(" in ")
    far = percent(alarm.value)
    if alarm.family == "bias":
        return _bias(found, alarm)
    if name in SAID:
        ours, theirs = (percent(each) for each in found.so.get(name, (0.0, 0.0)))
        return SAID[name].format(far=far, where=f" in {where}" if where else "", ours=ours, theirs=theirs)
    like = "to be like real ones"
    if alarm.name == "shift of length":
        return f"Length: {far} of the rows would have to be of another length, {like}."
    return f"Form: {far} of the rows would have to be written in another form, {like}; {_changes(found.forms)}."


def _bias(found: Audit, alarm: Signal) -> str:
    for name, shares in found.shares.items():
        if alarm.name == f"shift of {name}":
            return f"{name}: the share of {_changes(shares)}."
        for value, (ours, theirs) in shares.items():
            if alarm.name == f"log-odds of {name}={value}":
                return (
                    f"{name}: the share of {value}, the most common one, {_moved(ours, theirs)}; its odds are "
                    f"{math.exp(alarm.value):.2g} times those among real rows."
                )
    return f"{alarm.name}."


def _changes(shares: Shares) -> str:
    """The values whose share changed the most, three of them."""
    order = sorted(shares.items(), key=lambda each: -abs(each[1][0] - each[1][1]))
    return ", ".join(f"{value} {_moved(*each)}" for value, each in order[:3] if each[0] != each[1])


def _moved(ours: float, theirs: float) -> str:
    return f"{'grew' if ours > theirs else 'fell'} from {percent(theirs)} to {percent(ours)}"


def percent(share: float) -> str:
    if not share:
        return "0 %"
    return f"{100 * share:.{max(0, 1 - math.floor(math.log10(100 * share)))}f} %"
