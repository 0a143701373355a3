"""The content of the page of a folder of `make` or `preview`: what was made, graded, paid and set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml

from selfsown.cost import Cost, findings, read_cost
from selfsown.html import decontamination
from selfsown.html.damage import damaged_if_unreadable
from selfsown.html.decontamination import DecontaminationSection
from selfsown.html.elements import Bar, Bars, Fact, Opening, Table
from selfsown.html.formatting import capitalized, count, evidence_sentence, integer, join_words, percent, shown_folder
from selfsown.html.row_browser import MAX_ROWS, RowBrowser, row_browser
from selfsown.html.row_counts import STATUSES, GradeCounts, RowCounts, count_rows, sample_rows
from selfsown.intake import SET_ASIDE, Intake
from selfsown.preflight.self_judging import grader_inputs, self_judging
from selfsown.records import Json, Row
from selfsown.run_folder import PREVIEW, RunFolder
from selfsown.text.excerpt import excerpt
from selfsown.usage.budget import format_amount

COLOURS = {"kept": "blue", "rejected": "orange", "failed": "grey"}
MAX_BARS = 20
MAX_SCORES = 12  # different ones, before they are counted in ten ranges
MAX_SET_ASIDE = 20  # rows shown
MAX_CHARS = 120


@dataclass(frozen=True)
class MakePage:
    """What the template make.html is filled with."""

    opening: Opening
    kind: str
    outcomes: Bars | None
    grades: list[Bars]
    grade_note: str
    cost_bars: Bars | None
    usage: Table | None
    cost_sentences: list[str]
    set_aside: Bars | None
    set_aside_rows: Table | None
    browser: RowBrowser | None
    decontamination: DecontaminationSection | None
    recipe: str
    environment: str


@dataclass(frozen=True)
class MadeFolder:
    """A folder of `make` as it is on disk.

    counts: of its rows; those of a preview where `make` has not finished. None where there are neither.
    """

    store: RunFolder
    recipe: Mapping[str, Json]
    is_preview: bool
    counts: RowCounts | None
    rows: Sequence[Row]
    intake: Intake | None
    cost: Cost | None


def content(folder: Path, is_preview: bool = False) -> MakePage:
    """The content of the page. is_preview: of the preview's rows. RunFolderError where the folder is damaged."""
    made = _load(folder, is_preview)
    cost_lines = made.cost.usage_entries if made.cost else []
    usage = Table(findings.COLUMNS, findings.table_rows(made.cost), "Requests to model servers") if made.cost else None
    no_request = ["No model server was asked."]
    return MakePage(
        opening=_opening(made, folder),
        kind="preview of the recipe" if made.is_preview else "data set of the recipe",
        outcomes=_outcomes(made.counts) if made.counts else None,
        grades=[_grade_bars(name, grades) for name, grades in made.counts.grades.items()] if made.counts else [],
        grade_note="Rows by grade, from 0 to 1: blue for kept rows, orange for the others.",
        cost_bars=_cost_bars({f"{line.stage}, {line.role} {line.model}": line.known_usd for line in cost_lines}),
        usage=usage,
        cost_sentences=findings.sentences(made.cost) if made.cost else no_request,
        set_aside=_set_aside(made.intake),
        set_aside_rows=_set_aside_rows(made.store),
        browser=row_browser(made.rows, made.counts.total, shown_folder(folder)) if made.counts else None,
        decontamination=decontamination.section(folder),
        recipe=yaml.safe_dump(dict(made.recipe), sort_keys=False, allow_unicode=True, width=100),
        environment=yaml.safe_dump(made.store.json("environment") or {}, sort_keys=False, allow_unicode=True),
    )


def _opening(made: MadeFolder, folder: Path) -> Opening:
    return Opening(
        name=made.recipe.get("name") or folder.name,
        description=made.recipe.get("description", ""),
        folder=shown_folder(folder),
        headline=_headline(made),
        sentences=_sentences(made),
        facts=_facts(made),
        limitations=_limitations(made, folder),
    )


