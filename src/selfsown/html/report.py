"""The report of a folder of `run`, `make`, `preview` or a comparison: `write(folder)` writes FOLDER/report.html."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfsown.errors import RunFolderError, SelfsownError
from selfsown.run_folders import suggest_folder


def write(folder: Path) -> Path:
    """Write the page of the run, of the made rows or of the comparison in the folder.

    Returns the path of the page. Raises SelfsownError where the folder holds none of them, is damaged, or is an
    unfinished comparison, or where a package is missing.
    """
    path = folder / "report.html"
    if is_made(folder):
        return write_made(folder, path)
    with _missing_packages_named():
        from selfsown.html import comparison_page, run_page, template
    if (folder / "compare.json").exists():
        return template.write_page(path, "compare.html", vars(comparison_page.content(folder)))
    if any(folder.glob("*/seed-*/recipe.yaml")):
        raise RunFolderError(f"the comparison in {folder} is not finished; repeat its command to resume it")
    if not (folder / "recipe.yaml").exists():
        reason = "it has no recipe.yaml and no compare.json" if folder.exists() else "it does not exist"
        raise RunFolderError(
            f"{folder} is neither the folder of a run nor of a comparison: {reason}{suggest_folder(folder)}"
        )
    return template.write_page(path, "run.html", vars(run_page.content(folder)))


def write_made(folder: Path, path: Path, *, is_preview: bool = False) -> Path:
    """Write the page of a folder of `make` to the path. is_preview: of the rows of the last preview."""
    with _missing_packages_named():
        from selfsown.html import make_page, template
    return template.write_page(path, "make.html", vars(make_page.content(folder, is_preview)))


def write_or_explain(folder: Path) -> str:
    """Write the page, and say where it is, or why it could not be written."""
    try:
        return f"The report is {write(folder)}"
    except SelfsownError as error:
        return f"No report: {error}"


def is_made(folder: Path) -> bool:
    """Whether the folder is one of `make` or `preview`."""
    return (folder / "recipe.yaml").exists() and any((folder / name).exists() for name in (".make", "rows.parquet"))


@contextmanager
def _missing_packages_named() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise SelfsownError(f"a report needs {package}; pip install 'selfsown[report]'") from error
