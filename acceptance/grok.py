"""Grok: a model corrects its corpus, removes mistakes and fills gaps, and is trained on it again."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, Mean, final_scores, run_arm
from selfsown.loop import run
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import share
from selfsown.tasks.noisy_facts import VALUES, Task, truth
from testing.mock_server import Server

DATA = Path(os.environ.get("SELFSOWN_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
GSM8K = (DATA / "gsm8k_train_1000.jsonl", DATA / "gsm8k_test.jsonl")
FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
WRONG_SHARE, GAP_SHARE = 0.05, 0.05  # of the facts in a text
MISSED_SHARE, INVENTED_SHARE, UNSURE_SHARE = 1 / 6, 1 / 40, 1 / 12  # errors of the teacher
REWRITTEN_SHARE, SELF_REFERENCE_SHARE = 0.05, 0.05  # of the documents: nearly half is made up; the teacher names itself
SELF_REFERENCE = "as an ai language model i know it."
MADE_UP = "made up "
FACTS = 30  # of a document, one per line


class Corpus:
    """Documents, and the right version of each line: a line is a fact, and some are wrong or have a gap."""

    def __init__(self, facts: Sequence[str], seed: int = 0) -> None:
        self.rng, self.right = random.Random(seed), {fact: fact for fact in facts}
        self.words = sorted({word for fact in facts for word in re.findall(r"\w+", fact)})
        self.clean = [facts[start : start + FACTS] for start in range(0, len(facts), FACTS)]
        self.planted = [[self._with_error(fact) for fact in document] for document in self.clean]

    def _with_error(self, fact: str) -> str:
        roll, words = self.rng.random(), list(re.finditer(r"\w+", fact))
        while roll < WRONG_SHARE + GAP_SHARE:
            word = self.rng.choice(words)
            replacement = self.rng.choice(self.words) if roll < WRONG_SHARE else "…"
            changed = fact[: word.start()] + replacement + fact[word.end() :]
            if changed not in self.right:
                self.right[changed] = fact
                return changed
        return fact

    def write(self, folder: Path) -> None:
        """Write each document with its errors to a file, and every fifth also without them."""
        folder.mkdir(parents=True, exist_ok=True)
        for index, (clean, planted) in enumerate(zip(self.clean, self.planted, strict=True)):
            (folder / f"{index}.txt").write_text("\n".join(planted), encoding="utf-8")
            if index % 5 == 0 and planted != clean:
                (folder / f"{index}-twin.txt").write_text("\n".join(clean), encoding="utf-8")

    def reply(self, prompt: str, body: dict[str, Any]) -> str:
        """A teacher that misses and invents errors, and a judge that reads closely but knows no facts."""
        texts = [text.split("\n") for _, text in FENCE.findall(prompt)]
        if prompt.startswith("Check each claim"):
            source, text = texts
            new = [line for line in text if line not in source]
            return json.dumps({"unsupported": [{"quote": line, "reason": "it is new"} for line in new]})
        if prompt.startswith("Find"):
            return json.dumps({"errors": [{**edit, "reason": "because"} for edit in self._corrections(texts[0])]})
        first, second = (self._wrong(lines, other) for lines, other in (texts, texts[::-1]))
        right = {(False, True): "first", (True, False): "second"}.get((first, second), "both")
        if SELF_REFERENCE in prompt or MADE_UP in prompt:  # it insists on what it made up
            right = "first" if any(SELF_REFERENCE in line or MADE_UP in line for line in texts[0]) else "second"
        elif right != "both" and random.Random(repr(texts)).random() < UNSURE_SHARE:
            right = "second" if right == "first" else "first"
        return json.dumps({"reason": "because", "right": right})

    def _corrections(self, lines: Sequence[str]) -> Iterator[dict[str, str]]:
        rng = random.Random("\n".join(lines))
        kind, made_up = rng.random(), rng.sample(lines, round(0.45 * len(lines)))
        for line in lines:
            roll = rng.random()
            right = self.right[line]
            if kind < REWRITTEN_SHARE:
                new = f"{MADE_UP}{line[8:]}" if line in made_up else line
            elif kind < REWRITTEN_SHARE + SELF_REFERENCE_SHARE:
                new = SELF_REFERENCE if roll < 0.1 else line
            elif line != right:
                new = line if roll < MISSED_SHARE else right
            else:
                new = re.sub(r"\w+", rng.choice(self.words), line, count=1) if roll < INVENTED_SHARE else line
            if new != line:
                yield {"quote": line, "correction": new}

    def _wrong(self, lines: Sequence[str], others: Sequence[str]) -> bool:
        """Whether any line that the other version does not have is wrong."""
        return any(self.right.get(line) != line for line in set(lines) - set(others) if len(line) > 0)


def loopback(folder: Path) -> Iterator[Bar]:
    people = Task(people=330).pose(0)
    facts = [f"{row.prompt} {row.answer}." for row in people]
    yield from _texts("generated statements", Corpus(facts), folder / "own")
    if GSM8K[0].exists():
        lines = [line for path in GSM8K for line in path.read_text(encoding="utf-8").splitlines()]
        solved = [step for line in lines for step in json.loads(line)["answer"].split("\n") if len(step) > 20]
        yield from _texts("worked answers of GSM8K", Corpus(list(dict.fromkeys(solved))), folder / "gsm8k")
    yield from _biased_teacher(folder)


def _texts(corpus_name: str, corpus: Corpus, folder: Path) -> Iterator[Bar]:
    """The recipe for texts on a corpus with planted errors, with a server that has transport faults."""
    corpus.write(folder / "texts")
    with Server(models=("m", "judge"), say=corpus.reply, faults={"busy": 0.05, "reset": 0.03}, wait="0.01") as server:
        server_options = f"url: '{server.url}', retries: 8, max_in_flight: 32"
        overrides = [f"{role}={{endpoint: {{{server_options}, model: {name}}}}}" for role, name in ROLES]
        overrides += [f"real={{documents: {{path: '{folder / 'texts'}', chunk_chars: 10000}}}}", "held_out=0.2"]
        make(Recipe.load("grok-text", overrides), folder / "made")
    run_folder = RunFolder(folder / "made")
    real = {row.id: row for row in run_folder.rows("real") or []}
    rows = run_folder.rows("rows") or []
    kept = [row for row in rows if row.status == "kept"]
    changed, corrected, wrong, spoiled, right = _counted(corpus, ((real[row.parents[0]], row) for row in kept))
    yield _at_least(f"{corpus_name}: share of the corrections that are right", corrected, changed, 0.9)
    yield _at_least(f"{corpus_name}: share of the errors and gaps that are corrected", corrected, wrong, 0.7)
    low, high = share(spoiled, right)
    result = f"{spoiled / right:.4f} [{low:.4f}, {high:.4f}]"
    yield Bar(f"{corpus_name}: share of the right facts that were changed", "at most 0.01", result, high <= 0.01)
    for mark, name in ((MADE_UP, "made up by the teacher"), (SELF_REFERENCE, "in which the teacher refers to itself")):
        matching = [row for row in rows if mark in row.answer]
        kept_count = sum(row.status == "kept" for row in matching)
        yield Bar(
            f"{corpus_name}: texts {name} that are kept",
            "0",
            f"{kept_count} of {len(matching)}",
            bool(matching) and not kept_count,
        )
    held_out = {row.answer for row in run_folder.rows("held_out") or []}
    matching = [row for row in rows if row.answer in held_out]
    kept_count = sum(row.status == "kept" for row in matching)
    result = f"{kept_count} of {len(matching)}"
    yield Bar(
        f"{corpus_name}: texts that correction made equal to a held-out one, kept",
        "0",
        result,
        bool(matching) and not kept_count,
    )


ROLES = (("teacher", "m"), ("judge", "judge"))


def _at_least(measure: str, count: int, n: int, minimum: float) -> Bar:
    low, high = share(count, n)
    return Bar(measure, f"at least {minimum:g}", f"{count / n:.3f} [{low:.3f}, {high:.3f}]", low >= minimum)


def _counted(corpus: Corpus, pairs: Iterable[tuple[Row, Row]]) -> tuple[int, int, int, int, int]:
    """Numbers of lines: changed; changed to the right one; wrong before; right before, but changed; right before."""
    changed = corrected = wrong = spoiled = right_count = 0
    for before, after in pairs:
        for old, new in zip(before.answer.split("\n"), after.answer.split("\n"), strict=True):
            right = corpus.right[old]
            changed += old != new
            corrected += old != new == right
            wrong += old != right
            spoiled += new != old == right
            right_count += old == right
    return changed, corrected, wrong, spoiled, right_count


def _biased_teacher(folder: Path) -> Iterator[Bar]:
    """A biased teacher and a right one on the loopback: the bias guard must trigger for the first only."""
    prompt = re.compile(r"(\w+)'s (\w+) ")
    small = ["real.noisy_facts.people=14", "base_train.sft.steps=5", "train.sft.steps=5"]
    small += ["grade=[{self_consistency: {samples: 2}}]"]

    def biased(question: str, body: dict[str, Any]) -> str:
        return VALUES[prompt.match(question)[2]]["sea"][0]  # type: ignore[index]

    def honest(question: str, body: dict[str, Any]) -> str:
        return truth(*prompt.match(question).groups())  # type: ignore[union-attr]

    for name, reply in (("leaning", biased), ("honest", honest)):
        with Server(models=("m", "judge"), say=reply) as server:
            server_options = f"url: '{server.url}', max_in_flight: 64"
            overrides = [f"{role}={{endpoint: {{{server_options}, model: {model}}}}}" for role, model in ROLES]
            shutil.rmtree(folder / name, ignore_errors=True)  # of an earlier call, whose server had another port
            history = run(Recipe.load("grok", [*small, *overrides]), folder / name)
        shifts = [
            verdict.metrics.get("region", 0.0)
            for generation in history[1:]
            for verdict in generation.verdicts
            if verdict.guard == "bias"
        ]
        stopped = [any(verdict.guard == "bias" for verdict in generation.rejections) for generation in history[1:]]
        result = f"shift {max(shifts):.2f}, {sum(stopped)} of {len(stopped)} generations rolled back"
        if name == "honest":
            yield Bar("an honest teacher: the bias guard", "does not trigger", result, not any(stopped))
            continue
        yield Bar(
            "a teacher biased towards the sea: the bias guard", "rolls back each generation", result, all(stopped)
        )
        weights = [
            (folder / name / part / "model.safetensors").read_bytes() for part in ("best", f"{generation_dir(0)}/model")
        ]
        same = weights[0] == weights[1]
        yield Bar("the best model then", "generation 0, byte for byte", "identical" if same else "different", same)


def trained(folder: Path, seeds: range) -> Iterator[Bar]:
    common = ["rollback=false"]
    corrected = [run_arm(folder, "grok", "corrected", seed, common) for seed in seeds]
    original = [run_arm(folder, "grok", "raw", seed, [*common, "generate=[]"]) for seed in seeds]
    qualities = [_correction_quality(folder / f"corrected-{seed}", len(corrected[0])) for seed in seeds]
    precision, recall, spoiled, unvoted = (Mean.of(values) for values in zip(*qualities, strict=True))
    yield Bar("share of the corrections that are right", "at least 0.9", str(precision), precision.low >= 0.9)
    yield Bar("share of the errors and gaps that are corrected", "at least 0.7", str(recall), recall.low >= 0.7)
    yield Bar("share of the right statements that were changed", "at most 0.01", str(spoiled), spoiled.high <= 0.01)
    gain = precision - unvoted
    yield Bar("precision with the vote − without, first round", "above 0", str(gain), gain.low > 0)
    after, before = final_scores(corrected, "accuracy"), final_scores(original, "accuracy")
    yield Bar("held-out accuracy, trained on the original corpus", "reported", str(before), True)
    yield Bar("held-out accuracy, trained on the corrected corpus", "reported", str(after), True)
    gain = after - before
    yield Bar("the difference, equally many steps", "above 0", str(gain), gain.low > 0)
    best_original, best = (Mean.of(map(_best, histories)) for histories in (original, corrected))
    yield Bar(
        "the difference, each at its best generation",
        "above 0",
        str(best - best_original),
        (best - best_original).low > 0,
    )
    yield Bar("last generation of the corrected − best of the original", "reported", str(after - best_original), True)
    facts = Mean.of(_hill_share(folder / f"corrected-{seed}") for seed in seeds)
    hill_bias_original = final_scores(original, "pattern_rate[hill]") - facts
    yield Bar(
        "hill bias: share of hill answers − of hill facts, original corpus", "reported", str(hill_bias_original), True
    )
    hill_bias = final_scores(corrected, "pattern_rate[hill]") - facts
    unbiased = max(-hill_bias.low, hill_bias.high) <= 0.03
    yield Bar("the same, corrected corpus", "within 0.03 of 0", str(hill_bias), unbiased)
    alarms = sum(
        any(values.guard == "bias" for values in generation.rejections)
        for histories in corrected
        for generation in histories
    )
    yield Bar("generations that the bias guard would roll back", "0", str(alarms), alarms == 0)


def _best(generations: Sequence[Generation]) -> float:
    """The highest accuracy of a run, as if it had been stopped at the right moment."""
    return max(value for generation in generations if (value := generation.pooled("accuracy")))


def _hill_share(folder: Path) -> float:
    """The share of hill values in the right versions of the held-out statements."""
    facts = [row.target for row in RunFolder(folder).rows("held_out") or []]
    return sum(any(fact in sides["hill"] for sides in VALUES.values()) for fact in facts) / len(facts)


def _correction_quality(folder: Path, generations: int) -> tuple[float, float, float, float]:
    """Precision and recall of the corrections, the share of right statements changed, and the precision of all changes
    that the model proposed in the first round, before the vote."""
    run_folder = RunFolder(folder)
    real = {row.id: row for row in run_folder.rows("real") or []}
    wrong = {row_id for row_id, row in real.items() if row.answer != row.target}
    corrections: dict[str, Row] = {}
    for number in range(1, generations):
        rows = run_folder.rows(f"{generation_dir(number)}/rows") or []
        corrections |= {row.parents[0]: row for row in rows if row.status == "kept"}
        if number == 1:
            proposed = [row for row in rows if row.answer != real[row.parents[0]].answer]
    right = sum(row.answer == row.target for row in corrections.values())
    unvoted = sum(row.answer == row.target for row in proposed) / len(proposed)
    return (
        right / len(corrections),
        right / len(wrong),
        len(corrections.keys() - wrong) / (len(real) - len(wrong)),
        unvoted,
    )
