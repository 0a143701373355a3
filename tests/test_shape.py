"""The rules of the house: imports go down only, no way knows another, and every room is small."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import selfsown

SOURCE = Path(selfsown.__file__).parent
STAGES = ("prepare", "generate", "grade", "curate", "mix", "train", "evaluate", "guard")
# From the bottom up.
LAYERS: list[tuple[str, ...]] = [
    (
        "errors",
        "version",
        "environment",
        "text",
        "scores",
        "stats",
        "option_types",
        "recipes",
        "parallel",
        "stage_names",
        "progress",
        "batch_size",
    ),
    ("records", "templates", "catalogue", "atomic", "processes"),
    ("usage", "files", "sandbox", "rewriting", "episode", "generated_problems", "environment_server", "ranking"),
    ("holdout", "models", "tasks", "history", "run_folders", "test_generation"),
    ("prompting", "signals", "contamination"),
    STAGES,
    ("recipe",),
    ("folder_recipe",),
    ("run_folder",),
    ("stages", "findings", "cost"),
    ("intake",),
    ("calibration", "callbacks"),
    ("attack",),
    ("preflight",),
    ("run_state",),
    ("chunks",),
    ("generation_work",),
    ("cluster",),
    ("engines",),
    ("loop", "pipeline"),
    ("estimate",),
    ("compare", "plan", "audit"),
    ("terminal",),
    ("html",),
    ("export",),
    ("api_results",),
    ("api",),
    ("__init__",),
    ("cli",),
    ("__main__",),
]
FILES = sorted(SOURCE.rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(SOURCE).with_suffix("")).replace("/", ".")


def layer(module: str) -> int:
    top = module.split(".")[0]
    return next(at for at, packages in enumerate(LAYERS) if top in packages)


MODULES = {name(path).removesuffix(".__init__") for path in FILES}


def imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, without the package's own name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "selfsown":
            inside = node.module.partition(".")[2]
            named = {f"{inside}.{alias.name}".strip(".") for alias in node.names if alias.name != "__version__"}
            found |= {each if each in MODULES else inside for each in named}
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("selfsown.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_down_only(path: Path) -> None:
    room = name(path).split(".")[0]
    for imported in imports(path):
        same_room = room == imported.split(".")[0] and room not in STAGES
        same_room |= imported.split(".")[:2] == name(path).split(".")[:2]
        assert same_room or layer(imported) < layer(name(path)), f"{name(path)} imports {imported}"


def test_no_file_needs_itself() -> None:
    TopologicalSorter({name(path).removesuffix(".__init__"): imports(path) for path in FILES}).prepare()


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in STAGES], ids=name)
def test_a_way_knows_no_other_way(path: Path) -> None:
    assert not {imported for imported in imports(path) if imported.split(".")[0] in STAGES}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_each_file_opens_with_a_sentence_and_fits_on_some_screens(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    opening = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    assert opening.rstrip().endswith((".", ":")), f"{name(path)} opens with no sentence"
    assert len(text.splitlines()) <= 300


@pytest.mark.parametrize("path", FILES, ids=name)
def test_functions_are_short_take_few_arguments_and_classes_inherit_once(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= 40, f"{name(path)}.{node.name} is long"
            positional = [each for each in node.args.args if each.arg not in ("self", "cls")]
            assert len(positional) <= 6, f"{name(path)}.{node.name} takes many arguments"
        if isinstance(node, ast.ClassDef):
            bases = [base for base in node.bases if not (isinstance(base, ast.Name) and base.id == "Protocol")]
            assert len(bases) <= 1, f"{name(path)}.{node.name} inherits twice"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_heavy_packages_are_imported_only_by_the_ways_that_need_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if not name(path).startswith(("models.tiny", "models.hf", "train.", "grade.reward_model")):
        assert "import torch" not in text
        assert "from torch" not in text
