"""Numbers as text, and text of rows made safe to display."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from selfsown.records import Generation, Score

OBJECTIVE_EVIDENCE = {"oracle", "execution"}
EVIDENCE_BASIS = {"rule": "rules", "vote": "a vote", "judge": "a judge", "self": "the model itself"}
SCORE_DESCRIPTIONS = {
    "accuracy": "the share of held-out real rows that the model answers correctly",
    "loss": "bits per character of held-out real text",
    "diversity": "the diversity of unconditional samples relative to that of real rows (1)",
    "pass": "the probability that at least one of k sampled answers is correct",
}


def visible(text: str) -> str:
    """The text with a visible symbol in place of each control or format character, such as NUL."""
    return text if text.isprintable() else "".join(map(_visible_char, text))


def _visible_char(letter: str) -> str:
    code = ord(letter)
    if letter in "\n\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return letter  # the joiners are needed by Persian and by emoji
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


def truncate(text: str, max_chars: int) -> str:
    """One line of at most max_chars characters: ↵ marks where a line ended, and an ellipsis that the text is longer."""
    line = text.replace("\n", " ↵ ")
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def integer(value: int) -> str:
    return f"{value:,}"


def percent(part: float, of: float = 1.0) -> str:
    if not of:
        return "–"
    value = 100 * part / of
    text = f"{value:.1f}"
    if value == 0 or value >= 9.5:
        text = f"{value:.0f}"
    elif value < 0.05:
        text = "<\N{NO-BREAK SPACE}0.1"
    return f"{text}\N{NO-BREAK SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def score_with_interval(score: Score | None) -> str:
    return f"{score.value:.3f} {interval(score.low, score.high)}" if score else "–"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def capitalized(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def element_id(key: str) -> str:
    """An id for an element of the page: letters, digits and hyphens, unique for each key."""
    return "".join(letter if letter.isascii() and letter.isalnum() else f"-{ord(letter):x}" for letter in key)


def describe_score(name: str) -> str:
    """What a built-in score measures; "" for a custom one."""
    return SCORE_DESCRIPTIONS.get(name.partition("@")[0], "")


def join_words(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def number_ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, three or more consecutive ones as "2 to 5"."""
    runs: list[list[int]] = []
    for current in numbers:
        if runs and runs[-1][-1] == current - 1:
            runs[-1].append(current)
        else:
            runs.append([current])
    parts: list[str] = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)
    return join_words(parts)


def generations_text(numbers: Sequence[int], of: int) -> str:
    """These of `of` generations: "all 4 generations", "generations 1 and 3"."""
    if len(numbers) == of > 1:
        return "both generations" if of == 2 else f"all {of} generations"
    return f"{'generation' if len(numbers) == 1 else 'generations'} {number_ranges(numbers)}"


def count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def rejecting_guards(generation: Generation) -> list[str]:
    """The guards that triggered in this generation."""
    return list(dict.fromkeys(verdict.guard for verdict in generation.rejections))


def evidence_sentence(evidence: Sequence[str], improved: bool = False) -> str:
    """What the grades rest on, and what does not follow from them. improved: the synthetic rows helped."""
    if not evidence:
        return "No grader graded the rows, so the number of wrong rows among the kept ones is unknown."
    if set(evidence) <= OBJECTIVE_EVIDENCE:
        sentence = f"The rows were checked by {join_words(evidence)}."
        gain = " The gain depends on that check; do not expect it where the correct answer is unknown."
        return f"{sentence}{gain}" if improved else sentence
    return (
        f"Grades rest on {join_words([EVIDENCE_BASIS.get(kind, kind) for kind in evidence])}, not on known answers: "
        "the number of wrong rows among the kept ones is unknown."
    )


def shown_folder(folder: Path) -> str:
    """The folder as a command takes it: from the working directory if it is below it, otherwise its name."""
    here, absolute = Path.cwd(), folder.absolute()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else absolute.name
