"""What a recipe may name, read from the source of each file without running it, and so without what it imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from selfsown.catalogue.words import COMMON, TYPES
from selfsown.errors import RecipeError
from selfsown.recipes import shipped_recipes
from selfsown.stage_names import RECIPE_KEYS, STAGE_FUNCTIONS, STUDENT_OBJECTIVES

SOURCE = Path(__file__).parent.parent
EXCEPTIONS = re.compile(r";? (?=Raises |SelfsownError |RecipeError )")  # what documentation says of them ends a meaning


@dataclass(frozen=True)
class OptionEntry:
    """An option of a method, or a key of a recipe; default: as YAML, None where it must be given."""

    name: str
    type: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class MethodEntry:
    """A method of a stage. keys: of the recipe. description: its first sentence; details: all else that it says."""

    stage: str
    name: str
    keys: tuple[str, ...]
    description: str
    details: str
    options: tuple[OptionEntry, ...]


@dataclass(frozen=True)
class RecipeEntry:
    """A shipped recipe. needs: keys that its user must give. comment: what its first lines say."""

    name: str
    description: str
    needs: tuple[str, ...]
    comment: str


def recipes() -> list[RecipeEntry]:
    """All shipped recipes, by name."""
    return [_recipe(name, text) for name, text in sorted(shipped_recipes().items())]


def _recipe(name: str, text: str) -> RecipeEntry:
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    needs = [key for key in ("real",) if key not in keys]
    needs += [key for key in ("teacher",) if not keys & {"teacher", "student"}]
    needs += re.findall(r"--set (\S+)=(?:FILE|FOLDER)", text) if re.search(r": (FILE|FOLDER)\b", text) else []
    comment = re.match(r"(#[^\n]*\n)*", text)
    lines = [line.removeprefix("#").removeprefix(" ") for line in (comment[0] if comment else "").splitlines()]
    description = re.search(r"^description: *(.*)$", text, re.MULTILINE)
    return RecipeEntry(name, description[1] if description else "", tuple(needs), "\n".join(lines))


def stage_methods(stage: str) -> list[str]:
    """The shipped methods of a stage, sorted; the training objectives of other students follow, such as hf.sft."""
    names = _names(SOURCE / stage)
    if stage == "train":
        names += [f"{student}.{name}" for student, folder in STUDENT_OBJECTIVES.items() for name in _names(folder)]
    return names


def _names(folder: Path) -> list[str]:
    paths = [path for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    return sorted(path.stem for path in paths if path.stem != "__init__")


def method(stage: str, name: str) -> MethodEntry:
    """A shipped method."""
    return _read(stage, name, _path(stage, name))


def _path(stage: str, name: str) -> Path:
    student, _, objective = name.partition(".")
    if objective:
        return STUDENT_OBJECTIVES[student] / f"{objective}.py"
    package = SOURCE / stage / name / "__init__.py"
    return package if package.exists() else SOURCE / stage / f"{name}.py"


def headline(stage: str, name: str) -> MethodEntry:
    """A shipped method with its description alone, which is read sooner."""
    text = _path(stage, name).read_text(encoding="utf-8")
    documentation = text.split('"""', 2)[1]
    return MethodEntry(stage, name, RECIPE_KEYS.get(stage, (stage,)), _first_sentence(documentation)[0], "", ())


