"""Jinja2's sandbox with limits: few functions, no more than so many characters, iterations and seconds.

The limits are enforced in the syntax tree, since the sandbox itself lets a loop run, and a text grow, without end.
"""

from __future__ import annotations

import json
import re
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import ChainableUndefined, TemplateSyntaxError, meta, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from selfsown.errors import suggest
from selfsown.templates.definitions import RECORD, TemplateError

MAX_CHARS = 10_000_000  # of a rendered text, and of any text on the way there
MAX_ITERATIONS = 10_000  # of all loops of one rendering together
MAX_SECONDS = 5.0  # of one rendering with a loop
MAX_BITS = 256  # of a whole number
MAX_WHOLE_FLOAT = 1e15  # a float with a whole value below it is written without a point

METHODS = {
    *("capitalize", "casefold", "count", "endswith", "find", "get", "isalpha", "isdigit", "islower", "isspace"),
    *("isupper", "items", "keys", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "rpartition"),
    *("rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper", "values"),
}
FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "last"),
    *("length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select"),
    *("selectattr", "sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount"),
)
UNAVAILABLE = (
    *(nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block),
    *(nodes.EvalContextModifier, nodes.ScopedEvalContextModifier, nodes.NSRef),
)
_limits = threading.local()  # of the rendering in this thread: iterations left, and when it must have ended


class Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with the limits as methods that its templates call."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=ChainableUndefined, finalize=written, optimized=False)
        self.globals = {"range": self.counted_range}
        self.filters = {name: JINJA_FILTERS[name] for name in FILTERS}
        self.filters |= {"replace": replaced, "join": joined, "tojson": as_json}

    def counted_range(self, *arguments: int) -> range:
        numbers = range(*arguments)
        self.tick(len(numbers))
        return numbers

    def tick(self, count: int = 1) -> str:
        """Count iterations. SecurityError beyond the limits."""
        _limits.left -= count
        if _limits.left < 0:
            raise SecurityError(f"it takes more than {MAX_ITERATIONS:,} iterations")
        if time.monotonic() > _limits.end:
            raise SecurityError(f"it takes more than {MAX_SECONDS:g} seconds")
        return ""

    def concatenated(self, *parts: object) -> str:
        """What `~` gives."""
        return limited([written(part) for part in parts])

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry before a method of the same name."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        if obj in (self.tick, self.concatenated, self.counted_range):
            return True
        return isinstance(getattr(obj, "__self__", None), str | dict) and obj.__name__ in METHODS

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.is_safe_callable(obj):
            name = getattr(obj, "_undefined_name", None) or getattr(obj, "__name__", type(obj).__name__)
            raise SecurityError(f"{name}() is not available in templates")
        return obj(*args, **{name: value for name, value in kwargs.items() if not name.startswith("_")})

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        raise SecurityError(f"the attribute {attribute!r} of {type(obj).__name__} may not be read")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return limited([left, right])
        sizes = [number.bit_length() for number in (left, right) if isinstance(number, int)]
        if not all(isinstance(number, int | float) for number in (left, right)):
            raise SecurityError(
                f"{type(left).__name__} {operator} {type(right).__name__} does not work; ~ joins any values"
            )
        if (sum(sizes) if operator != "**" else sizes[0] * abs(right) if sizes else 0) > MAX_BITS:
            raise SecurityError(f"a number has more than {MAX_BITS} bits")
        return super().call_binop(context, operator, left, right)


def limited(parts: Iterable[str]) -> str:
    """The parts as one text. SecurityError where it is too long."""
    texts = list(parts)
    if sum(map(len, texts)) > MAX_CHARS:
        raise SecurityError(f"it has more than {MAX_CHARS:,} characters")
    return "".join(texts)


