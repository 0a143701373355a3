"""YAML as people expect it: what YAML 1.1 takes for a time of day, a date or an octal number is not one."""

from __future__ import annotations

import re
from typing import Any

import yaml

_INTEGER, _FLOAT, _DATE = (f"tag:yaml.org,2002:{name}" for name in ("int", "float", "timestamp"))
_DECIMAL = r"[-+]?(\.[0-9_]+|[0-9][0-9_]*\.[0-9_]*)([eE][-+]?[0-9]+)?"


class YamlLoader(yaml.SafeLoader):
    """`1:30` and `2024-01-01` stay text, `010` is ten, and `1.0e3` is a number; all else as in YAML 1.1."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [pair for pair in pairs if pair[0] not in (_INTEGER, _FLOAT, _DATE)]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _integer(loader: YamlLoader, node: yaml.ScalarNode) -> int:
    digits = str(loader.construct_scalar(node)).replace("_", "")
    return int(digits, 16 if "x" in digits else 10)


YamlLoader.add_constructor(_INTEGER, _integer)
YamlLoader.add_implicit_resolver(_INTEGER, re.compile("[-+]?(0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"), [*"-+0123456789"])
YamlLoader.add_implicit_resolver(
    _FLOAT, re.compile(rf"({_DECIMAL}|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"), [*"-+.0123456789"]
)


def load_yaml(text: str) -> Any:
    """The plain values of a YAML text. Raises yaml.YAMLError."""
    return yaml.load(text, YamlLoader)
