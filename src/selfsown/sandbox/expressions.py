"""Whether a text that sympy is to evaluate can only be an expression: sympy evaluates texts as Python."""

from __future__ import annotations

import re

_NAME = re.compile(r"[^\W\d]\w*")
_FUNCTIONS = re.compile(r"a?(?:sin|cos|tan|cot|sec|csc)h?|exp|log|ln|sqrt|pi|erf|Abs")
_NO_EXPRESSION = re.compile(r"__|[\[\]{}'\"\\:;@#=!<>]|\.\s*[^\W\d]|[^\W\d]\w*\s*\.")  # attributes, texts, lambdas


def is_expression(text: str) -> bool:
    """Whether sympy can evaluate it without calling anything but functions of numbers."""
    names = _NAME.findall(text)
    return not _NO_EXPRESSION.search(text) and all(len(name) == 1 or _FUNCTIONS.fullmatch(name) for name in names)
