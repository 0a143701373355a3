"""Does the monitor see a loop collapse, and leave a healthy one alone? Loops over a world whose truth is known.

    python benchmarks/collapse.py --runs 20              # every arm, ten generations: half an hour on one core
    python benchmarks/collapse.py accumulate oracle

A document has a group (60, 30 and 10 %), 24 words by the group's topics, and a question with its answer; 2 % of the
real answers are wrong. The model counts: words after words, by group, with back-off; answers to questions; and forgets
3 % of these in each generation. What is tested are the signals, the lights and the resampling of selfsown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "signals"))
from toy import GROUPS, LENGTH, WORDS, Toy

from selfsown.records import Score, Signal
from selfsown.signals.baseline_test import worsened
from selfsown.signals.discriminator import likeness
from selfsown.signals.measures import log_odds_change, log_odds_error, rare_ngrams_lost, shift, shift_error, vendi_lost
from selfsown.signals.permutation_test import MeasureSpec, drift, with_significance
from selfsown.signals.reference import ReferenceCorpus
from selfsown.signals.status import overall_status

DOCUMENTS, LOOKED_AT, HELD_OUT, GENERATIONS, BASELINES = 2000, 1000, 2000, 10, 5
QUESTIONS, NOISE, FORGETS = 100, 0.02, 0.03
RIGHT, WRONG = 0.98, 0.05  # how often the verifier passes right and wrong answers


@dataclass
class Documents:
    """group, words (n, LENGTH), question, answer, of n documents; an answer is right if it equals the question."""

    group: np.ndarray
    words: np.ndarray
    question: np.ndarray
    answer: np.ndarray

    def __len__(self) -> int:
        return len(self.group)

    def at(self, places: np.ndarray) -> Documents:
        return Documents(self.group[places], self.words[places], self.question[places], self.answer[places])

    def and_(self, other: Documents) -> Documents:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Documents(*(np.concatenate(pair) for pair in pairs))

    @property
    def texts(self) -> list[str]:
        return [" ".join(f"w{word}" for word in line) for line in self.words]


class Task:
    """Where real documents come from."""

    def __init__(self) -> None:
        self.toy = Toy()
        popular = 1 / np.arange(1, QUESTIONS + 1)
        self.popular = popular / popular.sum()

    def real(self, count: int, rng: np.random.Generator) -> Documents:
        texts, groups = self.toy.write(count, int(rng.integers(1 << 31)))
        words = np.array([[int(word[1:]) for word in text.split()] for text in texts])
        question = rng.choice(QUESTIONS, count, p=self.popular)
        answer = np.where(rng.random(count) < NOISE, rng.integers(QUESTIONS, size=count), question)
        return Documents(np.array([GROUPS.index(each) for each in groups]), words, question, answer)


@dataclass
class Model:
    """Counts, as shares: of groups, of first words and of words after words in each group, of questions, of answers."""

    groups: np.ndarray
    first: np.ndarray
    after: np.ndarray
    questions: np.ndarray
    answers: np.ndarray

    @classmethod
    def of(cls, seen: Documents, weights: np.ndarray) -> Model:
        groups = np.bincount(seen.group, weights, 3)
        first, after = np.zeros((3, WORDS)), np.zeros((3, WORDS, WORDS))
        np.add.at(first, (seen.group, seen.words[:, 0]), weights)
        before, then = seen.words[:, :-1], seen.words[:, 1:]
        np.add.at(after, (seen.group[:, None], before, then), weights[:, None])
        every, alone = after.sum(0, keepdims=True), after.sum((0, 1))
        backed = 0.55 * _shares(after) + 0.3 * _shares(every) + 0.15 * alone / alone.sum()
        answers = np.zeros((QUESTIONS, QUESTIONS))
        np.add.at(answers, (seen.question, seen.answer), weights)
        answers[answers.sum(1) == 0] = 1.0
        known = (1 - FORGETS) * _shares(answers) + FORGETS / QUESTIONS
        started = 0.9 * _shares(first) + 0.1 * alone / alone.sum()
        return cls(
            groups / groups.sum(),
            started,
            _shares(backed),
            _shares(np.bincount(seen.question, weights, QUESTIONS)),
            known,
        )

    def write(self, count: int, temperature: float, rng: np.random.Generator) -> Documents:
        cooled = [_shares(each ** (1 / temperature)).cumsum(-1) for each in vars(self).values()]
        groups, first, after, questions, answers = cooled
        group = _drawn(np.broadcast_to(groups, (count, 3)), rng)
        words = [_drawn(first[group], rng)]
        for _ in range(LENGTH - 1):
            words.append(_drawn(after[group, words[-1]], rng))
        question = _drawn(np.broadcast_to(questions, (count, QUESTIONS)), rng)
        return Documents(group, np.stack(words, 1), question, _drawn(answers[question], rng))

    def scores(self, held_out: Documents) -> tuple[Score, Score]:
        """Bits a word of real text, and the chance of a right answer, each question worth as much as any other."""
        loss, right = float(self.surprise(held_out).mean()), float(np.diag(self.answers).mean())
        accuracy = Score("accuracy", right, len(held_out), right, right)
        return Score("loss", loss, len(held_out), loss, loss, direction="lower"), accuracy

    def surprise(self, seen: Documents) -> np.ndarray:
        """Bits a word, of each document."""
        before, then = seen.words[:, :-1], seen.words[:, 1:]
        return -np.log2(np.maximum(self.after[seen.group[:, None], before, then], 1e-6)).mean(1)


def _shares(counts: np.ndarray) -> np.ndarray:
    whole = counts.sum(-1, keepdims=True)
    return np.divide(counts, whole, out=np.zeros_like(counts, float), where=whole > 0)


def _drawn(cumulated: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.random((len(cumulated), 1)) * cumulated[:, -1:]
    return (cumulated < drawn).sum(1).clip(max=cumulated.shape[1] - 1)


@dataclass(frozen=True)
class Arm:
    """How a loop goes on. real: "fresh" rows only, "none", or the share of the first ones that is kept in the mix;
    odds: how many times as often the verifier passes the largest group."""

    temperature: float = 0.9
    keeps: bool = False  # every generation's rows stay
    real: float = 0.0
    verify: bool = False
    log_odds_change: float = 1.0
    quota: bool = False
    resample: bool = False
    rarest: bool = False  # of the verified rows those that surprise a model of real rows most
    source: str = "last"  # "world": fresh real rows; "first": the first model, for ever


ARMS = {
    "oracle": Arm(source="world"),
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
class Course:
    """What became of one run: the lights, and the last generation's differences from a fresh real sample."""

    lights: list[str] = field(default_factory=list)
    fell: int = 0  # the first generation in which function fell; 0: in none
    ends: dict[str, float] = field(default_factory=dict)

    @property
    def red(self) -> int:
        return self.lights.index("red") + 1 if "red" in self.lights else 0


