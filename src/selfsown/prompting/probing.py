"""Few samples of a problem first, and the others only where its pass rate probably lies in a band.

Problems that are always or never solved teach little and take most samples. A probe of a few samples, with a prior
fitted to all probes of that level (empirical Bayes), says how probably a problem lies in the band.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from selfsown.models import Reply, SamplingParams
from selfsown.records import Row
from selfsown.stats.pass_rates import Beta, fit_beta

MIN_PROBABILITY = 0.5  # of lying in the band, for a problem that is asked for all its samples
LEVEL_WEIGHT = 10.0  # problems of all levels together that are added to those of one level, for its prior
MIN_WAVE = 0.02  # of the problems; fewer are not probed by themselves

Ask = Callable[[Sequence[Row], SamplingParams], list[list[Reply]]]


@dataclass(frozen=True)
class Band:
    """probe: samples of a problem at first. low, high: the band of pass rates."""

    probe: int
    low: float
    high: float


@dataclass
class Probed:
    """A problem with its replies so far. right: solved ones among the probe; probability: of lying in the band."""

    problem: Row
    replies: list[Reply]
    right: int
    probability: float = 0.0

    @property
    def summary(self) -> str:
        return f"{self.right} solved at first, in the band with probability {self.probability:.2f}"


@dataclass
class Prober:
    """Waves of probes until so many samples were made as `count` problems with `sampling.n` samples each take.

    ask: samples answers. solves: whether a reply is right. It is the same for the same seed and replies.
    """

    ask: Ask
    solves: Callable[[Row, Reply], bool]
    band: Band
    sampling: SamplingParams
    count: int
    probed: list[Probed] = field(default_factory=list)
    chosen: int = 0
    waves: int = 0

    @property
    def remaining(self) -> int:
        """Samples that are left."""
        rest = self.sampling.n - self.band.probe
        return self.count * self.sampling.n - len(self.probed) * self.band.probe - self.chosen * rest

    def run(self, problems: Iterator[Row]) -> list[Probed]:
        """All problems that were probed, in their order, with their replies."""
        while size := self._wave_size():
            wave = list(islice(problems, size))
            if not wave:
                break
            self._probe(wave)
        return self.probed

    def _wave_size(self) -> int:
        """How many problems can be probed, if as many of them are chosen as before; 0 where it is not worthwhile."""
        if not self.probed:
            return self.count
        if self.chosen >= self.count:
            return 0
        share = self.chosen / len(self.probed)
        size = int(self.remaining / (self.band.probe + share * (self.sampling.n - self.band.probe)))
        return size if size >= max(1.0, MIN_WAVE * self.count) else 0

    def _probe(self, problems: Sequence[Row]) -> None:
        groups = self.ask(problems, self._sampling(self.band.probe, "probe"))
        wave = [
            Probed(row, list(replies), sum(self.solves(row, reply) for reply in replies))
            for row, replies in zip(problems, groups, strict=True)
        ]
        self.probed += wave
        priors = self._priors()
        for item in wave:
            posterior = priors[item.problem.level].after(item.right, self.band.probe)
            item.probability = posterior.between(self.band.low, self.band.high)
        rest = self.sampling.n - self.band.probe
        likely = [item for item in wave if item.probability >= MIN_PROBABILITY]
        likely = sorted(likely, key=lambda item: -item.probability)[: self.remaining // rest]
        self.chosen += len(likely)
        more = self.ask([item.problem for item in likely], self._sampling(rest, "rest")) if likely else []
        for item, replies in zip(likely, more, strict=True):
            item.replies += replies
        self.waves += 1

    def _sampling(self, n: int, part: str) -> SamplingParams:
        """A seed of its own for each call, so that no sample is drawn twice."""
        return replace(
            self.sampling, n=n, seed=random.Random(f"{part} {self.waves} {self.sampling.seed}").getrandbits(32)
        )

    def _priors(self) -> dict[int, Beta]:
        """The prior of each level, drawn towards that of all levels where few of its problems were probed."""
        counts = defaultdict[int, list[int]](list)
        for item in self.probed:
            counts[item.problem.level].append(item.right)
        probe = self.band.probe
        whole = fit_beta([item.right for item in self.probed], probe)
        return {level: fit_beta(rights, probe, whole, LEVEL_WEIGHT) for level, rights in counts.items()}
