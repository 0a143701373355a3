"""Grok: a corpus is gone over, its mistakes taken out, its gaps filled, and the model learns again from it."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, Mean, course, last
from selfsown.loop import run
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Generation, Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.stats.intervals import share
from selfsown.tasks.noisy_facts import VALUES, Task, truth

DATA = Path(os.environ.get("SELFSOWN_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
GSM8K = (DATA / "gsm8k_train_1000.jsonl", DATA / "gsm8k_test.jsonl")
FENCE = re.compile(r"<(text-\w+)>\n(.*?)\n</\1>", re.DOTALL)
WRONG, EMPTY = 0.05, 0.05  # of the facts of a text
MISSED, INVENTED, UNSURE = 1 / 6, 1 / 40, 1 / 12  # what the planted teacher gets wrong
REWRITTEN, BOASTING = 0.05, 0.05  # of the documents: nearly half is made up; the teacher speaks of itself
BOAST = "as an ai language model i know it."
MADE_UP = "made up "
FACTS = 30  # of a document, each a line of its own


class Corpus:
    """Documents, and what each of their lines should say: a line is a fact, and some are wrong or have a gap."""

    def __init__(self, facts: Sequence[str], seed: int = 0) -> None:
        self.chance, self.right = random.Random(seed), {fact: fact for fact in facts}
        self.words = sorted({word for fact in facts for word in re.findall(r"\w+", fact)})
        self.clean = [facts[at : at + FACTS] for at in range(0, len(facts), FACTS)]
        self.planted = [[self._spoilt(fact) for fact in document] for document in self.clean]

    def _spoilt(self, fact: str) -> str:
        luck, words = self.chance.random(), list(re.finditer(r"\w+", fact))
        while luck < WRONG + EMPTY:
            word = self.chance.choice(words)
            other = self.chance.choice(self.words) if luck < WRONG else "…"
            spoilt = fact[: word.start()] + other + fact[word.end() :]
            if spoilt not in self.right:
                self.right[spoilt] = fact
                return spoilt
        return fact

    def write(self, folder: Path) -> None:
        """Each document with its errors as a file; of every fifth there is another without them."""
        folder.mkdir(parents=True, exist_ok=True)
        for at, (clean, planted) in enumerate(zip(self.clean, self.planted, strict=True)):
            (folder / f"{at}.txt").write_text("\n".join(planted), encoding="utf-8")
            if at % 5 == 0 and planted != clean:
                (folder / f"{at}-twin.txt").write_text("\n".join(clean), encoding="utf-8")

    def say(self, prompt: str, body: dict[str, Any]) -> str:
        """A teacher who overlooks, invents and errs, and a judge who reads closely and knows nothing."""
        shown = [text.split("\n") for _, text in FENCE.findall(prompt)]
        if prompt.startswith("Hold"):
            source, text = shown
            new = [line for line in text if line not in source]
            return json.dumps({"unsupported": [{"quote": line, "reason": "it is new"} for line in new]})
        if prompt.startswith("Find"):
            return json.dumps({"errors": [{**edit, "reason": "so"} for edit in self._edits(shown[0])]})
        first, second = (self._wrong(lines, other) for lines, other in (shown, shown[::-1]))
        right = {(False, True): "first", (True, False): "second"}.get((first, second), "both")
        if BOAST in prompt or MADE_UP in prompt:  # it stands by what it made up
            right = "first" if any(BOAST in line or MADE_UP in line for line in shown[0]) else "second"
        elif right != "both" and random.Random(prompt).random() < UNSURE:
            right = "second" if right == "first" else "first"
        return json.dumps({"reason": "so", "right": right})

    def _edits(self, lines: Sequence[str]) -> Iterator[dict[str, str]]:
        chance = random.Random("\n".join(lines))
        strange, some = chance.random(), chance.sample(lines, round(0.45 * len(lines)))
        for line in lines:
            luck = chance.random()
            right = self.right[line]
            if strange < REWRITTEN:
                said = f"{MADE_UP}{line[8:]}" if line in some else line
            elif strange < REWRITTEN + BOASTING:
                said = BOAST if luck < 0.1 else line
            elif line != right:
                said = line if luck < MISSED else right
            else:
                said = re.sub(r"\w+", chance.choice(self.words), line, count=1) if luck < INVENTED else line
            if said != line:
                yield {"quote": line, "correction": said}

    def _wrong(self, lines: Sequence[str], others: Sequence[str]) -> bool:
        """Whether any line that the other version has not is wrong."""
        return any(self.right.get(line) != line for line in set(lines) - set(others) if len(line) > 0)


def loopback(folder: Path) -> Iterator[Bar]:
    people = Task(people=330).pose(0)
    facts = [f"{row.prompt} {row.answer}." for row in people]
    yield from _texts("statements of our own", Corpus(facts), folder / "own")
    if GSM8K[0].exists():
        lines = [line for path in GSM8K for line in path.read_text(encoding="utf-8").splitlines()]
        solved = [step for line in lines for step in json.loads(line)["answer"].split("\n") if len(step) > 20]
        yield from _texts("worked answers of GSM8K", Corpus(list(dict.fromkeys(solved))), folder / "gsm8k")
    yield from _slanted(folder)


def _texts(what: str, corpus: Corpus, folder: Path) -> Iterator[Bar]:
    """The recipe for texts on a corpus with planted faults, through a server that has some, too."""
    from server import Server

    corpus.write(folder / "texts")
    with Server(models=("m", "judge"), say=corpus.say, faults={"busy": 0.05, "reset": 0.03}, wait="0.01") as server:
        there = f"url: '{server.url}', retries: 8, in_flight: 32"
        wishes = [f"{role}={{endpoint: {{{there}, model: {name}}}}}" for role, name in ROLES]
        wishes += [f"real={{documents: {{path: '{folder / 'texts'}', chunk: 10000}}}}", "held_out=0.2"]
        make(Recipe.load("grok-text", wishes), folder / "made")
    store = RunFolder(folder / "made")
    real = {row.id: row for row in store.rows("real") or []}
    rows = store.rows("rows") or []
    kept = [row for row in rows if row.status == "kept"]
    done, hit, bad, spoilt, good = _counted(corpus, ((real[row.parents[0]], row) for row in kept))
    yield _at_least(f"{what}: share of the corrections that are right", hit, done, 0.9)
    yield _at_least(f"{what}: share of the errors and gaps that are corrected", hit, bad, 0.7)
    low, high = share(spoilt, good)
    seen = f"{spoilt / good:.4f} [{low:.4f}, {high:.4f}]"
    yield Bar(f"{what}: share of the right facts that were changed", "at most 0.01", seen, high <= 0.01)
    for mark, name in ((MADE_UP, "made up by their teacher"), (BOAST, "in which it speaks of itself")):
        these = [row for row in rows if mark in row.answer]
        left = sum(row.status == "kept" for row in these)
        yield Bar(f"{what}: texts {name} that are kept", "0", f"{left} of {len(these)}", bool(these) and not left)
    examined = {row.answer for row in store.rows("held_out") or []}
    these = [row for row in rows if row.answer in examined]
    left = sum(row.status == "kept" for row in these)
    said = f"{left} of {len(these)}"
    yield Bar(f"{what}: texts that correction made equal to a held-out one, kept", "0", said, bool(these) and not left)


ROLES = (("teacher", "m"), ("judge", "judge"))


def _at_least(what: str, hits: int, n: int, bar: float) -> Bar:
    low, high = share(hits, n)
    return Bar(what, f"at least {bar:g}", f"{hits / n:.3f} [{low:.3f}, {high:.3f}]", low >= bar)


def _counted(corpus: Corpus, pairs: Iterable[tuple[Row, Row]]) -> tuple[int, int, int, int, int]:
    """Lines changed, changed into what is right, wrong at first; right at first but changed, right at first."""
    done = hit = bad = spoilt = good = 0
    for before, after in pairs:
        for old, new in zip(before.answer.split("\n"), after.answer.split("\n"), strict=True):
            right = corpus.right[old]
            done += old != new
            hit += old != new == right
            bad += old != right
            spoilt += new != old == right
            good += old == right
    return done, hit, bad, spoilt, good


def _slanted(folder: Path) -> Iterator[Bar]:
    """A teacher on the loopback who corrects as it likes, and one who knows: what the guard says of either."""
    from server import Server

    prompt = re.compile(r"(\w+)'s (\w+) ")
    small = ["real.noisy_facts.people=14", "base_train.sft.steps=5", "train.sft.steps=5"]
    small += ["grade=[{self_consistency: {samples: 2}}]"]

    def leaning(words: str, body: dict[str, Any]) -> str:
        return VALUES[prompt.match(words)[2]]["sea"][0]  # type: ignore[index]

    def honest(words: str, body: dict[str, Any]) -> str:
        return truth(*prompt.match(words).groups())  # type: ignore[union-attr]

    for name, say in (("leaning", leaning), ("honest", honest)):
        with Server(models=("m", "judge"), say=say) as server:
            there = f"url: '{server.url}', in_flight: 64"
            wishes = [f"{role}={{endpoint: {{{there}, model: {model}}}}}" for role, model in ROLES]
            shutil.rmtree(folder / name, ignore_errors=True)  # of an earlier call, whose server had another port
            history = run(Recipe.load("grok", [*small, *wishes]), folder / name)
        shifts = [each.metrics.get("region", 0.0) for one in history[1:] for each in one.verdicts if each.guard == "bias"]
        stopped = [any(each.guard == "bias" for each in one.rejections) for one in history[1:]]
        seen = f"shift {max(shifts):.2f}, {sum(stopped)} of {len(stopped)} generations rolled back"
        if name == "honest":
            yield Bar("an honest teacher: the bias guard", "lets it pass", seen, not any(stopped))
            continue
        yield Bar("a teacher who leans to the sea: the bias guard", "rolls back each generation", seen, all(stopped))
        weights = [
            (folder / name / at / "model.safetensors").read_bytes() for at in ("best", f"{generation_dir(0)}/model")
        ]
        same = weights[0] == weights[1]
        yield Bar("the best model then", "generation 0, byte for byte", "the same" if same else "another", same)


def learned(folder: Path, seeds: range) -> Iterator[Bar]:
    common = ["rollback=false"]
    mended = [course(folder, "grok", "corrected", seed, common) for seed in seeds]
    raw = [course(folder, "grok", "raw", seed, [*common, "generate=[]"]) for seed in seeds]
    edits = [_edits(folder / f"corrected-{seed}", len(mended[0])) for seed in seeds]
    precision, recall, spoilt, unvoted = (Mean.of(each) for each in zip(*edits, strict=True))
    yield Bar("share of the corrections that are right", "at least 0.9", str(precision), precision.low >= 0.9)
    yield Bar("share of the errors and gaps that are corrected", "at least 0.7", str(recall), recall.low >= 0.7)
    yield Bar("share of the right statements that were changed", "at most 0.01", str(spoilt), spoilt.high <= 0.01)
    gain = precision - unvoted
    yield Bar("precision with the vote − without, first round", "above 0", str(gain), gain.low > 0)
    after, before = last(mended, "accuracy"), last(raw, "accuracy")
    yield Bar("held-out accuracy, learned from the corpus as it stood", "(to compare)", str(before), True)
    yield Bar("held-out accuracy, learned from the corrected corpus", "(to compare)", str(after), True)
    gain = after - before
    yield Bar("the difference, as many steps", "above 0", str(gain), gain.low > 0)
    best_raw, best = (Mean.of(map(_best, courses)) for courses in (raw, mended))
    yield Bar("the same, each at its best generation", "above 0", str(best - best_raw), (best - best_raw).low > 0)
    yield Bar("the last one of the corrected − the best of the raw", "(to compare)", str(after - best_raw), True)
    facts = Mean.of(_hills(folder / f"corrected-{seed}") for seed in seeds)
    leant = last(raw, "slant[hill]") - facts
    yield Bar("slant: share of answers of the hills − of facts, as it stood", "(to compare)", str(leant), True)
    leans = last(mended, "slant[hill]") - facts
    still = max(-leans.low, leans.high) <= 0.03
    yield Bar("the same, learned from the corrected corpus", "within 0.03 of 0", str(leans), still)
    guards = sum(any(each.guard == "bias" for each in one.rejections) for courses in mended for one in courses)
    yield Bar("generations that the bias guard would roll back", "0", str(guards), guards == 0)


def _best(generations: Sequence[Generation]) -> float:
    """The highest accuracy of a course: what whoever stops at the right moment has."""
    return max(value for each in generations if (value := each.pooled("accuracy")))


def _hills(folder: Path) -> float:
    """The share of the hills in what the held-out statements should say."""
    facts = [row.target for row in RunFolder(folder).rows("held_out") or []]
    return sum(any(fact in regions["hill"] for regions in VALUES.values()) for fact in facts) / len(facts)


def _edits(folder: Path, generations: int) -> tuple[float, float, float, float]:
    """Precision and recall of the corrections, the share of right statements changed, and the precision of all that the
    model would have said otherwise in the first round, had nobody voted."""
    store = RunFolder(folder)
    real = {row.id: row for row in store.rows("real") or []}
    bad = {name for name, row in real.items() if row.answer != row.target}
    made: dict[str, Row] = {}
    for number in range(1, generations):
        rows = store.rows(f"{generation_dir(number)}/rows") or []
        made |= {row.parents[0]: row for row in rows if row.status == "kept"}
        if number == 1:
            tried = [row for row in rows if row.answer != real[row.parents[0]].answer]
    hits = sum(row.answer == row.target for row in made.values())
    unvoted = sum(row.answer == row.target for row in tried) / len(tried)
    return hits / len(made), hits / len(bad), len(made.keys() - bad) / (len(real) - len(bad)), unvoted
