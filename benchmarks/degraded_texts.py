"""Ways in which a generated text may be degraded, for benchmarks/curators.py."""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

PRINTABLE = string.ascii_letters + string.digits + string.punctuation
BOILERPLATE = (
    "Accept all cookies. Subscribe to our newsletter and follow us on Facebook. All rights reserved.",
    "Click here to read more related articles. Share this post on Twitter!",
    "Please enable JavaScript to view this page. Privacy policy | Terms of use",
    "Kind regards, [Your Name], [Company Name]",
)
SPANISH = (
    "El tren sale a las ocho de la mañana y llega a la ciudad por la tarde. Después de comer, la familia visita el "
    "museo y vuelve andando al hotel. Nadie sabe cuánto cuesta la entrada, pero todos quieren verlo antes de irse. "
)


def _garbled(text: str, draw: Random, share: float) -> str:
    return "".join(draw.choice(PRINTABLE) if draw.random() < share else char for char in text)


def _shuffled(text: str, draw: Random) -> str:
    words = text.split(" ")
    draw.shuffle(words)
    return " ".join(words)


def _cut(text: str, draw: Random) -> str:
    return text[: max(1, int(len(text) * draw.uniform(0.3, 0.8)))]


def _repeated(text: str, draw: Random) -> str:
    return text + f" {draw.choice(text.split('. '))}." * 6


def _looped(text: str, draw: Random) -> str:
    words = text.split(" ")
    at = draw.randrange(len(words))
    return " ".join([*words[:at], *[words[at]] * 25])


def _boilerplate(text: str, draw: Random) -> str:
    return f"{text}\n{draw.choice(BOILERPLATE)}"


def _spanish(text: str, draw: Random) -> str:
    return (SPANISH * (1 + len(text) // len(SPANISH)))[: max(60, len(text))]


def _mojibake(text: str, draw: Random) -> str:
    return text.replace("e", "Ã©").replace("'", "â€™")


KINDS: dict[str, Callable[[str, Random], str]] = {
    "15 % of the characters replaced": lambda text, draw: _garbled(text, draw, 0.15),
    "5 % of the characters replaced": lambda text, draw: _garbled(text, draw, 0.05),
    "wrongly decoded (mojibake)": _mojibake,
    "words shuffled": _shuffled,
    "cut off": _cut,
    "a sentence repeated six times": _repeated,
    "one word repeated to the end": _looped,
    "boilerplate added": _boilerplate,
    "Spanish instead": _spanish,
}
