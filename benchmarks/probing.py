"""Where do samples fall with `solve: {probe: …}`, and where without? A solver whose pass rates are known.

    python -m benchmarks.probing

The pass rates of problems are drawn from a beta distribution; the share of samples that fall on problems in the band is
counted, at equal numbers of samples, over eight seeds, with its interval.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from selfsown.models import Reply, SamplingParams
from selfsown.prompting.probing import Band, Prober
from selfsown.records import Row
from selfsown.stats.intervals import student

BAND = (0.1, 0.9)
COUNT = 300  # problems that would take all samples
RATES = ((0.1, 0.1), (0.3, 0.6), (1.0, 1.0))  # parameters of beta distributions, from mostly 0 or 1 to uniform
SEEDS = range(8)
RIGHT, WRONG = Reply("", "right"), Reply("", "wrong")


def share_in_band(right: float, wrong: float, band: Band, n: int, seed: int) -> tuple[float, int]:
    """The share of samples in the band, and how many problems of the band got all n."""
    rng = random.Random(f"{right} {wrong} {seed}")
    rates = {str(place): rng.betavariate(right, wrong) for place in range(COUNT * n)}

    def ask(rows: Sequence[Row], params: SamplingParams) -> list[list[Reply]]:
        return [[RIGHT if rng.random() < rates[row.prompt] else WRONG for _ in range(params.n)] for row in rows]

    problems = [Row(prompt, "") for prompt in rates]
    prober = Prober(ask, lambda row, reply: reply is RIGHT, band, SamplingParams(n=n, seed=seed), COUNT)
    if band.probe:
        samples = [(rates[item.problem.prompt], len(item.replies)) for item in prober.run(iter(problems))]
    else:
        samples = [(rates[row.prompt], n) for row in problems[:COUNT]]
    inside = [count for rate, count in samples if BAND[0] <= rate <= BAND[1]]
    return sum(inside) / sum(count for _, count in samples), inside.count(n)


def main() -> None:
    for right, wrong in RATES:
        for n in (6, 16):
            for probe in (0, 2, 4):
                results = [share_in_band(right, wrong, Band(probe, *BAND), n, seed) for seed in SEEDS]
                low, high = student([share for share, _ in results])
                mean, whole = (sum(values) / len(SEEDS) for values in zip(*results, strict=True))
                print(
                    f"rates beta({right:g}, {wrong:g}), n {n}, probe {probe}: share in the band {mean:.3f} "
                    f"[{low:.3f}, {high:.3f}], {whole:.0f} problems in the band with all samples",
                    flush=True,
                )


if __name__ == "__main__":
    main()
