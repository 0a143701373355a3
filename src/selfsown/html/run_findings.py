"""A run's outcome in plain words: what is proved, what happened on the way, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence

from selfsown.history import monitor_status, worst_status
from selfsown.html import formatting, monitor
from selfsown.html.run_data import Run
from selfsown.records import Generation

CHECKED = {"oracle", "execution"}


def headline(run: Run) -> str:
    if not run.history:
        return "Nothing is measured yet."
    if len(run.history) == 1:
        return "Only the start is measured yet."
    later = run.history[1:]
    standing = [generation for generation in later if generation.accepted]
    said = run.findings.headline()
    if light := monitor.worst_of(standing or later, len(later)):
        said = f"{said[:-1]}, and {light}."
    if standing and any(worst_status(generation) == "red" and not generation.accepted for generation in later):
        said = f"{said[:-1]}; red was rolled back."
    return said if run.result else f"So far: {said[0].lower()}{said[1:]}"


def sentences(run: Run) -> list[str]:
    """What happened, one plain sentence after the other."""
    if not run.history:
        return ["The run has not finished training on the real rows."]
    said = run.findings.sentences()
    if len(run.history) > 1:
        said += [each for each in (_guards(run), monitor.sentence(run)) if each]
    total = sum(made.total for made in run.made)
    if total:
        kept, spent = sum(made.ended("kept") for made in run.made), sum(float(line["seconds"]) for line in run.log)
        said.append(
            f"From {run.real:,} real rows it wrote {total:,} rows of its own, of which {formatting.percent(kept, total)} "
            f"were kept{f', in {formatting.duration(spent)}' if spent else ''}."
        )
    if not run.result:
        said.append(
            f"This run is not finished: {len(run.history) - 1} of {run.recipe['generations']} generations are done. "
            "It is at work or was stopped; give its command again and it goes on."
        )
    return said


def _guards(run: Run) -> str:
    refused = [generation for generation in run.history if generation.rejections]
    if not any(generation.verdicts for generation in run.history):
        return "No guard watched: the recipe names none."
    if not refused:
        return f"No guard refused a generation.{_unmeasured(run)}"
    told = formatting.listed([f"generation {g.number} by {' and '.join(formatting.alarms(g))}" for g in refused])
    if not run.rolls_back:
        return f"Guards raised an alarm, which this recipe does not act on: {told}.{_unmeasured(run)}"
    early = " That ended the run early." if run.result and run.result.get("stuck") else ""
    return f"Rolled back: {told}.{early}{_unmeasured(run)}"


def _unmeasured(run: Run) -> str:
    """Guards of ours that accepted a generation without having measured anything, so that silence is no praise."""
    found: dict[str, list[int]] = {}
    for generation in run.history[1:]:
        for verdict in generation.verdicts:
            if verdict.passed and not verdict.metrics and not monitor_status(verdict) and "." not in verdict.guard:
                found.setdefault(verdict.guard, []).append(generation.number)
    of = len(run.history) - 1
    return "".join(f" {by} measured nothing in {formatting.which(numbers, of)}." for by, numbers in found.items())


def facts(run: Run) -> list[tuple[str, str, str]]:
    """A few large numbers: what it is, the number, and a note."""
    found = []
    if run.history:
        found += _goal_facts(run)
    parts = {end: sum(made.ended(end) for made in run.made) for end in ("kept", "rejected", "failed")}
    total = sum(made.total for made in run.made)
    if total:
        note = f"{formatting.percent(parts['kept'], total)} kept, {formatting.percent(parts['rejected'], total)} rejected, "
        found.append(("rows written", f"{total:,}", note + f"{formatting.percent(parts['failed'], total)} failed"))
    if len(run.history) > 1:
        refused = sum(bool(generation.rejections) for generation in run.history)
        found.append(
            (
                "rolled back" if run.rolls_back else "alarms",
                str(refused),
                f"of {formatting.count(len(run.history) - 1, 'generation')}",
            )
        )
    if run.log:
        spent = sum(float(line["seconds"]) for line in run.log)
        train = formatting.percent(run.seconds("train"), spent)
        found.append(("time at work", formatting.duration(spent), f"{train} of it training"))
    return found


def _goal_facts(run: Run) -> list[tuple[str, str, str]]:
    """The goal at the start and in the reported generation, and beside it the control."""
    found, name = run.findings, formatting.named(run.goal)
    first, after = found.first, found.reported.score(run.goal)
    if not found.reported.number or not after:
        return [(name, formatting.number(first.value), f"95 % interval {formatting.interval(first.low, first.high)}")]
    note = f"{formatting.interval(first.low, first.high)} to {formatting.interval(after.low, after.high)}"
    facts = [(name, f"{formatting.number(first.value)} → {formatting.number(after.value)}", note)]
    control = found.equal_control.score(run.goal) if found.equal_control else None
    if control:
        note = f"{formatting.interval(control.low, control.high)}, after as many training steps"
        facts.append(("control: real rows alone", formatting.number(control.value), note))
    return facts


def origin(run: Run) -> str:
    """What each generation has learned from, and on which rows it is measured."""
    learned = run.findings.learned
    later = "later ones from synthetic rows, too" if learned else "no accepted later one from a synthetic row"
    said = f"Generation 0 has learned from real rows alone, {later}. The held-out rows were set aside before anything"
    if not run.findings.validated:
        return f"{said} else; guards judge by them, the best generation is chosen by them, and they are shown."
    return (
        f"{said} else. By one half of them, the validation rows, guards judge and the best generation is chosen; what "
        "is shown is measured on the other half, the test rows, which decide nothing."
    )


def unknown(run: Run) -> list[str]:
    """What a reader might take from the numbers, and must not."""
    said = []
    if run.history and not run.findings.validated:
        said.append(
            f"The best of {len(run.history)} generations is picked by the same score, on the same held-out rows, that "
            "is reported here; that flatters it."
        )
    said.append(
        f"One run is one seed, here {run.recipe.get('seed', 0)}. How much another seed would differ is not in this "
        "page; intervals are over held-out rows."
    )
    said.append(
        f"The {run.held_out:,} held-out rows come from the same source as the real ones. Nothing is said about other "
        "data."
    )
    if any(made.ended("kept") for made in run.made):
        said.append(_rests(sorted(set().union(*(made.trust for made in run.made))), run.findings.effect == "better"))
    return said


def _rests(trust: Sequence[str], gained: bool) -> str:
    if not trust:
        return "Nobody graded the rows, so how many of the kept ones are wrong is not known."
    if set(trust) <= CHECKED:
        said = f"The rows were checked by {formatting.listed(trust)}."
        gain = " The gain rests on that checker, and is not to be expected where nobody knows the truth."
        return f"{said}{gain}" if gained else said
    return f"Grades rest on {formatting.listed(trust)}, not on the truth: how many of the kept rows are wrong is not known."


def spoken(generations: Sequence[Generation]) -> list[list[str]]:
    """What each guard said of each generation."""
    return [
        [str(generation.number), verdict.guard, "stands" if verdict.passed else "refused", verdict.reason]
        for generation in generations
        for verdict in generation.verdicts
    ]