def _load(folder: Path, is_preview: bool) -> MadeFolder:
    store = RunFolder(folder)
    is_preview = is_preview or not (folder / "rows.parquet").exists()
    path = folder / (f"{PREVIEW}.parquet" if is_preview else "rows.parquet")
    with damaged_if_unreadable(folder / "recipe.yaml"):
        recipe = {**store.recipe()}
    counts, rows = None, list[Row]()
    if path.exists():
        with damaged_if_unreadable(path):
            counts = count_rows(path)
            rows = sample_rows(path, counts, MAX_ROWS)
    with damaged_if_unreadable(folder / "real.json"):
        intake = Intake.of(store)
    rows.sort(key=lambda row: STATUSES.index(row.status))
    return MadeFolder(store, recipe, is_preview and counts is not None, counts, rows, intake, read_cost(folder))


def _headline(made: MadeFolder) -> str:
    """The result in about eight words."""
    spent = _spent(made.cost)
    if not made.counts:
        return f"Not finished: {spent or 'nothing was asked'} so far"
    total, kept = made.counts.total, made.counts.status("kept")
    rows = f"{integer(kept)} of {count(total, 'row')} kept" if kept else f"No row kept of {integer(total)}"
    rows = f"Preview: {rows[:1].lower()}{rows[1:]}" if made.is_preview else rows
    return f"{rows}; {spent} spent" if "$" in spent else rows


def _spent(cost: Cost | None) -> str:
    """Dollars, or where they are not known, the number of requests; "" where no server was asked."""
    if not cost:
        return ""
    in_words = findings.usd_in_words(cost.total)
    return in_words if "$" in in_words else count(cost.total.requests, "request")


def _sentences(made: MadeFolder) -> list[str]:
    sentences = []
    if not made.counts:
        sentences.append(
            "No rows are written yet: make is running, or was stopped. The same command resumes it and "
            "does not pay again for the replies that are in the folder."
        )
    elif made.is_preview:
        sentences.append("These are the rows of the last preview; make does not pay for them again.")
    if made.counts:
        ranked = [(n, cause) for (status, cause), n in made.counts.outcomes().most_common() if status == "rejected"]
        if ranked:
            more = [f"{integer(sum(n for n, _ in ranked[3:]))} by others"] if ranked[3:] else []
            most = join_words([*(f"{integer(n)} by {cause}" for n, cause in ranked[:3]), *more])
            sentences.append(f"Rejected: {most}.")
    return [*sentences, *([f"{made.intake.sentence()}."] if made.intake else [])]


def _facts(made: MadeFolder) -> list[Fact]:
    facts = []
    if made.counts:
        parts = ", ".join(f"{integer(made.counts.status(status))} {status}" for status in STATUSES)
        facts.append(Fact("rows kept", percent(made.counts.status("kept"), made.counts.total), parts))
    if made.cost:
        spent = made.cost.total
        if made.cost.usd_per_kept_row is not None:
            price = format_amount("usd", made.cost.usd_per_kept_row)
            facts.append(Fact("cost of a kept row", price, f"{findings.usd_in_words(spent)} in all"))
        tokens = [f"{number:,} {name}" for number, name in _tokens(spent.input_tokens, spent.output_tokens)]
        facts.append(Fact("requests", integer(spent.requests), ", ".join(tokens)))
    if made.intake:
        facts.append(Fact("real rows used", integer(made.intake.used), f"of {integer(made.intake.read)}"))
    return facts


def _tokens(read: int | None, written: int | None) -> list[tuple[int, str]]:
    named = ((read, "input tokens"), (written, "output tokens"))
    return [(number, name) for number, name in named if number is not None]


def _limitations(made: MadeFolder, folder: Path) -> list[str]:
    """What does not follow from the numbers."""
    if not made.counts:
        return []
    limits = [evidence_sentence(sorted(made.counts.evidence))] if made.counts.status("kept") else []
    own = self_judging(made.recipe, lambda method: grader_inputs(folder, method))
    limits += [f"{capitalized(own)}."] if own else []
    if not made.is_preview:
        limits.append(
            "Whether training on these rows helps is not measured here: prove tests a recipe that trains, and audit "
            "compares the rows with real ones."
        )
    return limits


