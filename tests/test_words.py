"""Private words are in no identifier and in nothing that a person reads: the project uses the terms of its field."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = sorted((ROOT / "src" / "selfsown").rglob("*.py"))
READ = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "src" / "selfsown").rglob("*.yaml")),
    *sorted((ROOT / "src" / "selfsown" / "html" / "templates").iterdir()),
]
# As a whole word, or as a part between underscores.
WORDS = (
    "anew|bears? out|borne|cannot say|fates?|for who|heard|hearsay|in vain|knobs?|knock(s|ed)?|lamps?|laps?|"
    "left to itself|mend(s|ed|ing)?|noughts?|reckon(s|ed|ing)?|reckoner|such as is|told|thrift|unprompted|untold|"
    "verbs?|whichever|wish(es|ed)?|yardsticks?|of (its|your|their) own accord"
)
# No identifier by itself.
NAMES = {"asked", "at", "each", "fired", "found", "given", "heard", "said", "some", "them", "there", "told", "wanted"}
# No part of an identifier.
PARTS = {"knob", "knobs", "verb", "verbs", "way", "ways", "trait", "traits", "lap", "laps", "world", "worlds"}


def identifiers(tree: ast.Module) -> list[tuple[int, str]]:
    """Every name that a file defines or assigns, with its line."""
    names: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append((node.lineno, node.name))
        elif isinstance(node, ast.arg):
            names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.attr))
    return names


def parts(name: str) -> set[str]:
    """The words that a name is made of: `max_reply_tokens`, `RunFolder`."""
    return set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))


def test_identifiers_are_terms_of_the_field() -> None:
    private = re.compile(WORDS)
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in SOURCE
        for line, name in identifiers(ast.parse(path.read_text(encoding="utf-8")))
        if name in NAMES or parts(name) & PARTS or any(private.fullmatch(part) for part in parts(name))
    ]
    assert not wrong, "\n".join(["", *wrong])


def test_nothing_that_a_person_reads_holds_a_private_word() -> None:
    private = re.compile(rf"(?<![\w-])({WORDS})(?![\w-])", re.IGNORECASE)
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}: {line.strip()[:100]}"
        for path in [*SOURCE, *READ]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := private.search(line))
    ]
    assert not wrong, "\n".join(["", *wrong])


def test_the_search_finds_what_it_is_for() -> None:
    private = re.compile(rf"(?<![\w-])({WORDS})(?![\w-])", re.IGNORECASE)
    assert private.search("more than is borne")
    assert private.search("the knobs of a verb")
    assert not private.search("it was rewritten, with options and tolerances")
    assert [name for _, name in identifiers(ast.parse("def f(wish):\n    found, self.told = 1, 2"))] == [
        "f",
        "wish",
        "found",
        "told",
    ]
