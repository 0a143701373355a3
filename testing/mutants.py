"""Programs with one mutation each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def mutants(program: str, entry_point: str) -> Iterator[tuple[str, str]]:
    """The kind of each mutation of the function, and the mutated program."""
    original = ast.unparse(ast.parse(program))
    for index in range(sum(1 for _ in _mutations(ast.parse(program), entry_point))):
        tree = ast.parse(program)
        kind, mutate = list(_mutations(tree, entry_point))[index]
        mutate()
        if (mutant := ast.unparse(tree)) != original:
            yield kind, mutant


def _mutations(tree: ast.Module, entry_point: str) -> Iterator[tuple[str, Callable[[], None]]]:
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == entry_point:
            for statement in function.body:
                if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):  # a docstring
                    for node in ast.walk(statement):
                        yield from _mutations_of_node(node)


def _mutations_of_node(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in _SWAPS:
        yield "operator", partial(setattr, node, "op", _SWAPS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
        yield "comparison", partial(setattr, node, "ops", [_SWAPS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", partial(setattr, node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield "off by one", partial(setattr, node, "value", node.value + 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield "constant", partial(setattr, node, "value", f"{node.value}x")
    if isinstance(node, ast.Return) and node.value is not None:
        yield "return", partial(setattr, node, "value", ast.Constant(None))
    if isinstance(node, ast.If):
        yield "condition", partial(setattr, node, "test", ast.UnaryOp(ast.Not(), node.test))


def changed_line(program: str, mutant: str) -> str:
    """The first line that differs, before and after, with its number in the layout of the mutant."""
    lines = zip(ast.unparse(ast.parse(program)).splitlines(), mutant.splitlines(), strict=False)
    changed = ((number, *pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1])
    return next((f"{number}: {old.strip()} -> {new.strip()}" for number, old, new in changed), "")