def course(arm: Arm, seed: int) -> Course:
    """Ten generations of a loop, each looked at by the monitor; a red one goes on, so that all is seen."""
    rng, world = np.random.default_rng(seed), Task()
    anchor, held_out = world.real(2000, rng), world.real(HELD_OUT, rng)
    known = ReferenceCorpus.of(anchor.texts)
    baselines = [_trained(world.real(DOCUMENTS, rng)).scores(held_out) for _ in range(BASELINES)]
    real = world.real(DOCUMENTS, rng)
    first = model = _trained(real)
    seen = first.write(LOOKED_AT, arm.temperature, rng) if arm.source != "world" else world.real(LOOKED_AT, rng)
    kept, before, found = list[Documents](), list[Signal](), Course()
    for at in range(1, GENERATIONS + 1):
        made = world.real(DOCUMENTS, rng) if arm.source == "world" else _passed(arm, model, real, rng)
        kept = [*kept, made] if arm.keeps else [made]
        if arm.source != "first":
            model = _mixed(arm, real, kept)
        now = model.write(LOOKED_AT, arm.temperature, rng) if arm.source != "world" else world.real(LOOKED_AT, rng)
        signals = with_significance([*_drifts(known, anchor, seen, now, at), *_functions(model, held_out, baselines)])
        shown, _ = overall_status(signals, before)
        before = signals
        found.lights.append(shown)
        if not found.fell and any(each.is_alarm for each in signals if each.family == "function"):
            found.fell = at
    reference = world.real(LOOKED_AT, rng)
    found.ends = {each.name: each.value for each in _drifts(known, anchor, reference, now, 0)}
    found.ends |= {"loss": model.scores(held_out)[0].value, "accuracy": model.scores(held_out)[1].value}
    found.ends |= {"share a": float((now.group == 0).mean()), "share c": float((now.group == 2).mean())}
    return found


