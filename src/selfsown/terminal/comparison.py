"""A comparison as tables: for a terminal, and the same as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Rows = list[list[str]]  # the first is the heading


def show(found: Mapping[str, Any], console: Console) -> None:
    for title, rows in _tables(found):
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        for at, name in enumerate(rows[0]):
            table.add_column(escape(name), justify="right" if at else "left", overflow="fold")
        for row in rows[1:]:
            table.add_row(*map(escape, row))
        console.print(escape(title), highlight=False, soft_wrap=True)
        console.print(table)
    for line in _lines(found):
        console.print(escape(line), highlight=False, soft_wrap=True)


def markdown(found: Mapping[str, Any]) -> str:
    parts = [f"# {found['recipe']}: {len(found['arms'])} arms, {_seeds(found)}"]
    for title, rows in _tables(found):
        cells = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
        rule = "|---" * len(rows[0]) + "|"
        parts.append("\n".join([f"{title}\n", f"| {cells[0]} |", rule, *(f"| {cell} |" for cell in cells[1:])]))
    parts.append("\n".join(f"- {line}" for line in _lines(found)))
    return "\n\n".join(parts) + "\n"


def _tables(found: Mapping[str, Any]) -> list[tuple[str, Rows]]:
    goal, reference = found["goal"], found["reference"]
    first = [["arm", "last", f"{reference} − arm", "best", "rows kept", "CPU s"]]
    others = [key for key in found["arms"][0]["scores"] if key != goal and _plain(key, goal)]
    second = [["arm", *others]]
    for arm in found["arms"]:
        score, seconds = arm["scores"][goal], arm["cpu_seconds"]
        more = "≥ " if any(arm["lost"]) else ""
        best = f"{sum(score['best']) / len(score['best']):.3f}"
        cpu = f"{more}{sum(seconds) / len(seconds):,.0f}"
        kept = f"{sum(arm['kept']) / len(arm['kept']):,.0f}"
        first.append([arm["name"], _interval(score), _interval(score["difference"], "+"), best, kept, cpu])
        second.append([arm["name"], *(f"{arm['scores'][key]['mean']:.3f}" for key in others)])
    made = [(f"{goal} on held-out real rows: mean over {_seeds(found)}, with 95 % interval", first)]
    if others:
        made.append((f"other scores of the last generation, mean over {_seeds(found)}", second))
    if found["efficiency"]:
        made.append((f"real rows that plain training needs to reach {found['efficiency']['loop']}", _needs(found)))
    if strata := found.get("proof", {}).get("strata"):
        title = f"by stratum: p and verdict by Holm's correction over {len(strata)}, 95 % intervals of each by itself"
        made.append((title, _strata(strata)))
    return made


def _strata(strata: Mapping[str, Mapping[str, Any]]) -> Rows:
    """A verdict on each: the last generations, and the best one of real rows alone."""
    rows = [["stratum", "graded − real", "graded − best of real", "p", "verdict"]]
    for key, each in strata.items():
        gaps = [_interval(gap, "+") for gap in (each, each["stopped"])]
        rows.append([key, *gaps, f"{each['corrected']:.2g}", each["verdict"]])
    return rows


def _needs(found: Mapping[str, Any]) -> Rows:
    """The best of each size, the loop's last, and the ratio."""
    needs = found["efficiency"]
    rows = [["score", *(f"{rows:,}" for rows in needs["rows"].values()), needs["loop"], "needs"]]
    for key, score in needs["scores"].items():
        means = [f"{sum(values) / len(values):.3f}" for values in (*score["curve"].values(), score["loop"])]
        rows.append([key, *means, score["words"]])
    return rows


def _lines(found: Mapping[str, Any]) -> list[str]:
    proof = found.get("proof")
    lines = [proof["headline"], *proof["sentences"]] if proof else list(found["sentences"])
    for arm in found["arms"]:
        for by in dict.fromkeys(guard["by"] for guard in arm["guards"]):
            spoke = [_where(guard) for guard in arm["guards"] if guard["by"] == by]
            lines.append(f"{arm['name']}: {by} spoke in {'; '.join(spoke)}")
    if any(any(arm["lost"]) for arm in found["arms"]):
        lines.append("≥: a run was cut off in a way that hid what it had cost until then")
    return lines + (found["efficiency"]["cost"]["words"] if found["efficiency"] else [])


def _where(guard: Mapping[str, Any]) -> str:
    numbers = guard["generations"]
    return f"generation{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))} of seed {guard['seed']}"


def _plain(key: str, goal: str) -> bool:
    """Sisters of the goal, and scores of all rows: the other strata stand in compare.json."""
    return "[" not in key or ("," not in key and key.startswith(goal.partition("=")[0] + "="))


def _interval(score: Mapping[str, float | None] | None, sign: str = "") -> str:
    if score is None:
        return ""
    if score["low"] is None:
        return f"{score['mean']:{sign}.3f}"
    return f"{score['mean']:{sign}.3f} [{score['low']:{sign}.3f}, {score['high']:{sign}.3f}]"


def _seeds(found: Mapping[str, Any]) -> str:
    n = len(found["seeds"])
    return "one seed" if n == 1 else f"{n} seeds"
