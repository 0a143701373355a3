"""Statistics of a text that show defects: repetition, cut ends, garbled characters, boilerplate.

Those of Gopher (Rae et al. 2021, appendix A.1), C4 (Raffel et al. 2020, section 2.2) and FineWeb (Penedo et al. 2024,
section 3.5), without their fixed limits, which are for web pages. How likely the text is by a language model of known
good texts is added, as CCNet does (Wenzek et al. 2020).
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from selfsown.text.character_model import CharacterModel, worst_window

Check = Literal[
    "length",
    "word_length",
    "symbols",
    "characters",
    "common_words",
    "repeated_lines",
    "repeated_ngrams",
    "compression",
    "ending",
    "brackets",
    "boilerplate",
    "likelihood",
    "passage",
]
CHECKS: tuple[Check, ...] = get_args(Check)
# What a value says, and the smallest distance from the median of good texts that counts as an unusual one. `both`: low
# values are defects, too; `low`: only those.
DEFINITIONS: dict[Check, tuple[str, float, Literal["low", "high", "both"]]] = {
    "length": ("log of its characters", 0.5, "both"),
    "word_length": ("mean length of words", 1.0, "both"),
    "symbols": ("share of characters that are symbols", 0.05, "high"),
    "characters": ("share of characters that are rare in real rows", 0.02, "high"),
    "common_words": ("share of words that are frequent in real rows", 0.1, "low"),
    "repeated_lines": ("share of characters in repeated lines", 0.1, "high"),
    "repeated_ngrams": ("share of 4-word runs that are repeated", 0.1, "high"),
    "compression": ("compressed size as a share of its size", 0.1, "low"),
    "ending": ("bits of information in how it ends", 1.0, "high"),
    "brackets": ("brackets, quotes and fences that are not closed", 0.5, "high"),
    "boilerplate": ("phrases of web pages and placeholders", 0.25, "high"),
    "likelihood": ("bits a character by a model of the real rows", 0.3, "high"),
    "passage": ("bits a character of its least likely passage", 0.5, "high"),
}
COMMON_WORDS = 100
MIN_HOLDERS = 3  # texts with a character that is not rare
SMOOTHING = 40  # characters of usual likelihood that are added to a text, since short ones vary
WINDOW = 80  # characters of a passage
MAX_CHARACTERS = 20_000  # of a text that are read
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_BOILERPLATE = re.compile(
    r"lorem ipsum|(?:terms of (?:use|service)|privacy policy|cookie policy|use of cookies|accept (?:all )?cookies"
    r"|uses cookies|all rights reserved|enable javascript|javascript is (?:disabled|required)|click here"
    r"|subscribe to (?:our|my|the)|sign up for our|newsletter|follow us on|share (?:this|on) (?:post|facebook|twitter)"
    r"|read more|related (?:posts|articles)|leave a comment|skip to (?:main )?content|powered by|back to top|log ?in to"
    r"|add to cart)\b|\[(?:insert|your|name|company|date|address)\b[^\]\n]*\]",
    re.IGNORECASE,
)
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
_TERMINAL = set(".!?…。！？؟।")


@dataclass(frozen=True)
class Reference:
    """What is known about good texts."""

    common: Collection[str]  # their most frequent words, in lower case
    characters: Collection[str]  # those that several texts have
    endings: Mapping[str, float]  # for each kind of ending, its information in bits
    rare_ending: float  # that of a kind that no text has
    model: CharacterModel
    usual_bits: float = 0.0  # a character, of texts that the model has not seen

    def bits_a_character(self, texts: Iterable[str]) -> float:
        """The mean over all characters of the texts."""
        bits = [self.model.bits(text[:MAX_CHARACTERS]) for text in texts]
        return sum(float(part.sum()) for part in bits) / max(1, sum(map(len, bits)))


def reference(texts: Sequence[str], model: CharacterModel) -> Reference:
    """From good texts, and a model of texts such as these."""
    holders = Counter(char for text in texts for char in set(text))
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    endings = Counter(ending(text) for text in texts)
    bits = {kind: -math.log2((count + 0.5) / (len(texts) + 1)) for kind, count in endings.items()}
    return Reference(
        common=frozenset(word for word, _ in counts.most_common(COMMON_WORDS)),
        characters=frozenset(char for char, count in holders.items() if count >= MIN_HOLDERS),
        endings=bits,
        rare_ending=-math.log2(0.5 / (len(texts) + 1)),
        model=model,
    )


def statistics(text: str, known: Reference) -> dict[Check, float]:
    """The value of each check, of a text that is not empty."""
    text = text[:MAX_CHARACTERS]
    words = _WORD.findall(text)
    lower = [word.lower() for word in words]
    visible = [char for char in text if not char.isspace()]
    bits = known.model.bits(text)
    smoothed = (float(bits.sum()) + SMOOTHING * known.usual_bits) / (len(bits) + SMOOTHING)
    few = len(words) < 5  # a share of few words says nothing
    return {
        "length": math.log(len(text)),
        "word_length": sum(map(len, words)) / len(words) if words else 0.0,
        "symbols": sum(not char.isalnum() for char in visible) / max(1, len(visible)),
        "characters": sum(char not in known.characters for char in visible) / max(1, len(visible)),
        "common_words": 1.0 if few else sum(word in known.common for word in lower) / len(words),
        "repeated_lines": _repeated_lines(text),
        "repeated_ngrams": _repeated_ngrams(lower),
        "compression": _compression(text),
        "ending": known.endings.get(ending(text), known.rare_ending),
        "brackets": float(unclosed(text)),
        "boilerplate": float(len(_BOILERPLATE.findall(text))),
        "likelihood": smoothed,
        "passage": worst_window(bits, WINDOW) if len(bits) > WINDOW else smoothed,
    }


def ending(text: str) -> str:
    """The kind of its last characters: a letter, a digit, the end of a sentence, or another category of Unicode; and
    whether the last line is one word or number."""
    text = text.rstrip()
    last = text[-1:]
    if last in _TERMINAL:
        return "sentence"
    alone = "alone" if len(text.rpartition("\n")[2].split()) <= 2 else "in a line"
    return f"{unicodedata.category(last)[0]} {alone}" if last else ""


def unclosed(text: str) -> int:
    """How many brackets are open at the end or closed too often, and fences and double quotes without a second one."""
    brackets = sum(abs(text.count(left) - text.count(right)) for left, right in _PAIRS)
    return brackets + text.count("```") % 2 + text.count('"') % 2


def _repeated_lines(text: str) -> float:
    lines = [line for line in map(str.strip, text.splitlines()) if len(line) > 10]
    size = sum(map(len, lines))
    return 1 - sum(map(len, set(lines))) / size if size else 0.0


def _repeated_ngrams(words: list[str], size: int = 4) -> float:
    ngrams = list(zip(*(words[start:] for start in range(size)), strict=False))
    return 1 - len(set(ngrams)) / len(ngrams) if ngrams else 0.0


def _compression(text: str) -> float:
    """1 for a text of fewer than a hundred bytes."""
    data = text.encode("utf-8", "replace")
    return len(zlib.compress(data, 6)) / len(data) if len(data) >= 100 else 1.0
