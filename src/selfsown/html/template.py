"""A page, filled and written: one file that loads nothing, the same bytes for the same folder."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from selfsown.html.formatting import visible
from selfsown.records import SelfsownError


def written(path: Path, template: str, content: Mapping[str, Any]) -> Path:
    """The page at this path, there whole or not at all."""
    text = filled(template, content)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SelfsownError(
            f"{path} cannot be written: {error.strerror or error}; make room or free the place"
        ) from error
    return path


def filled(template: str, content: Mapping[str, Any]) -> str:
    """The template with its content, every text of it escaped and made visible."""
    loader = PackageLoader("selfsown.html")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    script = resources.files("selfsown.html").joinpath("templates/page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    style = resources.files("selfsown.html").joinpath("templates/page.css").read_text(encoding="utf-8")
    own = {"script": Markup(script), "digest": digest, "style": Markup(style)}
    return environment.get_template(template).render(**content, **own) + "\n"


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
