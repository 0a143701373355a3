"""Uplift as a verdict: the recipe with its synthetic rows against the same training without them, over seeds.

Both arms train for as many steps, from the same real rows, without guards or rollback, and the last generation of each
is measured: nothing is chosen on the held-out rows that are reported. A gain must hold against the best generation of
real rows alone, too.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from selfsown.compare.arms import directions
from selfsown.compare.child_processes import write_whole
from selfsown.compare.experiment import Plan, plan
from selfsown.compare.paired_test import ALPHA, few, improves, judged, paired, uplift, verdict, worded
from selfsown.records import SelfsownError
from selfsown.run_folder import RunFolder
from selfsown.stats.student_t import detectable_errors
from selfsown.terminal import comparison

LEAST = 3  # seeds
WITH, WITHOUT, CONTROL = "graded", "real", "shuffled"
CODES = {"better": 0, "worse": 4, "no proof": 5}
Arms = Mapping[str, Mapping[str, Any]]


def planned(source: str, changes: Sequence[str], seeds: int) -> Plan:
    """The comparison that a proof takes; SelfsownError where it would prove nothing."""
    if seeds < LEAST:
        raise SelfsownError(f"--seeds is {seeds}; a verdict takes {LEAST} at least, better 5")
    changes = [*changes, "guard=[]"]  # nothing is rolled back, so a guard would only take time
    found = plan(source, changes, [WITH, WITHOUT], seeds, [])
    if not found.recipe.generate:
        raise SelfsownError(f"{found.recipe.name} writes no rows (generate is empty): there is no uplift to prove")
    if found.recipe.grade:
        found = plan(source, changes, [WITH, WITHOUT, CONTROL], seeds, [])
    return replace(found, directed=True)


def prove(plan: Plan, folder: Path, compared: dict[str, Any]) -> dict[str, Any]:
    """The verdict on what was compared; it is written into compare.json, for the page, and into table.md."""
    arms = {arm["name"]: arm for arm in compared["arms"]}
    first = RunFolder(plan.runs(folder)[0].folder).generations()[0]
    ours, theirs, goal = arms[WITH]["scores"], arms[WITHOUT]["scores"], plan.recipe.goal
    up = directions(goal, [score for score in first.scores if score.key in ours])
    name = goal.partition("[")[0]
    strata = [key for key in up if key != goal and key.partition("[")[0] == name]
    uplifts = {key: uplift(ours[key], theirs[key], up[key]) for key in [goal, *strata]}
    gap = _judged({goal: uplifts.pop(goal)}, arms[WITH])[goal]
    found = {"goal": goal, "seeds": len(plan.seeds), "verdict": gap["verdict"], "difference": gap}
    found["strata"] = _judged(uplifts, arms[WITH])
    control = paired(ours[goal]["last"], arms[CONTROL]["scores"][goal]["last"]) if CONTROL in arms else None
    found["control"] = control and control | {"better": up[goal]}
    found["headline"] = _headline(plan.recipe.name, gap, few(arms[WITH]))
    found["sentences"] = _sentences(found, arms)
    whole = compared | {"proof": found}
    write_whole(folder / "compare.json", json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    write_whole(folder / "table.md", comparison.markdown(whole))
    return found


def show(found: Mapping[str, Any], compared: Mapping[str, Any], json_wanted: bool) -> None:
    """The verdict on the terminal, under the tables of the comparison; or as JSON, alone."""
    if json_wanted:
        print(json.dumps(found, indent=1))
        return
    comparison.show({**compared, "proof": found}, Console())


def _judged(uplifts: Mapping[str, dict[str, Any]], arm: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each with its verdict; where the arm kept no row, whatever differs is not the synthetic rows' doing."""
    found = judged(uplifts)
    if few(arm) == "none":
        return {key: {**each, "verdict": "no proof"} for key, each in found.items()}
    return found


def _headline(name: str, gap: Mapping[str, Any], rows: str) -> str:
    said = {
        "better": f"Better: the synthetic rows help the recipe {name!r}",
        "worse": f"Worse: the synthetic rows harm the recipe {name!r}",
        "no proof": f"No proof that the synthetic rows help the recipe {name!r}",
    }[gap["verdict"]]
    if rows:
        return f"{said}: {rows} of them was trained on."
    return f"{said}: real rows alone, stopped earlier, did {_alone(gap)}." if _overfitted(gap) else f"{said}."


