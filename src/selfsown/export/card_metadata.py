"""The head of a card, in YAML: what a hub and `datasets.load_dataset` read."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pyarrow
import yaml

MARK = "selfsown"  # the tag by which an export of ours is known
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
# As the hub spells the licences it knows; any other is named beside "other".
PLAIN = ("apache-2.0", "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "mit", "odbl", "odc-by", "pddl")
LICENCES = {*PLAIN, "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0"}


def head(name: str, rows: int, schema: pyarrow.Schema, kind: str, licences: Collection[str]) -> str:
    """licences: what is declared for the real rows, "" where nothing is."""
    files = [{"split": "train", "path": f"data/train-*.{kind}"}]
    found = _licence({each.strip().lower() for each in licences}) | {
        "pretty_name": name,
        "size_categories": [next((size for most, size in SIZES if rows < most), "n>10M")],
        "tags": ["synthetic", MARK],
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {"config_name": "default", "features": [_feature(field) for field in schema]},
    }
    return f"---\n{yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=100)}---"


def _licence(declared: set[str]) -> dict[str, str]:
    if not declared or "" in declared:
        return {"license": "unknown"}
    if len(declared) > 1:
        return {"license": "other", "license_name": "several"}
    (licence,) = declared
    if licence in LICENCES:
        return {"license": licence}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.]+", "-", licence).strip("-") or "own"}


def _feature(field: pyarrow.Field) -> dict[str, Any]:
    if pyarrow.types.is_struct(field.type):
        return {"name": field.name, "struct": list(map(_feature, field.type))}
    if not pyarrow.types.is_list(field.type):
        return {"name": field.name, "dtype": str(field.type).replace("double", "float64")}
    inside = field.type.value_type
    return {"name": field.name, "list": list(map(_feature, inside)) if pyarrow.types.is_struct(inside) else str(inside)}
