"""What the user said, checked and read."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from selfsown.audit.audit import Audit, audit
from selfsown.audit.contamination import Examination
from selfsown.audit.data_source import Named, Source, opened
from selfsown.audit.options import Wish
from selfsown.audit.scan import read
from selfsown.audit.text_view import LEAST, Borne
from selfsown.records import SelfsownError
from selfsown.signals.attributes import Attributes


def audited(synthetic: str, real: str, wish: Wish) -> Audit:
    """Both data sets read and compared; SelfsownError where something does not fit, if it can be, before that."""
    borne = Borne(**{name: getattr(wish, name) for name in Borne.__dataclass_fields__})
    for name, value in vars(borne).items():
        if not 0 < value < 100:
            raise SelfsownError(f"--{name} is {value:g}; what is borne must be above 0, such as 0.1 for 10 %")
    if wish.sample < LEAST:
        raise SelfsownError(f"--sample is {wish.sample}; under {LEAST} rows nothing can be said")
    if wish.seed < 0:
        raise SelfsownError(f"--seed is {wish.seed}; it must be 0 or more")
    lexicon = _lexicon(wish.lexicon)
    if both := [name for name in wish.attribute if name in lexicon]:
        raise SelfsownError(f"--attribute {both[0]} is in --lexicon {wish.lexicon}, too; say it in one of them")
    attributes: Attributes = {**{name: {} for name in wish.attribute}, **lexicon}
    columns, named = _columns(wish.attribute, lexicon), Named(wish.text, wish.prompt, wish.answer)
    ours = opened(synthetic, named, columns)
    theirs = opened(real, Named(wish.real_text, own=True) if wish.real_text else named, columns)
    examinations = _opened(wish)
    _used(wish, [ours, theirs, *examinations.values()])
    examination = Examination()
    for name, source in examinations.items():
        examination.add(name, source.rows())
    one = read(ours, wish.sample, wish.seed, examination if examinations else None)
    two = read(theirs, 2 * wish.sample, wish.seed + 1)
    return audit(one, two, attributes, examination if examinations else None, borne, wish.seed)


def _columns(attributes: Sequence[str], lexicon: Attributes) -> tuple[str, ...]:
    """The columns to be read: of attributes joined by +, each that no lexicon tells."""
    parts = [part for name in attributes for part in name.split("+")]
    return tuple(part for part in dict.fromkeys(parts) if part not in lexicon)


def _opened(wish: Wish) -> dict[str, Source]:
    """Each examination by its file's name, or its path where two files have one name."""
    own = wish.examination_text
    named = Named(own, own=True, asks=True) if own else Named(wish.text, wish.prompt, wish.answer, asks=True)
    names = [path.name for path in wish.examination]
    return {
        path.name if names.count(path.name) == 1 else str(path): opened(str(path), named) for path in wish.examination
    }


def _used(wish: Wish, sources: Sequence[Source]) -> None:
    """Refuse a column that no file has."""
    for option, name in (("text", wish.text), ("prompt", wish.prompt), ("answer", wish.answer)):
        if name and not any(name in source.there for source in sources):
            there = ", ".join(dict.fromkeys(each for source in sources for each in source.there))
            raise SelfsownError(f"--{option} is {name}; no file has such a column; there is: {there}")


def checked(page: Path | None) -> None:
    """Refuse a page that could not be written, before anything is computed for it."""
    if page is None:
        return
    if page.suffix not in (".html", ".htm"):
        raise SelfsownError(f"--page is {page}; its name must end with .html")
    if page.is_dir() or not page.parent.is_dir():
        wrong = "it is a folder" if page.is_dir() else f"there is no folder {page.parent}"
        raise SelfsownError(f"--page is {page}, but {wrong}; name a file in a folder that is there")
    if not os.access(page.parent, os.W_OK):
        raise SelfsownError(f"--page is {page}, but nothing can be written in {page.parent}; name another place")
    if needed := next((name for name in ("matplotlib", "jinja2") if not importlib.util.find_spec(name)), ""):
        raise SelfsownError(f"--page needs {needed}; pip install 'selfsown[report]'")


def paged(found: Audit, path: Path) -> None:
    """Write the page; it takes the packages of the extra `report`."""
    from selfsown.html.audit_page import write

    write(found, path)


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
        try:
            re.compile(words)
        except re.error as wrong:
            raise SelfsownError(f"--lexicon {path}: {words!r} is no regular expression: {wrong}") from wrong
        return words
    if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
        return rf"\b(?:{'|'.join(map(re.escape, words))})\b"
    raise SelfsownError(f"--lexicon {path}: {words!r} is neither words nor a regular expression; {shape}")