def _overfitted(gap: Mapping[str, Any]) -> bool:
    """Whether it is only against the last generation of real rows alone that the synthetic rows gain."""
    return bool(gap["verdict"] == "no proof" and gap["p"] <= ALPHA)


def _alone(gap: Mapping[str, Any]) -> str:
    """How real rows alone did at their best."""
    stopped = gap["stopped"]
    return "as well" if stopped["p"] > ALPHA or improves(stopped, gap["better"]) else "better"


def _sentences(found: Mapping[str, Any], arms: Arms) -> list[str]:
    goal, seeds, gap = found["goal"], found["seeds"], found["difference"]
    ours, theirs = arms[WITH]["scores"][goal], arms[WITHOUT]["scores"][goal]
    last, other, best = (statistics.fmean(each) for each in (ours["last"], theirs["last"], theirs["best"]))
    less = ", of which less is better" * (gap["better"] == "lower")
    said = [
        f"{goal} on held-out real rows{less}: {last:.3f} with synthetic rows, {other:.3f} with real rows alone, at as "
        f"many training steps: {worded(gap, gap['better'])} (p = {gap['p']:.2g}; {seeds} seeds, the last generation "
        "of each)."
    ]
    if improves(gap, gap["better"]) and gap["p"] <= ALPHA and theirs["best"] != theirs["last"]:
        told = f"{worded(gap['stopped'], gap['better'])} (p = {gap['stopped']['p']:.2g})"
        said.append(f"Against the best generation of real rows alone, {best:.3f}: {told}.")
    if rows := few(arms[WITH]):
        said.append(
            f"Of its own rows {rows} {_kept(arms[WITH])}: next to nothing is tested, and more seeds do not help."
        )
    elif gap["verdict"] == "no proof" and not (_overfitted(gap) and _alone(gap) == "better"):
        said.append(_more(gap["stopped"] if _overfitted(gap) else gap, seeds))
    if found["control"] and not few(arms[WITH]):
        said.append(_control(found, arms[CONTROL]))
    for word in ("better", "worse"):
        if keys := [key for key, each in found["strata"].items() if each["verdict"] == word]:
            said.append(f"{word.capitalize()} in {', '.join(sorted(keys))} (Holm's correction).")
    return said


def _kept(arm: Mapping[str, Any]) -> str:
    return f"was kept ({statistics.fmean(arm['kept']):,.0f} of {statistics.fmean(arm['made']):,.0f} a run)"


def _control(found: Mapping[str, Any], arm: Mapping[str, Any]) -> str:
    if rows := few(arm):
        return f"Of the control's rows, each with another row's grades, {rows} {_kept(arm)}: it says nothing."
    control = found["control"]
    chosen = {
        "better": f"so {'the gain is by choosing the right ones' if found['verdict'] == 'better' else 'grades count'}",
        "no proof": "so nothing shows that choosing by grades is what counts",
        "worse": "so choosing by grades does harm",
    }[verdict(control, control["p"])]
    return f"Against rows with another row's grades: {worded(control, control['better'])}, {chosen}."


def _more(gap: Mapping[str, Any], seeds: int) -> str:
    """How many seeds would show a difference as large as was seen, in four cases of five."""
    if not gap["spread"]:
        return "Every seed differs by the same, which says nothing of chance: take more held-out rows or more seeds."
    said = (
        f"With {seeds} seeds a difference of {_seen(seeds, gap['spread']):.3g} would have shown in four cases of five."
    )
    if abs(gap["mean"]) < 1e-12:
        return said
    shown = (n for n in range(LEAST, 1001) if _seen(n, gap["spread"]) <= abs(gap["mean"]))
    needed = next(shown, None)
    return f"{said} For one as large as was seen it takes about {needed} seeds." if needed else said


def _seen(seeds: int, spread: float) -> float:
    """The smallest difference that so many seeds show in four cases of five."""
    return detectable_errors(1 - ALPHA / 2, seeds - 1) * spread / math.sqrt(seeds)
