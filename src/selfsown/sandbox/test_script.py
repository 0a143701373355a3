"""The text of tests: read before it runs, so that its silence is never taken for consent.

Each assert is counted and remembered. Where the tests name StopIteration, what stands for the program's own counts as
well. And tests that could not fail whatever the program did are found out: nothing passes them.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Iterator
from typing import Any

DOCTEST = ">>> "
_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_QUIET = (ast.Compare, ast.Constant, ast.Name, ast.Attribute, ast.JoinedStr)  # computed, and thrown away


class Script:
    """Tests as they run. SyntaxError, ValueError, RecursionError or MemoryError where they are no Python."""

    def __init__(self, text: str, entry: str) -> None:
        self.lines, examples = text.splitlines(), ""
        try:
            tree = ast.parse(text, "<tests>")
            examples = ast.get_docstring(tree, clean=False) or ""
        except SyntaxError:
            if DOCTEST not in text:
                raise
            tree, examples = ast.Module([], []), text
        self.examples = examples if DOCTEST in examples else ""
        self._definitions = [each for each in _outside(tree) if isinstance(each, _DEFINITION)]
        self._defined = {each.name for each in self._definitions}
        self.unfit = self._unfit(tree, entry)
        _rewrite(tree, self._definitions)
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(4 * before)  # a tree is compiled less deep than a text
        try:
            self.code: types.CodeType = compile(tree, "<tests>", "exec")
        finally:
            sys.setrecursionlimit(before)

    def names(self) -> set[str]:
        """All names that they use, but for Python's own and those that mean something to Python, such as __name__."""
        found = (set(_used(self.code)) | _names(self._parsed_examples())) - set(vars(builtins))
        return {each for each in found if not each.startswith("__")}

    def _unfit(self, tree: ast.Module, entry: str) -> str:
        """Why no program could fail them, or ""."""
        roots = {each.name for each in self._definitions if collectable(each)}
        roots |= {"check"} & self._defined if entry else set()
        live = self._live(tree, roots)
        bound = _bound(tree)
        kinds = {kind for each in live for kind in self._kinds(each, bound)} | ({"call"} if self.examples else set())
        kinds |= {"call"} if entry and "check" in bound - self._defined else set()
        self.asserts_alone = "assert" in kinds and kinds <= {"assert", "smoke"}
        self.free = _names([*live, *self._parsed_examples()]) - set(vars(builtins)) - bound - {"candidate"}
        if not kinds:
            idle = sorted(self._defined - {each.name for each in live if isinstance(each, _DEFINITION)})
            defined = f": they define {', '.join(idle)}, which nothing calls" if idle else ""
            hint = "; entry names the function that check is given" if "check" in idle else ""
            return f"nothing in them could fail{defined}{hint}"
        used = self.free if not entry else _names([*live, *self._parsed_examples()]) & {entry, "candidate"}
        return "" if used or (entry and "check" in bound) else "they use nothing that a program defines"

    def _live(self, tree: ast.Module, roots: set[str]) -> list[ast.AST]:
        """Whatever may run: of what is defined, what is mentioned by what runs."""
        found = [node for each in _outside(tree) if not isinstance(each, _DEFINITION) for node in _flat(each)]
        found += [node for each in self._definitions for part in each.decorator_list for node in ast.walk(part)]
        waiting, mentioned = self._defined, roots | _names(found)
        while ready := waiting & mentioned:
            waiting = waiting - ready
            new = [node for each in self._definitions if each.name in ready for node in ast.walk(each)]
            found, mentioned = found + new, mentioned | _names(new)
        return found

    def _kinds(self, node: ast.AST, bound: set[str]) -> Iterator[str]:
        """In which way this statement could say that the program is wrong, if it could; smoke: only if it raises."""
        if isinstance(node, ast.Assert):
            always = _constant(node.test)
            if always is not True:
                yield "assert" if always is None else "raise"
        elif isinstance(node, ast.Raise):
            yield "raise"
        said = [each.context_expr for each in node.items] if isinstance(node, ast.With | ast.AsyncWith) else []
        for value in said or ([*_loud(node.value)] if isinstance(node, ast.Expr) else []):
            named = [each.func for each in ast.walk(value) if isinstance(each, ast.Call)]
            names = {each.id for each in named if isinstance(each, ast.Name)} - set(vars(builtins)) - self._defined
            if names & bound or any(not isinstance(each, ast.Name) for each in named):
                yield "call"
            elif names:
                yield "smoke"

    def _parsed_examples(self) -> list[ast.AST]:
        if not self.examples:
            return []
        import doctest  # takes a while

        try:
            said = [each.source for each in doctest.DocTestParser().get_examples(self.examples)]
            return [node for each in said for node in ast.walk(ast.parse(each))]
        except (SyntaxError, ValueError):
            return []  # they say so themselves as they run


