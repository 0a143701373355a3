"""Measure the bars of some systems, or of all, and say which hold; exit code 1 where one does not."""

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

SYSTEMS = sorted({each.name for each in pkgutil.iter_modules(acceptance.__path__)} - {"__main__", "bars"})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m acceptance", description=__doc__)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"of {', '.join(SYSTEMS)}; none: all")
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds of each arm (default: 5)")
    parser.add_argument("--loopback", action="store_true", help="only what needs no training")
    parser.add_argument("--folder", type=Path, default=Path("acceptance-runs"), help="where the runs are kept")
    wish = parser.parse_args()
    if unknown := sorted(set(wish.systems) - set(SYSTEMS)):
        parser.error(f"there is no system {unknown[0]!r}; there is: {', '.join(SYSTEMS)}")
    failed = 0
    for name in wish.systems or SYSTEMS:
        began = time.monotonic()
        print(f"\n## {name}\n\n| what | asked | seen | holds |\n|---|---|---|---|")
        for bar in bars(name, wish.folder / name, range(wish.seeds), wish.loopback):
            failed += not bar.holds
            print(f"| {bar.what} | {bar.asked} | {bar.seen} | {'yes' if bar.holds else '**no**'} |", flush=True)
        print(f"\n{time.monotonic() - began:.0f} s")
    print(f"\n{failed} bars do not hold" if failed else "\nEvery bar holds.")
    sys.exit(bool(failed))


def bars(name: str, folder: Path, seeds: range, loopback: bool) -> Iterator[Bar]:
    """All bars of a system, one by one as they are measured."""
    system = importlib.import_module(f"acceptance.{name}")
    folder.mkdir(parents=True, exist_ok=True)
    yield from system.loopback(folder)
    if not loopback:
        yield from system.learned(folder, seeds)


if __name__ == "__main__":
    main()
