"""Wrong programs made of a right one by one change each, to choose tests by (DeMillo et al. 1978)."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator

MAX_PROGRAMS = 150

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.NotEq),
    ast.LtE: (ast.Lt, ast.Eq),
    ast.Gt: (ast.GtE, ast.NotEq),
    ast.GtE: (ast.Gt, ast.Eq),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.FloorDiv),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Mult, ast.Div),
    ast.Mod: (ast.FloorDiv, ast.Mult),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
}
_OPPOSITES = (
    ("min", "max"),
    ("any", "all"),
    ("lower", "upper"),
    ("startswith", "endswith"),
    ("isupper", "islower"),
    ("append", "remove"),
    ("floor", "ceil"),
)
_OPPOSITE = dict(_OPPOSITES) | {second: first for first, second in _OPPOSITES}
_DELETED = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Break, ast.Continue, ast.Delete)
_FIXED_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.FunctionDef: ("args", "decorator_list", "returns"),
    ast.AsyncFunctionDef: ("args", "decorator_list", "returns"),
    ast.AnnAssign: ("annotation",),
}
_CONTINUED = {ast.Break: ast.Continue, ast.Continue: ast.Break}

Change = Callable[[], ast.AST]  # of a node, to what stands in its place


def wrong_programs(program: str, rng: random.Random) -> list[str]:
    """Programs that differ in one place of a function, without comments; a sample where there are very many."""
    tree = ast.parse(program)
    original, made = ast.unparse(tree), dict[str, None]()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for changed in _changed(function, tree):
                made.setdefault(changed)
    made.pop(original, None)
    programs = list(made)
    if len(programs) > MAX_PROGRAMS:
        programs = [programs[index] for index in sorted(rng.sample(range(len(programs)), MAX_PROGRAMS))]
    return programs


def _changed(function: ast.AST, tree: ast.Module) -> Iterator[str]:
    """The program with each change of a node below a function; the tree is the same again after each."""
    for parent in _nodes(function):
        for name, value in ast.iter_fields(parent):
            if name in _FIXED_FIELDS.get(type(parent), ()):
                continue
            children = value if isinstance(value, list) else [value]
            for index, node in enumerate(children):
                if not isinstance(node, ast.AST) or _is_docstring(node):
                    continue
                for replacement in _replacements(node):
                    _put(parent, name, index, replacement)
                    yield ast.unparse(ast.fix_missing_locations(tree))
                    _put(parent, name, index, node)


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The node and those below it that may change."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in _FIXED_FIELDS.get(type(node), ()):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_docstring(child):
                    yield from _nodes(child)


def _put(parent: ast.AST, name: str, index: int, node: ast.AST) -> None:
    value = getattr(parent, name)
    if isinstance(value, list):
        value[index] = node
    else:
        setattr(parent, name, node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node, wrongly."""
    if isinstance(node, ast.BinOp | ast.AugAssign):
        for operator in _OPERATORS.get(type(node.op), ()):
            yield _with(node, op=operator())
        if isinstance(node, ast.BinOp):
            yield from (node.left, node.right)
    elif isinstance(node, ast.Compare):
        for comparison in _COMPARISONS.get(type(node.ops[0]), ()):
            yield _with(node, ops=[comparison(), *node.ops[1:]])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
        for index in range(len(node.values)):
            rest = node.values[:index] + node.values[index + 1 :]
            yield rest[0] if len(rest) == 1 else _with(node, values=rest)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _constants(node.value))
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _renamed(node)
    elif isinstance(node, ast.Slice):
        yield from (_with(node, **{bound: None}) for bound in ("lower", "upper", "step") if getattr(node, bound))
    yield from _of_statement(node)


def _of_statement(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        yield _with(node, test=ast.Constant(False))
        if not isinstance(node, ast.While):
            yield _with(node, test=ast.Constant(True))
    if isinstance(node, ast.comprehension) and node.ifs:
        yield _with(node, ifs=[])
    if isinstance(node, ast.Break | ast.Continue):
        yield _CONTINUED[type(node)]()
    if isinstance(node, _DELETED):
        yield ast.Pass()
    if isinstance(node, ast.Return) and node.value:
        yield ast.Return(ast.Constant(None))


def _constants(value: object) -> tuple[str | int | float, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int | float):
        return (value + 1, value - 1) if value == 0 else (value + 1, value - 1, 0)
    if isinstance(value, str):
        return (f"{value}x", "") if value else ("x",)
    return ()


def _renamed(node: ast.Name | ast.Attribute) -> Iterator[ast.AST]:
    name = node.id if isinstance(node, ast.Name) else node.attr
    if name in _OPPOSITE:
        yield _with(node, **{"id" if isinstance(node, ast.Name) else "attr": _OPPOSITE[name]})


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with other fields; what is below it is shared."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new
