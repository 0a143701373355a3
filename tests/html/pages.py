"""A page as a browser reads it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from selfsown.html.report import write


class Page(HTMLParser):
    """What a browser would make of a page: elements with their attributes, ids, and the text to be read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def count(self, tag: str) -> int:
        return sum(each == tag for each, _ in self.elements)

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())


def page(folder: Path) -> Page:
    return Page(write(folder).read_text(encoding="utf-8"))


def landmarks(found: Page) -> list[str]:
    """The names of all regions that a screen reader lists, each with its kind."""
    names = []
    for tag, attributes in found.elements:
        role = attributes.get("role") or {"section": "region", "aside": "complementary", "form": "form"}.get(tag)
        name = attributes.get("aria-label") or attributes.get("aria-labelledby")
        if role in ("region", "complementary", "form", "search") and name:
            names.append(f"{role} {name}")
    return names
