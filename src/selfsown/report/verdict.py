"""A run's outcome in plain words: what is proved, what happened on the way, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence

from selfsown.records import Generation, Score
from selfsown.report import lights, words
from selfsown.report.reading import Run
from selfsown.report.words import Outcome
from selfsown.screen import worst

HEADLINES = {
    "better": "It got better.",
    "worse": "It got worse.",
    "no proof": "No proof that it got better.",
}
CHECKED = {"oracle", "execution"}


def outcome(run: Run) -> Outcome:
    """Better if the best generation is, worse if the last that stands is, by intervals that do not overlap."""
    first, best, last = (generation.score(run.goal) for generation in (run.history[0], run.best, run.last))
    if first and best and words.against(first, best) == "better":
        return "better"
    return words.against(first, last) if first and last else "no proof"


def headline(run: Run) -> str:
    if not run.history:
        return "Nothing is measured yet."
    if len(run.history) == 1:
        return "Only the start is measured yet."
    later = run.history[1:]
    standing = [generation for generation in later if generation.stands]
    said = HEADLINES[outcome(run)] if standing else "Every generation was rolled back."
    if light := lights.worst_of(standing or later, len(later)):
        said = f"{said[:-1]}, and {light}."
    if standing and any(worst(generation) == "red" and not generation.stands for generation in later):
        said = f"{said[:-1]}; red was rolled back."
    return said if run.result else f"So far: {said[0].lower()}{said[1:]}"


def sentences(run: Run) -> list[str]:
    """What happened, one plain sentence after the other."""
    if not run.history:
        return ["The run has not finished training on the real rows."]
    first = run.history[0].score(run.goal)
    said = [_scores(run, first)] if first else []
    if len(run.history) > 1:
        said += [each for each in (_guards(run), lights.sentence(run)) if each]
    total = sum(made.total for made in run.made)
    if total:
        kept, spent = sum(made.ended("kept") for made in run.made), sum(float(line["seconds"]) for line in run.log)
        said.append(
            f"From {run.real:,} real rows it wrote {total:,} rows of its own, of which {words.percent(kept, total)} "
            f"were kept{f', in {words.duration(spent)}' if spent else ''}. No new real row was used."
        )
    if not run.result:
        said.append(
            f"This run is not finished: {len(run.history) - 1} of {run.recipe['generations']} generations are done. "
            "It is at work or was stopped; give its command again and it goes on."
        )
    return said


def _scores(run: Run, first: Score) -> str:
    goal, best, last = words.opened(words.named(run.goal)), run.best, run.last
    start = f"{goal}, on {first.n:,} held-out real rows: {words.measured(first)} after training on real rows alone"
    now = best.score(run.goal)
    if len(run.history) == 1 or not now:
        return f"{start}."
    if best.number:
        overlap = "do not overlap" if words.against(first, now) == "better" else "overlap"
        light = f" (light: {worst(best)})" if worst(best) else ""
        after = f" The last that stands, {last.number}, has {words.measured(last.score(run.goal))}."
        return (
            f"{start}, {words.measured(now)} in generation {best.number}, the best that stands{light}. "
            f"The two 95 % intervals {overlap}.{after * (outcome(run) == 'worse')}"
        )
    kept = "What is kept is the model from before any row of its own."
    if not last.number:
        return f"{start}. No later generation stands. {kept}"
    return (
        f"{start}, and no generation that stands did better; the last that stands, {last.number}, has "
        f"{words.measured(last.score(run.goal))}. {kept}"
    )


def _guards(run: Run) -> str:
    refused = [generation for generation in run.history if generation.refusals]
    if not run.recipe.get("guard") and not refused:
        return "No guard watched: the recipe names none."
    if not refused:
        return "No guard refused a generation: all stand."
    told = words.listed([f"generation {g.number} by {' and '.join(words.alarms(g))}" for g in refused])
    if not run.rolls_back:
        return f"Guards raised an alarm, which this recipe does not act on: {told}."
    early = " That ended the run early." if run.result and run.result.get("stuck") else ""
    return f"Rolled back: {told}.{early}"


def facts(run: Run) -> list[tuple[str, str, str]]:
    """A few large numbers: what it is, the number, and a note."""
    found = []
    if run.history and (first := run.history[0].score(run.goal)):
        found.append(_goal_fact(run, first))
    parts = {end: sum(made.ended(end) for made in run.made) for end in ("kept", "rejected", "failed")}
    total = sum(made.total for made in run.made)
    if total:
        note = f"{words.percent(parts['kept'], total)} kept, {words.percent(parts['rejected'], total)} rejected, "
        found.append(("rows written", f"{total:,}", note + f"{words.percent(parts['failed'], total)} failed"))
    if len(run.history) > 1:
        refused = sum(bool(generation.refusals) for generation in run.history)
        found.append(
            (
                "rolled back" if run.rolls_back else "alarms",
                str(refused),
                f"of {words.count(len(run.history) - 1, 'generation')}",
            )
        )
    if run.log:
        spent = sum(float(line["seconds"]) for line in run.log)
        train = words.percent(run.seconds("train"), spent)
        found.append(("time at work", words.duration(spent), f"{train} of it training"))
    return found


def _goal_fact(run: Run, first: Score) -> tuple[str, str, str]:
    told = run.best if run.best.number else run.last
    now = told.score(run.goal)
    if told.number == 0 or not now:
        return (
            words.named(run.goal),
            words.number(first.value),
            f"95 % interval {words.interval(first.low, first.high)}",
        )
    note = f"{words.interval(first.low, first.high)} to {words.interval(now.low, now.high)}"
    return words.named(run.goal), f"{words.number(first.value)} → {words.number(now.value)}", note


def unknown(run: Run) -> list[str]:
    """What a reader might take from the numbers, and must not."""
    said = []
    if run.history and run.best.number:
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
    if run.made:
        said.append(_rests(sorted(set().union(*(made.trust for made in run.made)))))
    return said


def _rests(trust: Sequence[str]) -> str:
    if not trust:
        return "Nobody graded the rows, so how many of the kept ones are wrong is not known."
    if set(trust) <= CHECKED:
        return (
            f"The rows were checked by {words.listed(trust)}. The gain rests on that checker, and is not to be "
            "expected where nobody knows the truth."
        )
    return f"Grades rest on {words.listed(trust)}, not on the truth: how many of the kept rows are wrong is not known."


def spoken(generations: Sequence[Generation]) -> list[list[str]]:
    """What each guard said of each generation."""
    return [
        [str(generation.number), verdict.by, "stands" if verdict.ok else "refused", verdict.reason]
        for generation in generations
        for verdict in generation.verdicts
    ]