def _outcomes(counts: RowCounts) -> Bars:
    """Kept, then each reason of rejected and failed rows, the most frequent first."""
    ranked = sorted(counts.outcomes().items(), key=lambda item: (STATUSES.index(item[0][0]), -item[1], item[0]))
    most = max(n for _, n in ranked)
    bars = [
        Bar(f"{status}: {cause}" if cause else status, integer(n), [(n / most, COLOURS[status])])
        for (status, cause), n in ranked[:MAX_BARS]
    ]
    if rest := ranked[MAX_BARS:]:
        n = sum(n for _, n in rest)
        bars.append(Bar(f"{len(rest)} more reasons", integer(n), [(min(1.0, n / most), COLOURS["failed"])]))
    terms = " + ".join(f"{integer(counts.status(status))} {status}" for status in STATUSES)
    return Bars(f"{count(counts.total, 'row')} = {terms}", "status and reason", "rows", bars)


def _grade_bars(grader: str, grades: GradeCounts) -> Bars:
    """The number of rows with each score, or in each tenth if there are many scores."""
    scores = {score for score, _ in grades.scores}
    kept: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for (score, is_kept), n in sorted(grades.scores.items(), reverse=True):
        tenth = min(9, int(10 * score))
        label = f"{score:g}" if len(scores) <= MAX_SCORES else f"{tenth / 10:.1f} to {(tenth + 1) / 10:.1f}"
        (kept if is_kept else others)[label] += n
    labels = dict.fromkeys([*sorted({*kept, *others}, reverse=True)])
    most = max(kept[label] + others[label] for label in labels)
    bars = [
        Bar(
            label,
            _rows_and_kept(kept[label], others[label]),
            [(n / most, colour) for n, colour in ((kept[label], "blue"), (others[label], "orange")) if n],
        )
        for label in labels
    ]
    evidence = join_words(sorted(grades.evidence - {"none"}))
    basis = f", by {evidence}" if evidence and evidence != grader else ""
    caption = f"{grader}{basis}: {count(grades.rows, 'row')}, mean {grades.mean:.2f}"
    return Bars(caption, "grade", "rows", bars)


def _rows_and_kept(kept: int, others: int) -> str:
    """ "480 kept", "120", or "300, 40 kept"."""
    words = [f"{integer(kept)} kept"] if kept else []
    return ", ".join([integer(kept + others), *words] if others else words)


def _cost_bars(usd: Mapping[str, float]) -> Bars | None:
    """Dollars by step; None where no price is known."""
    most = max(usd.values(), default=0.0)
    if not most:
        return None
    bars = [Bar(name, format_amount("usd", value), [(value / most, "purple")]) for name, value in usd.items()]
    return Bars("Cost by step", "step and model", "dollars", bars)


def _set_aside(intake: Intake | None) -> Bars | None:
    causes = {cause: n for cause, n in intake.set_aside.most_common() if n} if intake else {}
    if not causes:
        return None
    most = max(causes.values())
    bars = [Bar(cause, integer(n), [(n / most, "green")]) for cause, n in causes.items()]
    return Bars(f"{count(sum(causes.values()), 'real row')} set aside", "reason", "rows", bars)


def _set_aside_rows(store: RunFolder) -> Table | None:
    """The first rows that were set aside: place, reason and text."""
    if not (store.folder / f"{SET_ASIDE}.parquet").exists():
        return None
    with damaged_if_unreadable(store.folder / f"{SET_ASIDE}.parquet"):
        rows = list(islice(store.stream(SET_ASIDE), MAX_SET_ASIDE))
    lines = [
        [row.source, excerpt(row.reason, MAX_CHARS), excerpt(row.prompt or row.answer, MAX_CHARS) or "(empty)"]
        for row in rows
    ]
    return Table(["place", "reason", "text"], lines, "The first real rows that were set aside") if lines else None
