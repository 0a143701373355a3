"""Programs with one mutation each, and programs that search for an input on which two programs differ."""

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


def comparison_program(first: str, second: str, tests: str, entry_point: str) -> str:
    """A program that runs both functions, for two seconds, on the arguments that the tests use and on variations of
    them; it prints "differ" and the arguments, or "equal" and the number of inputs."""
    return (_VARIATIONS + _COMPARISON).format(first=first, second=second, tests=tests, entry_point=entry_point)


def sampling_program(program: str, tests: str, entry_point: str) -> str:
    """A program that prints up to a hundred calls with variations of the arguments that the tests use, as JSON, each
    with the plain value that it returns; they are drawn independently of those of `comparison_program`."""
    return (_VARIATIONS + _SAMPLING).format(first=program, second=program, tests=tests, entry_point=entry_point)


_VARIATIONS = """
import ast, copy, json, random, time

def load(source):
    names = {{}}
    exec(source, names)
    return names

FIRST, SECOND, TESTS, ENTRY_POINT = {first!r}, {second!r}, {tests!r}, {entry_point!r}
first, second, recorded, draw = load(FIRST), load(SECOND), [], random.Random(0)
known = [node.value for node in ast.walk(ast.parse(FIRST + TESTS)) if isinstance(node, ast.Constant)]
words = [each for each in known if isinstance(each, str) and len(each) < 20] or ["a"]
words += [part for each in known if isinstance(each, str) for part in each.split() if len(each) < 80]
numbers = [each for each in known if type(each) is int and abs(each) < 10**5] or [0]

def record(*values):
    recorded.append(copy.deepcopy(values))
    return first[ENTRY_POINT](*values)

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

def outcome(names, values):
    try:
        return repr(names[ENTRY_POINT](*copy.deepcopy(values)))
    except Exception as error:
        return type(error).__name__

def variation():
    values = list(draw.choice(recorded))
    for _ in range(draw.randrange(4)):
        at = draw.randrange(len(values))
        values[at] = vary(values[at])
    return values

exec(TESTS, first)
first["check"](record)
"""
_COMPARISON = """
count, end = 0, time.process_time() + 2
while time.process_time() < end:
    values = variation()
    if len(repr(values)) < 2000:
        outcomes = outcome(first, values), outcome(second, values)
        if outcomes[0] != outcomes[1]:
            print("differ", values, *outcomes)
            raise SystemExit
        count += 1
print("equal", count)
"""
_SAMPLING = """
draw.seed(1)
calls, end = {{}}, time.process_time() + 0.5
while time.process_time() < end and len(calls) < 100:
    values, got = variation(), ""
    try:
        got = outcome(first, values)
        plain = repr(ast.literal_eval(got)) == got
    except (ValueError, SyntaxError):
        plain = False
    if plain and len(repr(values) + got) < 2000:
        calls[repr(tuple(values))] = got
print(json.dumps(list(calls.items())))
"""
