"""The findings of a run as sentences: what is shown, what happened on the way, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence

from selfsown.findings import equal_training
from selfsown.history import monitor_status, worst_status
from selfsown.html import monitor
from selfsown.html.elements import Fact
from selfsown.html.formatting import (
    capitalized,
    count,
    duration,
    evidence_sentence,
    generations_text,
    interval,
    join_words,
    number,
    percent,
    rejecting_guards,
)
from selfsown.html.run_data import RunData
from selfsown.records import Generation


def headline(run: RunData) -> str:
    if not run.history:
        return "Nothing is measured yet."
    if len(run.history) == 1:
        return "Only generation 0 is measured yet."
    sentence = run.findings.headline()
    return sentence if run.result else f"So far: {sentence[0].lower()}{sentence[1:]}"


def status(run: RunData) -> str:
    """The worst monitor status of the result, which stands below the headline; "" where it is green."""
    later = run.history[1:]
    accepted = [generation for generation in later if generation.accepted]
    worst = monitor.headline_status(accepted or later, len(later)) if later else ""
    rolled_back = accepted and any(
        worst_status(generation) == "red" and not generation.accepted for generation in later
    )
    parts = [
        *([worst] if worst else []),
        *([f"{'red' if worst else 'a red generation'} was rolled back"] if rolled_back else []),
    ]
    return f"{capitalized('; '.join(parts))}." if parts else ""


def sentences(run: RunData) -> list[str]:
    """What happened, in order of importance."""
    if not run.history:
        return ["The run has not finished training on the real rows."]
    name = run.score_name(run.goal)
    sentences = [capitalized(_with_goal(sentence, run.goal, name)) for sentence in run.findings.sentences()]
    if len(run.history) > 1:
        sentences += filter(None, (_guard_sentence(run), monitor.status_sentence(run)))
    if run.rows_total:
        kept = percent(run.rows_with("kept"), run.rows_total)
        in_time = f", in {duration(run.seconds())}" if run.seconds() else ""
        sentences.append(
            f"From {run.real:,} real rows it generated {run.rows_total:,} synthetic rows, of which {kept} were kept"
            f"{in_time}."
        )
    if not run.result:
        sentences.append(
            f"This run is not finished: {len(run.history) - 1} of {run.recipe['generations']} generations are done. "
            "It is running or was stopped; repeat its command to resume it."
        )
    return sentences


def _with_goal(sentence: str, goal: str, name: str) -> str:
    """The sentence with the goal's name in words, but not within its command, whose folder may contain the goal."""
    words, colon, command = sentence.partition(": selfsown ")
    return f"{words.replace(goal, name)}{colon}{command}"


def _guard_sentence(run: RunData) -> str:
    rejected = [generation for generation in run.history if generation.rejections]
    if not any(generation.verdicts for generation in run.history):
        return "No guard was run: the recipe has none."
    if not rejected:
        return f"No guard rejected a generation.{_guards_without_metrics(run)}"
    names = [
        f"generation {generation.number} by {' and '.join(rejecting_guards(generation))}" for generation in rejected
    ]
    if not run.rollback:
        return f"Guards raised alarms, without rollback: {join_words(names)}.{_guards_without_metrics(run)}"
    early = " That ended the run early." if run.result and run.result.get("stuck") else ""
    return f"Rolled back: {join_words(names)}.{early}{_guards_without_metrics(run)}"


def _guards_without_metrics(run: RunData) -> str:
    """Built-in guards that accepted a generation without a measurement, which says nothing about the generation."""
    unmeasured: dict[str, list[int]] = {}
    for generation in run.history[1:]:
        for verdict in generation.verdicts:
            custom = "." in verdict.guard
            if verdict.passed and not verdict.metrics and not monitor_status(verdict) and not custom:
                unmeasured.setdefault(verdict.guard, []).append(generation.number)
    total = len(run.history) - 1
    return "".join(
        f" {guard} measured nothing in {generations_text(numbers, total)}." for guard, numbers in unmeasured.items()
    )


def facts(run: RunData) -> list[Fact]:
    """A few numbers in large type."""
    result = _goal_facts(run) if run.history else []
    if run.rows_total:
        shares = [
            f"{percent(run.rows_with(status), run.rows_total)} {status}" for status in ("kept", "rejected", "failed")
        ]
        result.append(Fact("synthetic rows", f"{run.rows_total:,}", ", ".join(shares)))
    if len(run.history) > 1:
        rejected = sum(bool(generation.rejections) for generation in run.history)
        name = "rolled back" if run.rollback else "alarms"
        result.append(Fact(name, str(rejected), f"of {count(len(run.history) - 1, 'generation')}"))
    if run.log:
        training = percent(run.seconds("train"), run.seconds())
        result.append(Fact("run time", duration(run.seconds()), f"{training} of it training"))
    return result


def _goal_facts(run: RunData) -> list[Fact]:
    """The goal at the start and in the reported generation, and beside it the control."""
    findings = run.findings
    name = run.score_name(run.goal)
    first = findings.first
    after = findings.reported.score(run.goal)
    if not findings.reported.number or not after:
        return [Fact(name, number(first.value), f"95 % interval {interval(first.low, first.high)}")]
    note = f"{interval(first.low, first.high)} to {interval(after.low, after.high)}"
    facts = [Fact(name, f"{number(first.value)} → {number(after.value)}", note)]
    control = findings.equal_control.score(run.goal) if findings.equal_control else None
    if came := findings.pretrained:
        facts.append(Fact("the model as it came", number(came.value), f"95 % interval {interval(came.low, came.high)}"))
    if control:
        note = f"{interval(control.low, control.high)}, {equal_training(findings.stops_early)}"
        facts.append(Fact("control: real rows alone", number(control.value), note))
    return facts


def training_data(run: RunData) -> str:
    """What each generation was trained on, and on which rows it is measured."""
    findings = run.findings
    learned = findings.learned
    later = "accepted later ones also on synthetic rows" if learned else "no accepted later one on a synthetic row"
    how = "".join(f" ({summary})" for (number, _), summary in run.trainings.items() if not number)
    trained = "is the model as it came" if findings.untrained else f"was trained on real rows alone{how}"
    sentence = f"Generation 0 {trained}, {later}. The held-out rows were set aside before anything"
    if not run.findings.validated:
        return f"{sentence} else; guards and the choice of the best generation use them, and they are reported."
    return (
        f"{sentence} else. One half of them, the validation rows, is used by guards and to choose the best generation; "
        "the reported scores are measured on the other half, the test rows, which no decision uses."
    )


def limitations(run: RunData) -> list[str]:
    """What does not follow from the numbers."""
    limits = []
    if run.history and not run.findings.validated:
        limits.append(
            f"The best of {len(run.history)} generations is chosen by the same score on the same held-out rows that is "
            "reported here, which overestimates it."
        )
    limits.append(
        f"One run is one seed, here {run.recipe.get('seed', 0)}. This page does not show how much another seed would "
        "differ; intervals are over held-out rows."
    )
    limits.append(
        f"The {run.held_out:,} held-out rows come from the same source as the real ones. The result says nothing about "
        "other data."
    )
    if run.rows_with("kept"):
        evidence = sorted(set().union(*(rows.evidence for rows in run.generated)))
        limits.append(evidence_sentence(evidence, run.findings.effect == "better"))
    return limits


def guard_rows(generations: Sequence[Generation]) -> list[list[str]]:
    """For each generation and guard, the verdict and its reason."""
    return [
        [str(generation.number), verdict.guard, "passed" if verdict.passed else "rejected", verdict.reason]
        for generation in generations
        for verdict in generation.verdicts
    ]
