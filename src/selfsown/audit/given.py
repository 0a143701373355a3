"""What the user said, checked and read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from selfsown.audit.examined import Examination
from selfsown.audit.measured import LEAST, Audit, Borne, audit
from selfsown.audit.reading import Columns, opened, read
from selfsown.audit.wish import Wish
from selfsown.records import SelfsownError
from selfsown.signals.attributes import Attributes


def audited(synthetic: str, real: str, wish: Wish) -> Audit:
    """Both data sets read and compared; SelfsownError where something does not fit."""
    borne = Borne(wish.tails, wish.vendi, wish.shift, wish.odds, wish.form, wish.repeats)
    for name, value in vars(borne).items():
        if not 0 < value < 100:
            raise SelfsownError(f"--{name} is {value:g}; what is borne must be above 0, such as 0.1 for 10 %")
    if wish.sample < LEAST:
        raise SelfsownError(f"--sample is {wish.sample}; under {LEAST} rows nothing can be said")
    if wish.seed < 0:
        raise SelfsownError(f"--seed is {wish.seed}; it must be 0 or more")
    lexicon = _lexicon(wish.lexicon)
    attributes: Attributes = {**{name: {} for name in wish.attribute}, **lexicon}
    columns = Columns(wish.text, wish.prompt, wish.answer, _columns(wish.attribute, lexicon))
    examination = _examination(wish)
    ours = read(opened(synthetic, columns), wish.sample, wish.seed, examination)
    theirs = read(opened(real, columns), 2 * wish.sample, wish.seed + 1)
    return audit(ours, theirs, attributes, examination, borne, wish.seed)


def _columns(attributes: Sequence[str], lexicon: Attributes) -> tuple[str, ...]:
    """The columns to be read: of attributes joined by +, each that no lexicon tells."""
    parts = [part for name in attributes for part in name.split("+")]
    return tuple(part for part in dict.fromkeys(parts) if part not in lexicon)


def paged(found: Audit, path: Path) -> None:
    """Write the page; it takes the packages of the extra `report`."""
    if path.suffix not in (".html", ".htm"):
        raise SelfsownError(f"--page is {path}; its name must end with .html")
    try:
        from selfsown.audit.page import write
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        raise SelfsownError(f"--page needs {needed}; pip install 'selfsown[report]'") from error
    write(found, path)


def _examination(wish: Wish) -> Examination | None:
    found = Examination()
    for path in wish.examination:
        found.add(path.name, opened(str(path), Columns(wish.text, wish.prompt, wish.answer)).pose(0))
    return found if wish.examination else None


def _lexicon(path: Path | None) -> Attributes:
    """Of each attribute the values, each as one regular expression."""
    if path is None:
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SelfsownError(f"--lexicon {path} cannot be read: {' '.join(str(error).split())}") from error
    shape = "attribute: {value: [word, …], other: 'a regular expression'}"
    if not isinstance(found, dict) or not all(isinstance(values, dict) and values for values in found.values()):
        raise SelfsownError(f"--lexicon {path}: it is to look like {shape}")
    return {
        str(name): {str(value): _pattern(of, path, shape) for value, of in each.items()} for name, each in found.items()
    }


def _pattern(words: object, path: Path, shape: str) -> str:
    if isinstance(words, str) and words:
        return words
    if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
        return rf"\b(?:{'|'.join(map(re.escape, words))})\b"
    raise SelfsownError(f"--lexicon {path}: {words!r} is neither words nor a regular expression; {shape}")