def written(value: object) -> str:
    """A value as text: null and what is missing as nothing, true and whole numbers as JSON has them, lists as JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined) or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_WHOLE_FLOAT:
        return str(int(value))
    if isinstance(value, list | tuple | dict):
        return as_json(value)
    if callable(value) or isinstance(value, bytes) or type(value).__module__.startswith("jinja2"):
        raise SecurityError(f"it writes a {type(value).__name__}, which is no text")
    return str(value)


def as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=written)


def replaced(text: object, old: object, new: object) -> str:
    whole, before, after = written(text), written(old), written(new)
    if len(whole) + whole.count(before) * len(after) > MAX_CHARS:
        raise SecurityError(f"it has more than {MAX_CHARS:,} characters")
    return whole.replace(before, after)


def joined(values: Iterable[object], separator: str = "") -> str:
    texts = [written(value) for value in values]
    limited([*texts, *([separator] * min(len(texts), MAX_CHARS))])
    return separator.join(texts)


@dataclass(frozen=True)
class Template:
    """A compiled template. names: the columns that it names; uses_record: it may use any other one, too."""

    names: frozenset[str]
    uses_record: bool
    jinja: JinjaTemplate

    @classmethod
    def of(cls, text: str) -> Template:
        """TemplateError: the text is no template, or does what templates may not do."""
        environment = Environment()
        try:
            tree = environment.parse(text)
            _refuse_unavailable(tree)
            names = meta.find_undeclared_variables(tree) - environment.globals.keys()
            by_name, dynamic = _record_columns(tree)
            _add_limits(tree)
            code = environment.compile(tree)
        except TemplateSyntaxError as error:
            reason = (error.message or "it cannot be read").rstrip(".")
            if named := re.match(r"No filter named '(.*)'", reason):
                reason = f"there is no filter {named[1]!r}{suggest(named[1], environment.filters)}"
            raise TemplateError(f"line {error.lineno} of the template: {reason}{_literal(reason)}") from error
        except RecursionError as error:
            raise TemplateError("line 1 of the template: it is nested too deeply") from error
        jinja = JinjaTemplate.from_code(environment, code, environment.globals)
        return cls(frozenset((names - {RECORD}) | by_name), dynamic, jinja)

    def render(self, values: Mapping[str, object]) -> str:
        """The text for these values, without the line breaks at its ends. TemplateError, with the line."""
        _limits.left, _limits.end = MAX_ITERATIONS, time.monotonic() + MAX_SECONDS
        parts, size = list[str](), 0
        try:
            for part in self.jinja.root_render_func(self.jinja.new_context(dict(values))):
                size += len(part)
                if size > MAX_CHARS:
                    raise SecurityError(f"it has more than {MAX_CHARS:,} characters")
                parts.append(part)
        except Exception as error:  # an expression over any value may fail in any way
            lines = [
                frame.lineno or 1 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FILE
            ]
            line = self.jinja.get_corresponding_lineno(lines[-1]) if lines else 1
            raise TemplateError(f"line {line} of the template: {' '.join(str(error).split())}") from error
        return "".join(parts).strip("\r\n")


_FILE = "<template>"  # as Jinja2 calls the file of a template that is none


def _literal(reason: str) -> str:
    unexpected = "expected" in reason or "unexpected" in reason
    return "; for braces as they stand: {% raw %}{{ … }}{% endraw %}" if unexpected else ""


def _refuse_unavailable(tree: nodes.Template) -> None:
    """TemplateSyntaxError where the template does what templates over columns may not do."""
    for node in tree.find_all(nodes.Node):
        name = type(node).__name__.lower()
        if isinstance(node, UNAVAILABLE) or (isinstance(node, nodes.For) and node.recursive):
            raise TemplateSyntaxError(f"{name} is not available in templates over columns", node.lineno)
        key = node.attr if isinstance(node, nodes.Getattr) else None
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and not _is_record(node.node):
            key = node.arg.value
        if isinstance(key, str) and key.startswith("_"):
            raise TemplateSyntaxError(f"{key!r} may not be read: it begins with an underscore", node.lineno)
        if isinstance(node, nodes.Name) and node.name == RECORD and node.ctx != "load":
            raise TemplateSyntaxError(f"{RECORD!r} is the whole record; use another name", node.lineno)


def _is_record(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == RECORD


def _record_columns(tree: nodes.Template) -> tuple[set[str], bool]:
    """The columns in `row["name"]` and `row.name`; whether the record is used in any other way."""
    names = {str(node.attr) for node in tree.find_all(nodes.Getattr) if _is_record(node.node)}
    uses = sum(_is_record(node.node) for node in tree.find_all(nodes.Getattr))
    for node in tree.find_all(nodes.Getitem):
        if _is_record(node.node) and isinstance(node.arg, nodes.Const):
            names.add(str(node.arg.value))
            uses += 1
    return names, uses < sum(_is_record(node) for node in tree.find_all(nodes.Name))


def _add_limits(tree: nodes.Template) -> None:
    """Each iteration is counted, and `~` cannot make a text too long."""
    for loop in list(tree.find_all(nodes.For)):
        tick = nodes.Call(nodes.EnvironmentAttribute("tick"), [], [], None, None)
        loop.body.insert(0, nodes.ExprStmt(tick, lineno=loop.lineno))
    for node in list(tree.find_all(nodes.Node)):
        for field, value in list(node.iter_fields()):
            if isinstance(value, nodes.Concat):
                setattr(node, field, _checked_concat(value))
            elif isinstance(value, list):
                value[:] = [_checked_concat(item) if isinstance(item, nodes.Concat) else item for item in value]


def _checked_concat(node: nodes.Concat) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute("concatenated"), node.nodes, [], None, None, lineno=node.lineno)
