"""Measure the bars of some systems, or of all, and print which pass; exit code 1 if one does not."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import acceptance
from acceptance.bars import Bar

SYSTEMS = sorted({module.name for module in pkgutil.iter_modules(acceptance.__path__)} - {"__main__", "bars"})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m acceptance", description=__doc__)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"of {', '.join(SYSTEMS)} (default: all)")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds for each arm (default: 5)")
    parser.add_argument("--loopback", action="store_true", help="only what needs no training")
    parser.add_argument("--folder", type=Path, default=Path("acceptance-runs"), help="where the runs are kept")
    args = parser.parse_args()
    if unknown := sorted(set(args.systems) - set(SYSTEMS)):
        parser.error(f"unknown system {unknown[0]!r}; available: {', '.join(SYSTEMS)}")
    failed = 0
    for name in args.systems or SYSTEMS:
        start = time.monotonic()
        print(f"\n## {name}\n\n| measure | requirement | result | passed |\n|---|---|---|---|")
        for bar in bars(name, args.folder / name, range(args.seeds), args.loopback):
            failed += not bar.passed
            passed = "yes" if bar.passed else "**no**"
            print(f"| {bar.measure} | {bar.requirement} | {bar.result} | {passed} |", flush=True)
        print(f"\n{time.monotonic() - start:.0f} s")
    print(f"\n{failed} bars did not pass" if failed else "\nEvery bar passed.")
    sys.exit(bool(failed))


def bars(name: str, folder: Path, seeds: range, loopback: bool) -> Iterator[Bar]:
    """All bars of a system, one by one as they are measured."""
    system = importlib.import_module(f"acceptance.{name}")
    folder.mkdir(parents=True, exist_ok=True)
    yield from system.loopback(folder)
    if not loopback:
        yield from system.trained(folder, seeds)


if __name__ == "__main__":
    main()