def collectable(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether those who run tests find it by its name or its class, as unittest and pytest do."""
    if isinstance(node, ast.ClassDef):
        above = {each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in node.bases}
        return node.name.startswith("Test") or any(each.endswith("TestCase") for each in above)
    return node.name.startswith("test")


def _rewrite(tree: ast.Module, definitions: list[Any]) -> None:
    """assert x, y -> assert __checked__(x, line), y; except X -> except __caught__(X), where X may be StopIteration.
    Without recursion, for expressions may be as deep as Python's own compiler goes."""
    entered = [each for each in definitions if not isinstance(each, ast.ClassDef) and collectable(each)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            node.test = _call("__checked__", node.test, ast.copy_location(ast.Constant(node.lineno), node))
        elif isinstance(node, ast.ExceptHandler) and node.type:
            node.type = _call("__caught__", node.type)
        elif isinstance(node, ast.Call):
            node.args = [_call("__caught__", each) if _stops(each) else each for each in node.args]
    for each in entered:
        name = ast.copy_location(ast.Constant(each.name), each)
        each.body.insert(0, ast.copy_location(ast.Expr(_call("__entered__", name)), each))


def _stops(node: ast.AST) -> bool:
    if isinstance(node, ast.Tuple):
        return any(map(_stops, node.elts))
    return isinstance(node, ast.Name) and node.id in ("StopIteration", "StopAsyncIteration")


def _call(name: str, *values: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), values[0])
    return ast.copy_location(ast.Call(function, list(values), []), values[0])


def _outside(tree: ast.AST) -> Iterator[ast.stmt]:
    """The statements of the module itself, also those within if, for, while, try and with."""
    waiting = [*ast.iter_child_nodes(tree)][::-1]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.stmt):
            yield each
        if not isinstance(each, (*_DEFINITION, ast.expr)):
            waiting += [*ast.iter_child_nodes(each)][::-1]


def _flat(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement and its expressions, without the statements within it."""
    yield statement
    for each in ast.iter_child_nodes(statement):
        if isinstance(each, ast.expr | ast.withitem):
            yield from ast.walk(each)
        elif isinstance(each, ast.ExceptHandler) and each.type:
            yield from ast.walk(each.type)


def _loud(value: ast.expr) -> Iterator[ast.expr]:
    """What of an expression that stands alone could raise to say that something is wrong: x == 1 could not, nor could
    print(x), but x == 1 or complain() could."""
    if isinstance(value, ast.BoolOp):
        for each in value.values:
            yield from _loud(each)
    elif isinstance(value, ast.UnaryOp):
        yield from _loud(value.operand)
    elif not isinstance(value, _QUIET):
        builtin = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and hasattr(builtins, value.func.id)
        yield from [] if builtin else [value]


def _names(nodes: list[ast.AST]) -> set[str]:
    return {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def _bound(tree: ast.Module) -> set[str]:
    """What the module itself gives a value to."""
    nodes = [node for each in _outside(tree) for node in _flat(each)]
    named = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    named |= {each.name for each in nodes if isinstance(each, _DEFINITION)}
    imported = [alias for each in nodes if isinstance(each, ast.Import | ast.ImportFrom) for alias in each.names]
    return named | {alias.asname or alias.name.partition(".")[0] for alias in imported}


def _constant(node: ast.expr) -> bool | None:
    """Whether an expression is always true or always false, where that can be read off it."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.Tuple) and node.elts:
        return True  # assert (x, "words") is true whatever x is
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return None if (found := _constant(node.operand)) is None else not found
    return None


def _used(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _used(each)
