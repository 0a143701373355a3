"""Read and check the inputs of an audit: options, columns, lexicon and benchmarks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import yaml

from selfsown import progress
from selfsown.audit.audit import Audit, audit
from selfsown.audit.contamination import BenchmarkMatches
from selfsown.audit.data_source import ColumnNames, DataSource, open_source
from selfsown.audit.drop import check_destination, drop
from selfsown.audit.options import AuditOptions
from selfsown.audit.scan import scan
from selfsown.audit.suggestion import suggest_attributes
from selfsown.audit.text_view import MIN_ROWS, Tolerances
from selfsown.errors import DataError, SelfsownError
from selfsown.signals.attributes import Attributes

LEXICON_SHAPE = "attribute: {value: [word, …], other: 'a regular expression'}"


def run_audit(synthetic: str, real: str, options: AuditOptions) -> Audit:
    """Read both data sets and compare them.

    synthetic, real: paths of files or folders, as `open_source` takes them.
    SelfsownError: an option does not fit. DataError: a file, column or benchmark cannot be read. What can be checked is
    checked before any data set is read.
    """
    tolerances = _tolerances(options)
    if options.sample < MIN_ROWS:
        raise SelfsownError(f"--sample is {options.sample}; it must be {MIN_ROWS} or more")
    if options.seed < 0:
        raise SelfsownError(f"--seed is {options.seed}; it must be 0 or more")
    lexicon = _lexicon(options.lexicon)
    if both := [name for name in options.attribute if name in lexicon]:
        raise SelfsownError(
            f"--attribute {both[0]} is also defined in --lexicon {options.lexicon}; keep it in one of them"
        )
    attributes: Attributes = {**{name: {} for name in options.attribute}, **lexicon}
    columns = _attribute_columns(options.attribute, lexicon)
    names = ColumnNames(options.text, options.prompt, options.answer)
    synthetic_source = open_source(synthetic, names, columns)
    real_names = ColumnNames(options.real_text, required=True) if options.real_text else names
    real_source = open_source(real, real_names, columns)
    benchmark_sources = _benchmark_sources(options)
    _check_columns(options, [synthetic_source, real_source, *benchmark_sources.values()])
    out = _destination(synthetic, real, options, synthetic_source)
    benchmarks = BenchmarkMatches() if benchmark_sources else None
    for name, source in benchmark_sources.items():
        if benchmarks:
            benchmarks.add(name, progress.track(source.rows(), f"reading {name}", unit="questions"))
    single = {name: attributes.get(name, {}) for name in (*columns, *lexicon)}
    synthetic_scan = scan(synthetic_source, options.sample, options.seed, benchmarks, single)
    real_scan = scan(real_source, 2 * options.sample, options.seed + 1, attributes=single)
    suggestion = None
    if not attributes:
        suggestion = suggest_attributes(synthetic, real, (synthetic_source, real_source), options)
    result = audit(
        synthetic_scan, real_scan, attributes, benchmarks, tolerances, seed=options.seed, suggestion=suggestion
    )
    return replace(result, dropped=drop(synthetic_source, real_source, synthetic_scan, out)) if out else result


def _destination(synthetic: str, real: str, options: AuditOptions, source: DataSource) -> Path | None:
    """The file that `--drop` names, checked; None without it."""
    if not options.drop:
        return None
    out, lexicon = Path(options.drop), [options.lexicon] if options.lexicon else []
    check_destination(out, source, [Path(synthetic), Path(real), *map(Path, options.benchmark), *lexicon])
    return out


def _tolerances(options: AuditOptions) -> Tolerances:
    values = {field.name: float(getattr(options, f"max_{field.name}")) for field in fields(Tolerances)}
    for name, value in values.items():
        if not 0 < value < 100:
            option = f"--max-{name.replace('_', '-')}"
            raise SelfsownError(f"{option} is {value:g}; it must be above 0 and below 100, such as 0.1 for 10 %")
    return Tolerances(**values)


def _attribute_columns(attributes: Sequence[str], lexicon: Attributes) -> tuple[str, ...]:
    """The columns to read for attributes; those joined by + are read one by one, and a lexicon's are no columns."""
    parts = [part for name in attributes for part in name.split("+")]
    return tuple(part for part in dict.fromkeys(parts) if part not in lexicon)


def _benchmark_sources(options: AuditOptions) -> dict[str, DataSource]:
    """Each benchmark by its file's name, or by its path where two files have the same name."""
    if options.benchmark_text:
        names = ColumnNames(options.benchmark_text, required=True, questions_only=True)
    else:
        names = ColumnNames(options.text, options.prompt, options.answer, questions_only=True)
    paths = [str(path) for path in options.benchmark]  # from Python, they may be of another type
    file_names = [Path(path).name for path in paths]
    return {
        name if file_names.count(name) == 1 else path: open_source(path, names)
        for name, path in zip(file_names, paths, strict=True)
    }


def _check_columns(options: AuditOptions, sources: Sequence[DataSource]) -> None:
    """DataError: a named column is in none of the files."""
    for option, name in (("text", options.text), ("prompt", options.prompt), ("answer", options.answer)):
        if name and not any(name in source.available for source in sources):
            available = ", ".join(dict.fromkeys(column for source in sources for column in source.available))
            raise DataError(f"--{option} is {name}; no file has such a column; available: {available}")


def _lexicon(path: Path | None) -> Attributes:
    """The values of each attribute, each as one regular expression."""
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"--lexicon {path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(values, dict) and values for values in content.values()):
        raise DataError(f"--lexicon {path} has another structure; expected {LEXICON_SHAPE}")
    return {
        str(name): {str(value): _pattern(words, path) for value, words in values.items()}
        for name, values in content.items()
    }


def _pattern(words: object, path: Path) -> str:
    if isinstance(words, str) and words:
        try:
            re.compile(words)
        except re.error as error:
            raise DataError(f"--lexicon {path}: {words!r} is not a valid regular expression: {error}") from error
        return words
    if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
        return rf"\b(?:{'|'.join(map(re.escape, words))})\b"
    raise DataError(f"--lexicon {path}: {words!r} is neither words nor a regular expression; expected {LEXICON_SHAPE}")