def custom_methods(path: Path) -> list[MethodEntry]:
    """The methods in a file of the user's own: one for each stage whose function it has. RecipeError without any."""
    try:
        names = {node.name for node in _tree(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    except (OSError, SyntaxError, ValueError) as error:
        raise RecipeError(f"{path} cannot be read: {error}") from error
    entries = [_read(stage, str(path), path) for stage, function in STAGE_FUNCTIONS.items() if function in names]
    if not entries:
        functions = ", ".join(STAGE_FUNCTIONS.values())
        raise RecipeError(f"{path} has no method; a method is a function named as its stage: {functions}")
    return entries


def recipe_keys() -> list[OptionEntry]:
    """The keys of a recipe, in the order of its dataclass."""
    tree = _tree(SOURCE / "recipe" / "keys.py")
    (keys,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    entries = []
    for node, below in zip(keys.body, keys.body[1:], strict=False):
        if isinstance(node, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            kind = (
                _type(node.annotation, {}).replace("Step or null", "method").replace("list of Step", "list of methods")
            )
            default = None if node.value is None else _default(node.value, {}).replace("NO_STEP", "none")
            name = ast.unparse(node.target)
            entries.append(OptionEntry(name, kind.replace("Step", "method"), default, str(below.value.value)))
    return entries


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _read(stage: str, name: str, path: Path) -> MethodEntry:
    tree = _tree(path)
    description, more = _first_sentence(ast.get_docstring(tree) or "")
    definition, home = _definition(tree, STAGE_FUNCTIONS[stage])
    details = "\n\n".join(text for text in (more, ast.get_docstring(definition) or "") if text)
    entry = MethodEntry(
        stage,
        name,
        RECIPE_KEYS.get(stage, (stage,)),
        description,
        details,
        tuple(_options(definition, home, details)),
    )
    if isinstance(definition, ast.FunctionDef) and definition.args.kwarg:  # a preset of another method
        return replace(entry, options=tuple(_preset_options(home)))
    return entry


def _first_sentence(documentation: str) -> tuple[str, str]:
    """And the rest; "et al." ends none."""
    first, _, rest = " ".join(documentation.split()).replace("et al. ", "et al.\0").partition(". ")
    return first.rstrip(".").replace("\0", " ") + ".", rest.replace("\0", " ")


def _definition(tree: ast.Module, function: str) -> tuple[ast.FunctionDef | ast.ClassDef, ast.Module]:
    """The stage's function or class, and the file that defines it; a package's __init__ imports it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == function:
            return node, tree
    (module,) = (
        node.module or ""
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and any(alias.name == function for alias in node.names)
    )
    return _definition(_tree(SOURCE.joinpath(*module.split(".")[1:]).with_suffix(".py")), function)


def _options(definition: ast.FunctionDef | ast.ClassDef, tree: ast.Module, details: str) -> Iterator[OptionEntry]:
    """Keyword-only arguments, or the fields of a class, with what the documentation says of each."""
    constants = _constants(tree)
    if isinstance(definition, ast.ClassDef):
        parts = [
            (ast.unparse(node.target), node.annotation, node.value)
            for node in definition.body
            if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation)
        ]
    else:
        arguments, defaults = definition.args.kwonlyargs, definition.args.kw_defaults
        parts = [
            (argument.arg, argument.annotation or ast.Name("Any"), default)
            for argument, default in zip(arguments, defaults, strict=True)
        ]
    meanings = _meanings(details, [name for name, _, _ in parts])
    for name, annotation, default in parts:
        written = None if default is None else _default(default, constants)
        yield OptionEntry(name, _type(annotation, constants), written, meanings.get(name) or COMMON.get(name, ""))


def _preset_options(tree: ast.Module) -> Iterator[OptionEntry]:
    """The options of `endpoint`, with the defaults of a preset and without those that it does not have."""
    constants = {name: ast.literal_eval(node) for name, node in _constants(tree).items() if name.isupper()}
    for option in method("models", "endpoint").options:
        if option.name in constants["DEFAULTS"]:
            yield replace(option, default=constants["DEFAULTS"][option.name])
        elif option.name not in constants["NOT_AVAILABLE"]:
            yield option


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _meanings(details: str, names: list[str]) -> dict[str, str]:
    """What follows "name: ", or "name, other: ", up to the next such name or the end of the paragraph."""
    alternatives = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    if not alternatives:
        return {}
    start = re.compile(rf"(?:^|(?<=[.;]\s))((?:{alternatives})(?:, (?:{alternatives}))*): ", re.MULTILINE)
    meanings: dict[str, str] = {}
    for paragraph in details.split("\n\n"):
        matches = list(start.finditer(paragraph))
        ends = [*(match.start() for match in matches[1:]), len(paragraph)]
        for match, end in zip(matches, ends, strict=bool(matches)):
            text = EXCEPTIONS.split(" ".join(paragraph[match.end() : end].split()))[0]
            meanings |= dict.fromkeys(match[1].split(", "), text)
    return meanings


def _type(node: ast.expr, constants: Mapping[str, ast.expr]) -> str:
    """An annotation in words."""
    if isinstance(node, ast.BinOp):
        return f"{_type(node.left, constants)} or {_type(node.right, constants)}"
    if isinstance(node, ast.Subscript):
        kind, inner = ast.unparse(node.value), node.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if kind == "Literal":
            *most, last = [str(ast.literal_eval(part)) for part in parts]
            return f"{', '.join(most)} or {last}" if most else last
        if kind == "Annotated":
            return _type(parts[0], constants)
        if kind in ("dict", "Mapping"):
            return f"mapping of {_type(parts[0], constants)} to {_type(parts[1], constants)}"
        return f"list of {_type(parts[0], constants)}"
    name = ast.unparse(node)
    if name in TYPES:
        return TYPES[name]
    return _type(constants[name], constants) if name in constants else "null" if name == "None" else name


def _default(node: ast.expr, constants: Mapping[str, ast.expr]) -> str:
    """A default as YAML."""
    if isinstance(node, ast.Name) and node.id in constants:
        return _default(constants[node.id], constants)
    try:
        return _yaml(ast.literal_eval(node))
    except ValueError:
        return ast.unparse(node)


def _yaml(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_yaml(key)}: {_yaml(item)}' for key, item in value.items())}}}"
    text = str(value)
    return (
        text
        if text and text[0] not in "*&!|>%@`{[#'" and not (isinstance(value, str) and ": " in text)
        else f'"{text}"'
    )
