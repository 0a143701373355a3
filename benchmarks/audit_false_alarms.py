"""False alarms of `selfsown audit`: rows compared with other rows of the same source, so that every alarm is one.

python -m benchmarks.audit_false_alarms --comparisons 200
python -m benchmarks.audit_false_alarms --comparisons 100 --file rows.jsonl --lexicon gender.yaml

Without a file the rows are those of `benchmarks.audit`, of two regions; of a file, each comparison draws its rows anew.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.audit import write_rows
from selfsown.audit.audit import Audit
from selfsown.audit.inputs import run_audit
from selfsown.audit.options import AuditOptions

MARGIN = 1.96  # standard errors: the 97.5 % quantile


def compare(folder: Path, seed: int, args: argparse.Namespace) -> Audit:
    """Audit `args.rows` rows against twice as many others."""
    synthetic, real = folder / "synthetic.jsonl", folder / "real.jsonl"
    if args.file:
        lines = args.file.read_text(encoding="utf-8").splitlines()
        drawn = random.Random(seed).sample(lines, 3 * args.rows)
        synthetic.write_text("\n".join(drawn[: args.rows]), encoding="utf-8")
        real.write_text("\n".join(drawn[args.rows :]), encoding="utf-8")
    else:
        write_rows(synthetic, args.rows, 2 * seed)
        write_rows(real, 2 * args.rows, 2 * seed + 1)
    attributes = () if args.file else ("region",)
    return run_audit(str(synthetic), str(real), AuditOptions(attribute=attributes, lexicon=args.lexicon, seed=seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--rows", type=int, default=500, help="synthetic rows; real ones are twice as many")
    parser.add_argument("--file", type=Path, help="JSON lines to draw rows from")
    parser.add_argument("--lexicon", type=Path)
    args = parser.parse_args()
    significant, alarms, tests = Counter[str](), Counter[str](), 0
    any_significant = any_alarm = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.comparisons):
            result = compare(Path(folder), seed, args)
            names = [signal.name for signal in result.signals if signal.significant]
            significant.update(names)
            alarms.update(alarm.name for alarm in result.alarms)
            any_significant += bool(names)
            any_alarm += bool(result.alarms)
            tests = len(result.signals)
    expected = 0.05 * args.comparisons
    limit = expected + MARGIN * (0.95 * expected) ** 0.5
    print(f"{args.comparisons} comparisons of {args.rows} with {2 * args.rows} rows, {tests} checks each:")
    print(f"{any_significant} with a significant difference ({expected:g} expected, up to {limit:.0f} by chance)")
    print(f"{any_alarm} with an alarm, that is, a significant difference above its tolerance")
    print(f"significant: {dict(significant)}; alarms: {dict(alarms)}")


if __name__ == "__main__":
    main()
