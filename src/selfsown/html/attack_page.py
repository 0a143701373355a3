"""The attack of graders as a self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from selfsown.attack.findings import conclusion, share
from selfsown.attack.results import Attack, GraderAttack, ProbeResult
from selfsown.html import template
from selfsown.html.elements import Fact, Opening, Table
from selfsown.html.formatting import truncate, visible

MAX_CHARS_SHOWN = 300  # of an answer


def write(attack: Attack, path: Path) -> Path:
    """Write the page. SelfsownError: it cannot be written."""
    graders = [{"name": grader.name, "tables": _tables(grader)} for grader in attack.graders if not grader.unmeasured]
    return template.write_page(path, "attack.html", {"opening": _opening(attack), "graders": graders})


def _opening(attack: Attack) -> Opening:
    broken = [grader.name for grader in attack.graders if grader.passed]
    headline = f"Wrong answers passed {', '.join(broken)}" if broken else "No wrong answer passed"
    sentences = [f"{grader.name}: {grader.unmeasured or conclusion(grader)}" for grader in attack.graders]
    facts = [Fact("rows", f"{attack.rows:,}", attack.source)]
    for grader in attack.graders:
        if grader.unmeasured:
            continue
        facts.append(Fact("wrong answers tried", f"{grader.tried:,}", grader.name))
        if grader.worst_probe:
            worst = grader.worst_probe
            facts.append(Fact("accepted most often", f"{worst.hits} of {worst.tried}", f"{grader.name}: {worst.name}"))
    names = ", ".join(grader.name for grader in attack.graders)
    return Opening(
        name=names, description="", folder="", headline=headline, sentences=sentences, facts=facts, limitations=[]
    )


def _tables(grader: GraderAttack) -> list[Table]:
    families = [
        [family, f"{metric.n:,}", f"{round(metric.value * metric.n):,}", share(metric)]
        for family, metric in grader.false_accepts.items()
    ]
    tables = [Table(["family", "tried", "passed", "share and 95 % interval"], families, "Wrong answers by family")]
    if grader.passed:
        rows = [_row(result) for result in sorted(grader.passed, key=lambda result: -result.share)]
        tables.append(Table(_HEAD, rows, "Wrong answers that passed"))
    if refused := [_row(result) for result in grader.right if result.hits]:
        tables.append(Table(_HEAD, refused, "Right answers that were refused"))
    return tables


_HEAD = ["family", "probe", "count", "answer", "known answer", "why"]


def _row(result: ProbeResult) -> list[str]:
    assert result.example
    answer = visible(truncate(result.example.answer, MAX_CHARS_SHOWN)) or "(empty)"
    target = visible(truncate(result.example.target[-MAX_CHARS_SHOWN:], MAX_CHARS_SHOWN))
    return [result.family, result.name, f"{result.hits} of {result.tried}", answer, target, result.reason]
