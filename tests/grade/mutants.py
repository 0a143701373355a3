"""Programs with one thing wrong, and whether any input tells a program from another."""

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


def mutants(program: str, entry: str) -> Iterator[tuple[str, str]]:
    """Each program that comes of one change within the function, and the kind of the change."""
    same = ast.unparse(ast.parse(program))
    for at in range(sum(1 for _ in _changes(ast.parse(program), entry))):
        tree = ast.parse(program)
        kind, change = list(_changes(tree, entry))[at]
        change()
        if (made := ast.unparse(tree)) != same:
            yield kind, made


def _changes(tree: ast.Module, entry: str) -> Iterator[tuple[str, Callable[[], None]]]:
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == entry:
            for statement in function.body:
                if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):  # its words
                    for node in ast.walk(statement):
                        yield from _of(node)


def _of(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
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


def compared(one: str, other: str, tests: str, entry: str) -> str:
    """A program that runs both on what the tests give to the function, and on variations of it, for two seconds; it
    prints "differ" and the input, or "alike" and the number of inputs."""
    return (_VARIED + _COMPARED).format(one=one, other=other, tests=tests, entry=entry)


def asked(program: str, tests: str, entry: str) -> str:
    """A program that prints up to a hundred calls with variations of what the tests give to the function, as JSON,
    each with the plain value that it gives back; they are drawn apart from those of `compared`."""
    return (_VARIED + _ASKED).format(one=program, other=program, tests=tests, entry=entry)


_VARIED = """
import ast, copy, json, random, time

def load(source):
    names = {{}}
    exec(source, names)
    return names

ONE, OTHER, TESTS, ENTRY = {one!r}, {other!r}, {tests!r}, {entry!r}
one, other, given, draw = load(ONE), load(OTHER), [], random.Random(0)
known = [node.value for node in ast.walk(ast.parse(ONE + TESTS)) if isinstance(node, ast.Constant)]
words = [each for each in known if isinstance(each, str) and len(each) < 20] or ["a"]
words += [part for each in known if isinstance(each, str) for part in each.split() if len(each) < 80]
numbers = [each for each in known if type(each) is int and abs(each) < 10**5] or [0]

def record(*values):
    given.append(copy.deepcopy(values))
    return one[ENTRY](*values)

def vary(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw.choice((value + draw.choice((-2, -1, 1, 2)), draw.randrange(50), draw.choice(numbers)))
    if isinstance(value, float):
        return draw.choice((value + draw.choice((-1.0, -0.5, 0.25, 1.0)), float(draw.choice(numbers))))
    if isinstance(value, str):
        more = draw.choice((draw.choice(words), chr(draw.randrange(32, 127)), draw.choice(value or " ")))
        at = draw.randrange(len(value) + 1)
        made = (more, value[:at] + more + value[at:], value[:at] + more + value[at + 1:], value[:at], value[at:],
                value[::-1], value.swapcase(), value + " " + more)
        return draw.choice(made)
    if isinstance(value, list) and value:
        at = draw.randrange(len(value))
        made = (value[:at], value[at:], value[::-1], value + [value[at]], sorted(value, key=repr),
                value[:at] + [vary(value[at])] + value[at + 1:])
        return draw.choice(made)
    return tuple(map(vary, value)) if isinstance(value, tuple) else value

def said(names, values):
    try:
        return repr(names[ENTRY](*copy.deepcopy(values)))
    except Exception as error:
        return type(error).__name__

def varied():
    values = list(draw.choice(given))
    for _ in range(draw.randrange(4)):
        at = draw.randrange(len(values))
        values[at] = vary(values[at])
    return values

exec(TESTS, one)
one["check"](record)
"""
_COMPARED = """
count, over = 0, time.process_time() + 2
while time.process_time() < over:
    values = varied()
    if len(repr(values)) < 2000:
        first, second = said(one, values), said(other, values)
        if first != second:
            print("differ", values, first, second)
            raise SystemExit
        count += 1
print("alike", count)
"""
_ASKED = """
draw.seed(1)
found, over = {{}}, time.process_time() + 0.5
while time.process_time() < over and len(found) < 100:
    values, got = varied(), ""
    try:
        got = said(one, values)
        plain = repr(ast.literal_eval(got)) == got
    except (ValueError, SyntaxError):
        plain = False
    if plain and len(repr(values) + got) < 2000:
        found[repr(tuple(values))] = got
print(json.dumps(list(found.items())))
"""
