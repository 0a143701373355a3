"""Renders a page and writes it: one file that loads nothing, with the same bytes for the same folder."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from selfsown.atomic import write_atomically
from selfsown.html.formatting import visible


def write_page(path: Path, template: str, content: Mapping[str, object]) -> Path:
    """Render the page and write it to the path, whole or not at all; SelfsownError where it cannot be written."""
    text = render(template, content)
    write_atomically(path, lambda partial: partial.write_text(text, encoding="utf-8", newline="\n"))
    return path


def render(template: str, content: Mapping[str, object]) -> str:
    """The template with its content, in which every text is escaped and made visible."""
    loader = PackageLoader("selfsown.html")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = resources.files("selfsown.html").joinpath("templates/page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = resources.files("selfsown.html").joinpath("templates/page.css").read_text(encoding="utf-8")
    own = {"script": Markup(script), "digest": digest, "style": Markup(style)}
    return environment.get_template(template).render(**content, **own) + "\n"


def _finalize(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
