"""One page that shows what a run or a comparison found: `write(folder)` makes folder/report.html."""

from __future__ import annotations

from pathlib import Path

from selfsown.records import SelfsownError


def write(folder: Path) -> Path:
    """The page of the run, or of the comparison, that the folder holds; its path."""
    try:
        from selfsown.html import comparison_page, run_page, template
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        raise SelfsownError(f"a report needs {needed}; pip install 'selfsown[report]'") from error
    if (folder / "compare.json").exists():
        return template.written(folder / "report.html", "compare.html", comparison_page.content(folder))
    if any(folder.glob("*/seed-*/recipe.yaml")):
        raise SelfsownError(f"the comparison in {folder} is not finished; give its command again, and it goes on")
    if not (folder / "recipe.yaml").exists():
        held = "it has no recipe.yaml and no compare.json" if folder.exists() else "it does not exist"
        raise SelfsownError(f"{folder} is neither the folder of a run nor of a comparison: {held}")
    return template.written(folder / "report.html", "run.html", run_page.content(folder))


def write_or_explain(folder: Path) -> str:
    """Where the page of what has just ended is; without the packages that draw it, how to get one."""
    try:
        return f"The report is {write(folder)}"
    except SelfsownError as error:
        return f"No report: {error}"