def _trained(seen: Documents) -> Model:
    return Model.of(seen, np.ones(len(seen)))


def _passed(arm: Arm, model: Model, real: Documents, rng: np.random.Generator) -> Documents:
    """What is written and kept: DOCUMENTS of them, after verifier, quota and resampling."""
    many = 4 if arm.verify or arm.quota or arm.resample or arm.rarest else 1
    made = model.write(many * DOCUMENTS, arm.temperature, rng)
    staying = np.ones(len(made), bool)
    if arm.verify:
        passes = np.where(made.answer == made.question, RIGHT, WRONG) * np.where(made.group == 0, 1.0, 1 / arm.odds)
        staying = rng.random(len(made)) < passes
    made = made.at(np.flatnonzero(staying))
    if arm.rarest:
        made = made.at(np.argsort(-_trained(real).surprise(made))[: 2 * DOCUMENTS])
    weights = np.asarray(likeness(made.texts, real.texts, 0)) if arm.resample else np.ones(len(made))
    if arm.quota:
        wanted, there = np.bincount(real.group, minlength=3), np.bincount(made.group, weights, 3)
        weights = weights * (wanted / np.maximum(there, 1e-9))[made.group]
    chosen = rng.choice(len(made), min(DOCUMENTS, len(made)), replace=False, p=weights / weights.sum())
    return made.at(np.sort(chosen))


def _mixed(arm: Arm, real: Documents, kept: Sequence[Documents]) -> Model:
    """Real rows of the share that the arm asks for at the least; where all is kept, real rows are, too."""
    made = kept[0]
    for more in kept[1:]:
        made = made.and_(more)
    share = max(arm.real, len(real) / (len(real) + len(made))) if arm.keeps else arm.real
    if not share:
        return _trained(made)
    weights = [np.full(len(real), share / len(real)), np.full(len(made), (1 - share) / len(made))]
    return Model.of(real.and_(made), np.concatenate(weights) * (len(real) + len(made)))


def _drifts(known: ReferenceCorpus, real: Documents, before: Documents, now: Documents, seed: int) -> list[Signal]:
    both = before.and_(now)
    texts, groups, theirs = both.texts, *([GROUPS[each] for each in of.group] for of in (both, real))
    wanted = {
        "tails": MeasureSpec(rare_ngrams_lost(known, texts), "creativity", 0.1),
        "vendi": MeasureSpec(vendi_lost(known, texts), "creativity", 0.1),
        "shift": MeasureSpec(shift(groups, theirs), "bias", 0.05 + shift_error(theirs), "points"),
        "odds": MeasureSpec(
            log_odds_change(groups, "a", theirs), "bias", 0.2 + log_odds_error(theirs, "a"), "of log-odds"
        ),
    }
    return drift(wanted, len(before), len(now), seed)


def _functions(model: Model, held_out: Documents, baselines: Sequence[tuple[Score, Score]]) -> Iterator[Signal]:
    for at, (score, (tolerance, unit)) in enumerate(
        zip(model.scores(held_out), ((0.02, "%"), (0.02, "points")), strict=True)
    ):
        yield worsened(score.name, score, [each[at] for each in baselines], tolerance, unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", nargs="*", help=f"of: {', '.join(ARMS)}; none: all")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    wish = parser.parse_args()
    names = ("tails", "vendi", "share a", "share c", "loss", "accuracy")
    print(f"| arm | red in | first red | function fell first | red before that | {' | '.join(names)} |")
    print("|---" * (5 + len(names)) + "|")
    for name in wish.arms or ARMS:
        found = [course(ARMS[name], seed) for seed in range(wish.seed, wish.seed + wish.runs)]
        reds, falls = sorted(each.red for each in found if each.red), sorted(each.fell for each in found if each.fell)
        ends = [float(np.mean([each.ends[key] for each in found])) for key in names]
        sooner = sum(0 < each.red < each.fell for each in found)
        cells = [f"{len(reds)} of {wish.runs}", _middle(reds), _middle(falls), f"{sooner} of {len(falls)}"]
        cells += [f"{end:+.2f}" for end in ends[:2]]
        print(f"| {name} | {' | '.join([*cells, *(f'{end:.3f}' for end in ends[2:])])} |", flush=True)


def _middle(generations: Sequence[int]) -> str:
    return f"{np.median(generations):.0f} ({generations[0]} to {generations[-1]})" if generations else "never"


if __name__ == "__main__":
    main()
