"""The verdict of an audit and its headline, which names every kind of problem, the worst first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from selfsown.audit.audit import Audit
from selfsown.errors import ExitCode
from selfsown.records import Signal

Verdict = Literal["differs", "no_difference", "inconclusive"]
EXIT_CODES: dict[Verdict, ExitCode] = {
    "differs": ExitCode.FAILED,
    "no_difference": ExitCode.OK,
    "inconclusive": ExitCode.INCONCLUSIVE,
}
MAX_ATTRIBUTES = 2  # named in the headline; of more, their number
# A kind of problem, then in the headline: the worst of them with its number, and each of the others.
_KINDS = {
    "copies of real rows": ("copies", "{} copies of real rows", "copies"),
    "copies of real answers": ("copies", "{} copies of real answers", "copied answers"),
    "duplicate rows": ("duplicates", "{} duplicates", "duplicates"),
    "duplicate answers": ("duplicates", "{} repeated answers", "repeated answers"),
    "tails lost": ("variety", "{} of rare words gone", "less variety"),
    "Vendi score lost": ("variety", "{} less variety", "less variety"),
    "blank rows": ("blank", "{} blank rows", "blank rows"),
    "shift of length": ("length", "{} of lengths off", "other lengths"),
    "shift of form": ("form", "{} of forms off", "other forms"),
}


def verdict(audit: Audit) -> Verdict:
    """Whether any check raised an alarm; if none did, whether all of them had the power to."""
    if audit.alarms or (audit.benchmarks and audit.benchmarks.matched_rows):
        return "differs"
    return "no_difference" if audit.conclusive else "inconclusive"


def headline(audit: Audit) -> str:
    """The verdict in one short sentence: the number of the worst problem, and the name of each other one."""
    if problems := _problems(audit):
        start = "Unlike the real rows" if _only_form(audit) else "Not safe to train on"
        return f"{start}: {', '.join(problems)}"
    if audit.same_rows:
        return "Both files hold the same rows, so nothing was compared."
    if audit.too_few_rows:
        return "Too few rows to compare."
    if audit.conclusive:
        return "No problem found."
    if weak := audit.underpowered:
        signal = max((signal for signal, _ in weak), key=lambda signal: signal.mde / signal.tolerance)
        size = f"a {100 * signal.tolerance:g}-point " if signal.name.startswith("shift") else "a difference in "
        return f"No problem found, but too few rows to rule out {size}{signal_label(signal)}"
    return f"No problem found, but {'; '.join(_obstacles(audit))}."


def ranked(audit: Audit) -> list[Signal]:
    """Every signal, worst first: alarms of copies, other alarms by multiples of their tolerance, those of length and
    form last of them; then the rest."""
    return sorted(
        audit.signals,
        key=lambda signal: (
            not signal.is_alarm,
            not signal.name.startswith("copies"),
            signal.is_alarm and _is_form(signal),
            -signal.value / signal.tolerance if math.isfinite(signal.value) else math.inf,
        ),
    )


def signal_label(signal: Signal) -> str:
    """The name of a signal for a reader: log-odds are those of one value, and only their growth is an alarm."""
    kind, _, value = signal.name.partition("=")
    if not value or not kind.startswith("log-odds of "):
        return signal.name
    return f"growth of {value} in {kind.removeprefix('log-odds of ')} (log-odds)"


def log_odds_note(signals: Sequence[Signal]) -> str:
    """What a row of log-odds measures, which differs from the shift beside it; "" where there is none."""
    if not any(signal.name.startswith("log-odds of ") for signal in signals):
        return ""
    return (
        "Shift: how far the shares of all values have moved, up or down. Growth: whether the real rows' most common "
        "value has become more common still; where it has become rarer, only the shift can be an alarm."
    )


def worst_rate(audit: Audit, signal: Signal) -> float:
    """The number for a problem: of duplicates and copies the larger of the exact ones in all rows and of those in the
    sample, which include near ones; the share or the difference otherwise."""
    sampled = audit.rates.get(signal.name, (signal.value, 0.0))[0]
    exact = {"duplicate rows": audit.duplicate_rates[0], "copies of real rows": audit.copy_rate}
    return max(sampled, exact.get(signal.name, 0.0))


def percent(share: float) -> str:
    """Two significant digits, at least whole percents."""
    if not share:
        return "0 %"
    return f"{100 * share:.{max(0, 1 - math.floor(math.log10(100 * share)))}f} %"


def _problems(audit: Audit) -> list[str]:
    """Each kind of problem once, worst first, leaked test questions before all else; the worst with its number."""
    problems = dict[str, str]()
    if audit.benchmarks and audit.benchmarks.matched_rows:
        rows = audit.benchmarks.matched_rows
        problems["leaks"] = f"{rows:,} leaked test {'question' if rows == 1 else 'questions'}"
    shifted = _shifted_attributes(audit)
    for alarm in ranked(audit):
        if not alarm.is_alarm:
            continue
        if alarm.family == "bias":
            problems.setdefault("bias", _shifted(shifted))
            continue
        name = alarm.name.partition(" in ")[0]
        kind, worst, other = _KINDS.get(name, (name, f"{name} {{}}", name))
        problems.setdefault(kind, other if problems else worst.format(percent(worst_rate(audit, alarm))))
    return list(problems.values())


def _shifted_attributes(audit: Audit) -> list[str]:
    names = list(audit.attribute_shares)
    alarms = [alarm for alarm in ranked(audit) if alarm.is_alarm and alarm.family == "bias"]
    return list(dict.fromkeys(name for alarm in alarms for name in names if is_about(alarm, name)))


def _shifted(attributes: Sequence[str]) -> str:
    if len(attributes) > MAX_ATTRIBUTES:
        return f"shifted balance of {len(attributes)} attributes"
    return f"shifted {' and '.join(attributes)} balance"


def is_about(alarm: Signal, attribute: str) -> bool:
    """Whether a signal is about an attribute."""
    return alarm.family == "bias" and (
        alarm.name == f"shift of {attribute}" or alarm.name.startswith(f"log-odds of {attribute}=")
    )


def _is_form(signal: Signal) -> bool:
    """Whether a signal is of lengths or forms, whose difference alone does not make rows unsafe."""
    return signal.family == "form" and signal.name != "blank rows"


def _only_form(audit: Audit) -> bool:
    return all(map(_is_form, audit.alarms)) and not (audit.benchmarks and audit.benchmarks.matched_rows)


def _obstacles(audit: Audit) -> list[str]:
    """Why the absence of alarms is not conclusive."""
    obstacles = []
    checks = len(audit.signals) + audit.tail_unmeasurable
    if weak := len(audit.underpowered):
        obstacles.append(f"{weak} of {checks} checks lack the power to detect one")
    if unmeasured := len(audit.unmeasured) + audit.tail_unmeasurable:
        obstacles.append(f"{unmeasured} of {checks} checks could not be measured")
    if audit.benchmarks and audit.benchmarks.unsearchable:
        obstacles.append(f"no question of {', '.join(audit.benchmarks.unsearchable)} is long enough to search for")
    return obstacles
