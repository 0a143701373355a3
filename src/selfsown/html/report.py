"""The report of a run or of a comparison: `write(folder)` writes FOLDER/report.html."""

from __future__ import annotations

from pathlib import Path

from selfsown.errors import RunFolderError
from selfsown.records import SelfsownError
from selfsown.run_folders import suggest_folder


def write(folder: Path) -> Path:
    """Write the page of the run or of the comparison in the folder.

    Returns the path of the page. Raises SelfsownError where the folder holds neither, is damaged, or is an unfinished
    comparison, or where a package is missing.
    """
    try:
        from selfsown.html import comparison_page, run_page, template
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise SelfsownError(f"a report needs {package}; pip install 'selfsown[report]'") from error
    if (folder / "compare.json").exists():
        return template.write_page(folder / "report.html", "compare.html", vars(comparison_page.content(folder)))
    if any(folder.glob("*/seed-*/recipe.yaml")):
        raise RunFolderError(f"the comparison in {folder} is not finished; repeat its command to resume it")
    if not (folder / "recipe.yaml").exists():
        reason = "it has no recipe.yaml and no compare.json" if folder.exists() else "it does not exist"
        raise RunFolderError(
            f"{folder} is neither the folder of a run nor of a comparison: {reason}{suggest_folder(folder)}"
        )
    return template.write_page(folder / "report.html", "run.html", vars(run_page.content(folder)))


def write_or_explain(folder: Path) -> str:
    """Write the page, and say where it is, or why it could not be written."""
    try:
        return f"The report is {write(folder)}"
    except SelfsownError as error:
        return f"No report: {error}"
