"""Uplift as a verdict: the recipe with its synthetic rows against the same training without them, over seeds.

Both arms train for as many steps, from the same real rows, without rollback, and the last generation of each is
measured: nothing is chosen on the held-out rows that are reported.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from selfsown.compare import tables
from selfsown.compare.children import write_whole
from selfsown.compare.plan import Plan, plan
from selfsown.intervals import student
from selfsown.records import SelfsownError
from selfsown.signals.function import above, seen
from selfsown.store import Store

LEAST = 3  # seeds
ALPHA = 0.05
WITH, WITHOUT, CONTROL = "graded", "real", "shuffled"
CODES = {"better": 0, "worse": 4, "no proof": 5}
Verdict = Literal["better", "no proof", "worse"]


def planned(source: str, changes: Sequence[str], seeds: int) -> Plan:
    """The comparison that a proof takes; SelfsownError where it would prove nothing."""
    if seeds < LEAST:
        raise SelfsownError(f"--seeds is {seeds}; a verdict takes {LEAST} at least, better 5")
    found = plan(source, changes, [WITH, WITHOUT], seeds, [])
    if not found.recipe.generate:
        raise SelfsownError(f"{found.recipe.name} writes no rows (generate is empty): there is no uplift to prove")
    return plan(source, changes, [WITH, WITHOUT, CONTROL], seeds, []) if found.recipe.grade else found


def prove(plan: Plan, folder: Path, compared: dict[str, Any]) -> dict[str, Any]:
    """The verdict on what was compared; it is written into compare.json, for the page."""
    arms = {arm["name"]: arm["scores"] for arm in compared["arms"]}
    first = Store(plan.runs(folder)[0].folder).generations()[0]
    up = {score.key: score.better for score in first.scores if score.key in arms[WITH] and score.better != "neither"}
    goal = plan.recipe.goal
    if goal not in up:
        raise SelfsownError(
            f"goal is {goal}, and neither more nor less of it is better: nothing is proved by it. Compare by one of "
            f"{', '.join(up)}: --set goal=…"
        )
    gains = {key: _gain(arms[WITH][key], arms[WITHOUT][key], better) for key, better in up.items()}
    name = goal.partition("[")[0]
    strata = {key: gain for key, gain in gains.items() if key != goal and key.partition("[")[0] == name}
    control = _gain(arms[WITH][goal], arms[CONTROL][goal], up[goal]) if CONTROL in arms else None
    found = {
        "goal": goal,
        "seeds": len(plan.seeds),
        "verdict": _verdict(gains[goal]),
        "gain": gains[goal],
        "strata": _corrected(strata),
        "control": control,
    }
    found["headline"] = _headline(plan, found)
    found["sentences"] = _sentences(found)
    write_whole(folder / "compare.json", _text(compared | {"proof": found}))
    return found


def show(found: Mapping[str, Any], compared: Mapping[str, Any], json_wanted: bool) -> None:
    """The verdict on the terminal, under the tables of the comparison; or as JSON, alone."""
    if json_wanted:
        print(json.dumps(found, indent=1))
        return
    console = Console()
    tables.show(compared, console)
    for line in (found["headline"], *found["sentences"]):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _gain(ours: Mapping[str, Any], theirs: Mapping[str, Any], better: str) -> dict[str, float]:
    """How much better, paired by seed: mean, 95 % interval, the spread over seeds, p of no difference (two-sided)."""
    sign = -1 if better == "lower" else 1
    values = [sign * (one - two) for one, two in zip(ours["last"], theirs["last"], strict=True)]
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    low, high = student(values)
    spread = spread if spread > 1e-12 else 0.0  # all alike, but for rounding
    error = spread / math.sqrt(len(values))
    p = 2 * above(abs(mean) / error, len(values) - 1) if error else 1.0  # no spread, no proof
    return {"mean": mean, "low": low, "high": high, "spread": spread, "p": min(1.0, p)}


def _verdict(gain: Mapping[str, float], alpha: float = ALPHA) -> Verdict:
    if gain["p"] > alpha:
        return "no proof"
    return "better" if gain["mean"] > 0 else "worse"


def _corrected(strata: Mapping[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Each stratum's verdict, by Holm's correction over all of them."""
    found, open_ = dict[str, dict[str, Any]](), True
    for rank, key in enumerate(sorted(strata, key=lambda key: strata[key]["p"])):
        verdict = _verdict(strata[key], ALPHA / (len(strata) - rank)) if open_ else "no proof"
        open_ = verdict != "no proof"
        found[key] = strata[key] | {"verdict": verdict}
    return found


def _headline(plan: Plan, found: Mapping[str, Any]) -> str:
    said = {
        "better": "Better: the synthetic rows help",
        "worse": "Worse: the synthetic rows harm",
        "no proof": "No proof that the synthetic rows help",
    }
    return f"{said[found['verdict']]} {plan.recipe.name}."


def _sentences(found: Mapping[str, Any]) -> list[str]:
    gain, seeds = found["gain"], found["seeds"]
    said = [
        f"{found['goal']} on held-out real rows: {_told(gain)} for the rows of its own, at as many training steps, "
        f"{seeds} seeds, the last generation of each (p = {gain['p']:.2g})."
    ]
    if found["verdict"] == "no proof":
        said.append(_more(gain, seeds))
    if control := found["control"]:
        chosen = {
            "better": "so the gain is by choosing the right ones",
            "no proof": "so nothing shows that choosing by grades is what counts",
            "worse": "so choosing by grades does harm",
        }[_verdict(control)]
        said.append(f"Against rows with another row's grades: {_told(control)}, {chosen}.")
    for verdict in ("better", "worse"):
        if keys := [key for key, each in found["strata"].items() if each["verdict"] == verdict]:
            said.append(f"{verdict.capitalize()} in {', '.join(sorted(keys))} (Holm's correction).")
    if keys := [key for key, each in found["strata"].items() if each["verdict"] == "no proof"]:
        said.append(f"No proof in {', '.join(sorted(keys))}.")
    return said


def _more(gain: Mapping[str, float], seeds: int) -> str:
    """How many seeds would show a difference as large as was seen, in four cases of five."""
    if not gain["spread"]:
        return "Every seed differs by the same, which says nothing of chance: take more held-out rows or more seeds."
    said = (
        f"With {seeds} seeds a difference of {_seen(seeds, gain['spread']):.3g} would have shown in four cases of five."
    )
    if abs(gain["mean"]) < 1e-12:
        return said
    shown = (n for n in range(LEAST, 1001) if _seen(n, gain["spread"]) <= abs(gain["mean"]))
    needed = next(shown, None)
    return f"{said} For one as large as was seen it takes about {needed} seeds." if needed else said


def _seen(seeds: int, spread: float) -> float:
    """The smallest difference that so many seeds show in four cases of five."""
    return seen(1 - ALPHA / 2, seeds - 1) * spread / math.sqrt(seeds)


def _told(gain: Mapping[str, float]) -> str:
    return f"{gain['mean']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
