"""The source of tests: analyzed and instrumented before it runs, so that a pass is never just the absence of failure.

Each assert is counted and recorded. Where the tests name StopIteration, one that the program raised counts as well. And
tests that could not fail, whatever the program does, are detected: no program passes them.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
from collections.abc import Iterator

DOCTEST_PROMPT = ">>> "
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_HARMLESS = (ast.Compare, ast.Constant, ast.Name, ast.Attribute, ast.JoinedStr)  # their value is discarded
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class ParsedTests:
    """Tests, compiled. Raises SyntaxError, ValueError, RecursionError or MemoryError if they are not valid Python.

    defect: why no program could fail them, or ""; asserts_only: nothing but asserts can fail; undefined_names: used but
    not defined by the tests; examples: the text with their doctests, or "".
    """

    def __init__(self, text: str, entry_point: str) -> None:
        self.lines, examples = text.splitlines(), ""
        try:
            tree = ast.parse(text, "<tests>")
            examples = ast.get_docstring(tree, clean=False) or ""
        except SyntaxError:
            if DOCTEST_PROMPT not in text:
                raise
            tree, examples = ast.Module([], []), text
        self.examples = examples if DOCTEST_PROMPT in examples else ""
        self._definitions = [node for node in _module_statements(tree) if isinstance(node, _DEFINITIONS)]
        self._defined = {node.name for node in self._definitions}
        self.defect = self._find_defect(tree, entry_point)
        _instrument(tree, self._definitions)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(4 * limit)  # the compiler nests less deep for a tree than for a text
        try:
            self.code: types.CodeType = compile(tree, "<tests>", "exec")
        finally:
            sys.setrecursionlimit(limit)

    def names(self) -> set[str]:
        """All names that they use, except built-ins and special names such as __name__."""
        names = (set(_code_names(self.code)) | _names(self._example_nodes())) - set(vars(builtins))
        return {name for name in names if not name.startswith("__")}

    def _find_defect(self, tree: ast.Module, entry_point: str) -> str:
        """Why no program could fail them, or ""."""
        roots = {node.name for node in self._definitions if is_collectable(node)}
        roots |= {"check"} & self._defined if entry_point else set()
        reachable = self._reachable(tree, roots)
        bound = _bound_names(tree)
        checks = {check for node in reachable for check in self._checks(node, bound)}
        if self.examples or (entry_point and "check" in bound - self._defined):
            checks |= {"call"}
        self.asserts_only = "assert" in checks and checks <= {"assert", "smoke"}
        used = _names([*reachable, *self._example_nodes()])
        self.undefined_names = used - set(vars(builtins)) - bound - {"candidate"}
        if not checks:
            idle = sorted(self._defined - {node.name for node in reachable if isinstance(node, _DEFINITIONS)})
            definitions = f": they define {', '.join(idle)}, which nothing calls" if idle else ""
            hint = "; entry_point names the function that check is called with" if "check" in idle else ""
            return f"nothing in them could fail{definitions}{hint}"
        uses_program = used & {entry_point, "candidate"} if entry_point else self.undefined_names
        has_check = bool(entry_point) and "check" in bound
        return "" if uses_program or has_check else "they use nothing that a program defines"

    def _reachable(self, tree: ast.Module, roots: set[str]) -> list[ast.AST]:
        """All nodes that may run: of the definitions, those that reachable code names."""
        statements = [node for node in _module_statements(tree) if not isinstance(node, _DEFINITIONS)]
        reachable = [node for statement in statements for node in _own_nodes(statement)]
        decorators = [part for node in self._definitions for part in node.decorator_list]
        reachable += [node for part in decorators for node in ast.walk(part)]
        waiting = self._defined
        named = roots | _names(reachable)
        while ready := waiting & named:
            waiting = waiting - ready
            definitions = [node for node in self._definitions if node.name in ready]
            new = [part for node in definitions for part in ast.walk(node)]
            reachable = reachable + new
            named = named | _names(new)
        return reachable

    def _checks(self, node: ast.AST, bound: set[str]) -> Iterator[str]:
        """How this statement could report that the program is wrong, if it could: assert, raise, call; smoke: a call of
        the program, which can only raise."""
        if isinstance(node, ast.Assert):
            constant = _constant(node.test)
            if constant is not True:
                yield "assert" if constant is None else "raise"
        elif isinstance(node, ast.Raise):
            yield "raise"
        if isinstance(node, ast.With | ast.AsyncWith):
            values = [item.context_expr for item in node.items]
        else:
            values = [*_may_raise(node.value)] if isinstance(node, ast.Expr) else []
        for value in values:
            functions = [part.func for part in ast.walk(value) if isinstance(part, ast.Call)]
            names = {part.id for part in functions if isinstance(part, ast.Name)} - set(vars(builtins)) - self._defined
            if names & bound or any(not isinstance(part, ast.Name) for part in functions):
                yield "call"
            elif names:
                yield "smoke"

    def _example_nodes(self) -> list[ast.AST]:
        if not self.examples:
            return []
        import doctest  # slow to import

        try:
            sources = [example.source for example in doctest.DocTestParser().get_examples(self.examples)]
            return [node for source in sources for node in ast.walk(ast.parse(source))]
        except (SyntaxError, ValueError):
            return []  # reported when they run


def is_collectable(node: Definition) -> bool:
    """Whether unittest or pytest would collect it, by its name or its base class."""
    if isinstance(node, ast.ClassDef):
        bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
        return node.name.startswith("Test") or any(base.endswith("TestCase") for base in bases)
    return node.name.startswith("test")


def _instrument(tree: ast.Module, definitions: list[Definition]) -> None:
    """assert x, y -> assert __checked__(x, line), y; except X -> except __caught__(X), where X may be StopIteration.
    Without recursion, since expressions may be as deep as Python's compiler allows."""
    collected = [node for node in definitions if not isinstance(node, ast.ClassDef) and is_collectable(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            node.test = _call("__checked__", node.test, ast.copy_location(ast.Constant(node.lineno), node))
        elif isinstance(node, ast.ExceptHandler) and node.type:
            node.type = _call("__caught__", node.type)
        elif isinstance(node, ast.Call):
            node.args = [_call("__caught__", value) if _is_stop(value) else value for value in node.args]
    for node in collected:
        name = ast.copy_location(ast.Constant(node.name), node)
        node.body.insert(0, ast.copy_location(ast.Expr(_call("__entered__", name)), node))


def _is_stop(node: ast.AST) -> bool:
    if isinstance(node, ast.Tuple):
        return any(map(_is_stop, node.elts))
    return isinstance(node, ast.Name) and node.id in ("StopIteration", "StopAsyncIteration")


def _call(name: str, *values: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), values[0])
    return ast.copy_location(ast.Call(function, list(values), []), values[0])


def _module_statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """The statements of the module itself, also those within if, for, while, try and with."""
    waiting = [*ast.iter_child_nodes(tree)][::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, (*_DEFINITIONS, ast.expr)):
            waiting += [*ast.iter_child_nodes(node)][::-1]


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """The statement and its expressions, without the statements within it."""
    yield statement
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.expr | ast.withitem):
            yield from ast.walk(node)
        elif isinstance(node, ast.ExceptHandler) and node.type:
            yield from ast.walk(node.type)


def _may_raise(value: ast.expr) -> Iterator[ast.expr]:
    """The parts of an expression statement that could raise to report an error: x == 1 could not, nor could print(x),
    but x == 1 or complain() could."""
    if isinstance(value, ast.BoolOp):
        for operand in value.values:
            yield from _may_raise(operand)
    elif isinstance(value, ast.UnaryOp):
        yield from _may_raise(value.operand)
    elif not isinstance(value, _HARMLESS):
        builtin = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and hasattr(builtins, value.func.id)
        yield from [] if builtin else [value]


def _names(nodes: list[ast.AST]) -> set[str]:
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _bound_names(tree: ast.Module) -> set[str]:
    """The names that the module itself gives a value."""
    nodes = [node for statement in _module_statements(tree) for node in _own_nodes(statement)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.name for node in nodes if isinstance(node, _DEFINITIONS)}
    imported = [alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    return names | {alias.asname or alias.name.partition(".")[0] for alias in imported}


def _constant(node: ast.expr) -> bool | None:
    """Whether an expression is always true or always false; None if that cannot be read off it."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.Tuple) and node.elts:
        return True  # assert (x, "words") is true whatever x is
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        operand = _constant(node.operand)
        return None if operand is None else not operand
    return None


def _code_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_names(constant)
