"""Does the monitor detect a collapsing loop, and stay silent on a healthy one? Loops over a known distribution.

    python -m benchmarks.collapse --runs 20              # every arm, ten generations: half an hour on one core
    python -m benchmarks.collapse accumulate oracle

A document has a group (60, 30 and 10 %), 24 words by the group's topics, and a question with its answer; 2 % of the
real answers are wrong. The model counts words after words, by group, with back-off, and answers to questions, of which
it forgets 3 % in each generation. What is tested are the signals, the status and the resampling of selfsown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from selfsown.records import Score, Signal, Unit
from selfsown.signals.baseline_test import worsened
from selfsown.signals.discriminator import likeness
from selfsown.signals.measures import (
    log_odds_change,
    log_odds_error,
    rare_ngrams_lost,
    shift,
    shift_error,
    vendi_lost,
)
from selfsown.signals.permutation_test import MeasureSpec, drift, with_significance
from selfsown.signals.reference import ReferenceCorpus
from selfsown.signals.status import overall_status
from testing.toy_documents import GROUPS, VOCABULARY_SIZE, WORDS_PER_DOCUMENT, ToyDocuments, draw_columns

DOCUMENTS, SAMPLE, HELD_OUT, GENERATIONS, BASELINES = 2000, 1000, 2000, 10, 5
QUESTIONS, NOISE, FORGETS = 100, 0.02, 0.03
RIGHT, WRONG = 0.98, 0.05  # how often the verifier passes right and wrong answers
TOLERANCES: tuple[tuple[float, Unit], ...] = ((0.02, "%"), (0.02, "points"))


@dataclass
class Documents:
    """group, words (n, words), question, answer, of n documents; an answer is right if it equals the question."""

    group: np.ndarray
    words: np.ndarray
    question: np.ndarray
    answer: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def select(self, indices: np.ndarray) -> Documents:
        return Documents(self.group[indices], self.words[indices], self.question[indices], self.answer[indices])

    def join(self, other: Documents) -> Documents:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Documents(*(np.concatenate(pair) for pair in pairs))

    @property
    def texts(self) -> list[str]:
        return [" ".join(f"w{word}" for word in line) for line in self.words]


class Task:
    """Where real documents come from."""

    def __init__(self) -> None:
        self.source = ToyDocuments()
        popular = 1 / np.arange(1, QUESTIONS + 1)
        self.popular = popular / popular.sum()

    def real(self, count: int, rng: np.random.Generator) -> Documents:
        texts, groups = self.source.write(count, int(rng.integers(1 << 31)))
        words = np.array([[int(word[1:]) for word in text.split()] for text in texts])
        question = rng.choice(QUESTIONS, count, p=self.popular)
        answer = np.where(rng.random(count) < NOISE, rng.integers(QUESTIONS, size=count), question)
        return Documents(np.array([GROUPS.index(group) for group in groups]), words, question, answer)


@dataclass
class Model:
    """Counts, as shares: of groups, of first words and of words after words in each group, of questions, of answers."""

    groups: np.ndarray
    first: np.ndarray
    after: np.ndarray
    questions: np.ndarray
    answers: np.ndarray

    @classmethod
    def of(cls, documents: Documents, weights: np.ndarray) -> Model:
        groups = np.bincount(documents.group, weights, 3)
        first, after = np.zeros((3, VOCABULARY_SIZE)), np.zeros((3, VOCABULARY_SIZE, VOCABULARY_SIZE))
        np.add.at(first, (documents.group, documents.words[:, 0]), weights)
        preceding, following = documents.words[:, :-1], documents.words[:, 1:]
        np.add.at(after, (documents.group[:, None], preceding, following), weights[:, None])
        all_groups, overall = after.sum(0, keepdims=True), after.sum((0, 1))
        smoothed = 0.55 * _shares(after) + 0.3 * _shares(all_groups) + 0.15 * overall / overall.sum()
        answers = np.zeros((QUESTIONS, QUESTIONS))
        np.add.at(answers, (documents.question, documents.answer), weights)
        answers[answers.sum(1) == 0] = 1.0
        answer_shares = (1 - FORGETS) * _shares(answers) + FORGETS / QUESTIONS
        first_smoothed = 0.9 * _shares(first) + 0.1 * overall / overall.sum()
        return cls(
            groups / groups.sum(),
            first_smoothed,
            _shares(smoothed),
            _shares(np.bincount(documents.question, weights, QUESTIONS)),
            answer_shares,
        )

    def write(self, count: int, temperature: float, rng: np.random.Generator) -> Documents:
        cooled = [_shares(table ** (1 / temperature)).cumsum(-1) for table in vars(self).values()]
        groups, first, after, questions, answers = cooled
        group = draw_columns(np.broadcast_to(groups, (count, 3)), rng)
        words = [draw_columns(first[group], rng)]
        for _ in range(WORDS_PER_DOCUMENT - 1):
            words.append(draw_columns(after[group, words[-1]], rng))
        question = draw_columns(np.broadcast_to(questions, (count, QUESTIONS)), rng)
        return Documents(group, np.stack(words, 1), question, draw_columns(answers[question], rng))

    def scores(self, held_out: Documents) -> tuple[Score, Score]:
        """Bits per word of real text, and the mean chance of a right answer over the questions."""
        loss, accuracy = float(self.surprise(held_out).mean()), float(np.diag(self.answers).mean())
        score = Score("accuracy", accuracy, len(held_out), accuracy, accuracy)
        return Score("loss", loss, len(held_out), loss, loss, direction="lower"), score

    def surprise(self, documents: Documents) -> np.ndarray:
        """Bits per word of each document."""
        preceding, following = documents.words[:, :-1], documents.words[:, 1:]
        return -np.log2(np.maximum(self.after[documents.group[:, None], preceding, following], 1e-6)).mean(1)


def _shares(counts: np.ndarray) -> np.ndarray:
    totals = counts.sum(-1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros_like(counts, float), where=totals > 0)


@dataclass(frozen=True)
class Arm:
    """How a loop continues. real: the share of real rows in the mix; odds: how many times as often the verifier passes
    the largest group."""

    temperature: float = 0.9
    keeps: bool = False  # the rows of every generation stay
    real: float = 0.0
    verify: bool = False
    odds: float = 1.0
    quota: bool = False
    resample: bool = False
    rarest: bool = False  # of the verified rows, those with the highest loss under a model of real rows
    source: str = "last"  # "task": fresh real rows; "first": always the first model


ARMS = {
    "oracle": Arm(source="task"),
    "frozen": Arm(source="first"),
    "replace T=1": Arm(1.0),
    "replace": Arm(),
    "replace+verify": Arm(verify=True),
    "10 % real": Arm(real=0.1),
    "30 % real": Arm(real=0.3),
    "accumulate": Arm(keeps=True),
    "acc+verify": Arm(keeps=True, verify=True),
    "acc+biased": Arm(keeps=True, verify=True, odds=1.25),
    "T=1": Arm(1.0, keeps=True),
    "T=1+verify": Arm(1.0, keeps=True, verify=True),
    "+ a third real": Arm(1.0, keeps=True, verify=True, real=1 / 3),
    "+ quota": Arm(1.0, keeps=True, verify=True, real=1 / 3, quota=True),
    "+ resample": Arm(1.0, keeps=True, verify=True, real=1 / 3, quota=True, resample=True),
    "+ rarest": Arm(1.0, keeps=True, verify=True, real=1 / 3, quota=True, rarest=True),
}
HEALTHY = ("oracle", "frozen", "+ resample")


@dataclass
class History:
    """The status of each generation, and the differences of the last one from a fresh real sample."""

    statuses: list[str] = field(default_factory=list)
    quality_fell: int = 0  # the first generation in which quality fell; 0: none
    ends: dict[str, float] = field(default_factory=dict)

    @property
    def red(self) -> int:
        return self.statuses.index("red") + 1 if "red" in self.statuses else 0


def run_arm(arm: Arm, seed: int, generations: int = GENERATIONS) -> History:
    """The generations of a loop, each checked by the monitor; a red one continues, so that all can be seen."""
    rng, task = np.random.default_rng(seed), Task()
    anchor, held_out = task.real(2000, rng), task.real(HELD_OUT, rng)
    reference = ReferenceCorpus.of(anchor.texts)
    baselines = [_train(task.real(DOCUMENTS, rng)).scores(held_out) for _ in range(BASELINES)]
    real = task.real(DOCUMENTS, rng)
    first = model = _train(real)
    first_sample = first.write(SAMPLE, arm.temperature, rng) if arm.source != "task" else task.real(SAMPLE, rng)
    kept, before, history = list[Documents](), list[Signal](), History()
    for number in range(1, generations + 1):
        generated = task.real(DOCUMENTS, rng) if arm.source == "task" else _generate(arm, model, real, rng)
        kept = [*kept, generated] if arm.keeps else [generated]
        if arm.source != "first":
            model = _mix(arm, real, kept)
        sample = model.write(SAMPLE, arm.temperature, rng) if arm.source != "task" else task.real(SAMPLE, rng)
        signals = with_significance(
            [
                *_drift_signals(reference, anchor, first_sample, sample, number),
                *_quality_signals(model, held_out, baselines),
            ]
        )
        status, _ = overall_status(signals, before)
        before = signals
        history.statuses.append(status)
        if not history.quality_fell and any(signal.is_alarm for signal in signals if signal.family == "function"):
            history.quality_fell = number
    fresh = task.real(SAMPLE, rng)
    history.ends = {signal.name: signal.value for signal in _drift_signals(reference, anchor, fresh, sample, 0)}
    history.ends |= {"loss": model.scores(held_out)[0].value, "accuracy": model.scores(held_out)[1].value}
    history.ends |= {"share a": float((sample.group == 0).mean()), "share c": float((sample.group == 2).mean())}
    return history


def _train(documents: Documents) -> Model:
    return Model.of(documents, np.ones(len(documents)))


def _generate(arm: Arm, model: Model, real: Documents, rng: np.random.Generator) -> Documents:
    """DOCUMENTS generated documents that remain after verifier, quota and resampling."""
    factor = 4 if arm.verify or arm.quota or arm.resample or arm.rarest else 1
    generated = model.write(factor * DOCUMENTS, arm.temperature, rng)
    remaining = np.ones(len(generated), bool)
    if arm.verify:
        passes = np.where(generated.answer == generated.question, RIGHT, WRONG) * np.where(
            generated.group == 0, 1.0, 1 / arm.odds
        )
        remaining = rng.random(len(generated)) < passes
    generated = generated.select(np.flatnonzero(remaining))
    if arm.rarest:
        generated = generated.select(np.argsort(-_train(real).surprise(generated))[: 2 * DOCUMENTS])
    weights = np.asarray(likeness(generated.texts, real.texts, 0)) if arm.resample else np.ones(len(generated))
    if arm.quota:
        target, counts = np.bincount(real.group, minlength=3), np.bincount(generated.group, weights, 3)
        weights = weights * (target / np.maximum(counts, 1e-9))[generated.group]
    chosen = rng.choice(len(generated), min(DOCUMENTS, len(generated)), replace=False, p=weights / weights.sum())
    return generated.select(np.sort(chosen))


def _mix(arm: Arm, real: Documents, kept: Sequence[Documents]) -> Model:
    """A model of real and generated rows, with at least the real share of the arm."""
    generated = kept[0]
    for more in kept[1:]:
        generated = generated.join(more)
    share = max(arm.real, len(real) / (len(real) + len(generated))) if arm.keeps else arm.real
    if not share:
        return _train(generated)
    weights = [np.full(len(real), share / len(real)), np.full(len(generated), (1 - share) / len(generated))]
    return Model.of(real.join(generated), np.concatenate(weights) * (len(real) + len(generated)))


def _drift_signals(
    reference: ReferenceCorpus, real: Documents, before: Documents, sample: Documents, seed: int
) -> list[Signal]:
    both = before.join(sample)
    texts, groups, real_groups = (
        both.texts,
        *([GROUPS[group] for group in documents.group] for documents in (both, real)),
    )
    specs = {
        "tails": MeasureSpec(rare_ngrams_lost(reference, texts), "creativity", 0.1),
        "vendi": MeasureSpec(vendi_lost(reference, texts), "creativity", 0.1),
        "shift": MeasureSpec(shift(groups, real_groups), "bias", 0.05 + shift_error(real_groups), "points"),
        "odds": MeasureSpec(
            log_odds_change(groups, "a", real_groups), "bias", 0.2 + log_odds_error(real_groups, "a"), "of log-odds"
        ),
    }
    return drift(specs, len(before), len(sample), seed)


def _quality_signals(model: Model, held_out: Documents, baselines: Sequence[tuple[Score, Score]]) -> Iterator[Signal]:
    for index, (score, (tolerance, unit)) in enumerate(zip(model.scores(held_out), TOLERANCES, strict=True)):
        yield worsened(score.name, score, [baseline[index] for baseline in baselines], tolerance, unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", nargs="*", help=f"of: {', '.join(ARMS)} (default: all)".replace("%", "%%"))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    names = ("tails", "vendi", "share a", "share c", "loss", "accuracy")
    print(f"| arm | red in | first red | quality fell first | red before that | {' | '.join(names)} |")
    print("|---" * (5 + len(names)) + "|")
    for name in args.arms or ARMS:
        histories = [run_arm(ARMS[name], seed) for seed in range(args.seed, args.seed + args.runs)]
        reds, falls = (
            sorted(history.red for history in histories if history.red),
            sorted(history.quality_fell for history in histories if history.quality_fell),
        )
        means = [float(np.mean([history.ends[key] for history in histories])) for key in names]
        detected_before = sum(0 < history.red < history.quality_fell for history in histories)
        cells = [
            f"{len(reds)} of {args.runs}",
            _median_text(reds),
            _median_text(falls),
            f"{detected_before} of {len(falls)}",
        ]
        cells += [f"{end:+.2f}" for end in means[:2]]
        print(f"| {name} | {' | '.join([*cells, *(f'{end:.3f}' for end in means[2:])])} |", flush=True)


def _median_text(generations: Sequence[int]) -> str:
    return f"{np.median(generations):.0f} ({generations[0]} to {generations[-1]})" if generations else "never"


if __name__ == "__main__":
    main()
