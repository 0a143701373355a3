"""Numbers and verdicts in plain words, and text of rows made safe to look at."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from selfsown.records import Generation, Score

ABOUT = {
    "accuracy": "the share of held-out real rows that are answered right",
    "loss": "bits per character of held-out real text",
    "diversity": "how varied the model writes when left to itself; 1 is as varied as real rows are",
    "pass": "the chance that at least one of so many sampled answers is right",
}
Outcome = Literal["better", "worse", "no proof"]


def visible(text: str) -> str:
    """The text with a sign in the place of each character that would act and not be seen, such as NUL."""
    return text if text.isprintable() else "".join(map(_seen, text))


def _seen(letter: str) -> str:
    code = ord(letter)
    if letter in "\n\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return letter  # the joiners are needed by Persian and by emoji
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


def cut(text: str, most: int) -> str:
    """One line of at most so many characters, the last an ellipsis where there were more."""
    line = text.replace("\n", "␊")
    return line if len(line) <= most else line[: most - 1] + "…"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def whole(value: int) -> str:
    return f"{value:,}"


def percent(part: float, of: float = 1.0) -> str:
    if not of:
        return "–"
    value = 100 * part / of
    shown = (
        f"{value:.0f}" if value == 0 or value >= 9.5 else f"{value:.1f}" if value >= 0.05 else "<\N{NO-BREAK SPACE}0.1"
    )
    return f"{shown}\N{NO-BREAK SPACE}%"


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def measured(score: Score | None) -> str:
    return f"{score.value:.3f} {interval(score.low, score.high)}" if score else "–"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def named(key: str) -> str:
    """ "accuracy[form=induction]" as "accuracy, form=induction"."""
    name, _, group = key.removesuffix("]").partition("[")
    return f"{name}, {group}" if group else name


def opened(text: str) -> str:
    """As a sentence begins."""
    return text[:1].upper() + text[1:]


def slug(key: str) -> str:
    """A name for an element of the page: letters, digits and hyphens, another for every key."""
    return "".join(letter if letter.isascii() and letter.isalnum() else f"-{ord(letter):x}" for letter in key)


def about(name: str) -> str:
    """What a measure of ours is, in a sentence; nothing for one that is not ours."""
    return ABOUT.get(name.partition("@")[0], "")


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def spans(numbers: Sequence[int]) -> str:
    """Numbers that grow, three or more in a row as "2 to 5"."""
    runs: list[list[int]] = []
    for each in numbers:
        if runs and runs[-1][-1] == each - 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    return listed([part for run in runs for part in ([f"{run[0]} to {run[-1]}"] if run[2:] else map(str, run))])


def which(numbers: Sequence[int], of: int) -> str:
    """Of so many generations these, in words."""
    if len(numbers) == of > 1:
        return "both generations" if of == 2 else f"all {of} generations"
    return f"{'generation' if len(numbers) == 1 else 'generations'} {spans(numbers)}"


def count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def alarms(generation: Generation) -> list[str]:
    """The guards that spoke against the generation."""
    return list(dict.fromkeys(verdict.guard for verdict in generation.rejections))
