"""Palmyra X 004, almost wholly synthetic and said to be 6.6 times cheaper: does a run of ours bear that out?

The claim is tested at equal scores on held-out real rows, with seeds and held-out rows charged to both sides.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from server import Server

from acceptance.bars import Bar, Mean
from selfsown import cost
from selfsown.compare import runner
from selfsown.compare.experiment import plan
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder, generation_dir

CENT = 1e-6  # dollars that the ledger may be wrong by
FEW = 0.05  # the most of the tokens that may be real
PRICE = {"input": 0.25, "output": 2.0, "cached": 0.025}  # dollars for a million tokens, as servers ask for small models
FAULTS = {"busy": 0.08, "error": 0.05, "reset": 0.02, "malformed": 0.02, "empty": 0.02, "refused": 0.02}
SIZES = ("8x,16x,32x,64x",)
SMALL = (
    "real={programs: {rows: 10000, levels: 1}}",  # so that each size is of the same ones
    "max_train_rows=150",
    "held_out=400",
    "student={tiny: {layers: 2, width: 32, heads: 4}}",
    "base_train={sft: {steps: 60, batch_size: 48}}",  # short, for its rows are all real
    "generations=4",
    "generate.propose.count=4000",
    "train.sft.steps=500",
    "evaluate=[{accuracy: {by: [form]}}, loss]",
)


def learned(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The recipe against plain training on more and more real rows, smaller than it is on its page."""
    there = folder / "compared"
    found = runner.run(plan("palmyra", SMALL, [], len(seeds), SIZES), there, 1, None, lambda said: None)
    runs = [there / "graded" / f"seed-{seed}" for seed in seeds]
    shares = [_real(run) for run in runs]
    seen = f"{max(shares):.2%} in the seed with most"
    yield Bar("tokens trained on that are real, the base among them", "≤ 5 %", seen, max(shares) <= FEW)
    pairs = [pair for run in runs for pair in zip(_reported(run), _counted(run), strict=True)]
    apart = max(abs(one - two) for one, two in pairs)
    seen = f"{apart:.0e} apart in {len(pairs)} shares"
    yield Bar("`synthetic_share` against a count of the rows on disk, by origin", "equal", seen, apart < 1e-12)
    yield from _claim(found, len(seeds))
    yield from _prices(found)
    few = runner.run(plan("palmyra", SMALL, [], len(seeds), ["8x"]), there, 1, None, lambda said: None)
    said = few["efficiency"]["claim"]
    refused = said["words"].startswith("no ratio") and said["mean"] is None
    yield Bar("plain training on 8 times the rows alone, which scores otherwise", "no ratio", said["words"], refused)


def _claim(found: Mapping[str, Any], seeds: int) -> Iterator[Bar]:
    """The same score on both sides, and what is said of the claim."""
    score, said = found["efficiency"]["scores"][found["goal"]], found["efficiency"]["claim"]
    ends = {"the loop": score["loop"], **score["curve"]}
    seen = ", ".join(f"{name} {Mean.of(values)}" for name, values in ends.items())
    yield Bar("accuracy at the end on held-out real rows", "–", seen, True)
    within = sum(ratio is not None for ratio in said["ratios"]) == seeds
    asked = "between two sizes that were run, in every seed"
    yield Bar("times the real rows, for the loop's score by plain training", asked, score["words"], within)
    low, high = said["low"] or 0.0, said["high"] or 0.0
    right = "≥ 6.6×" if low >= said["asked"] else "< 6.6×" if high < said["asked"] else "cannot say"
    asked = "≥ 6.6×, < 6.6× or cannot say, by the interval"
    yield Bar("the claim of 6.6 times", asked, said["words"], within and said["verdict"] == right)


def _prices(found: Mapping[str, Any]) -> Iterator[Bar]:
    """What either side is charged, and how much hangs on the prices."""
    needs, spent = found["efficiency"], found["efficiency"]["cost"]
    seeds, held = needs["rows"]["real-8x"] / 8, needs["held_out"]
    ours, theirs = spent["loop"]["rows"], spent["plain"]["rows"]
    more = needs["scores"][found["goal"]]["mean"] or 0.0
    fits = abs(ours - seeds - held) < 1e-6 and abs(theirs - more * seeds - held) < 1e-6
    asked = f"{seeds:.0f} and {held}; {more * seeds:,.0f} and {held}"
    yield Bar("rows charged to each side, held-out ones among them", asked, f"{ours:.0f}; {theirs:,.0f}", fits)
    seen = ", ".join(f"{what} {spent[what]:.2f}" for what in ("labels", "compute", "both"))
    yield Bar("plain training's cost to the loop's: labels only, compute only, both", "three ratios", seen, True)
    ways = [ratio for each in spent["sensitivity"].values() for ratio in each]
    seen = f"{min(ways):.2f} to {max(ways):.2f}"
    yield Bar("both, each price half or one and a half times as high", "told", seen, len(ways) >= 4)
    even = spent["break_even_real_row"]
    yield Bar("USD for a real row at which both sides cost the same", "told", f"{even:.2g}", even is not None)


def _reported(run: Path) -> list[float]:
    return [value for each in RunFolder(run).generations() for value in each.synthetic_share.values()]


def _counted(run: Path) -> list[float]:
    """The same of the rows on disk: each is real or a model's, and the recipe says how often it is drawn."""
    store, ours = RunFolder(run), list[Row]()
    real = store.rows("real") or []
    floor, found = Recipe.of(store.recipe()).mix.options["real_share"], list[float]()
    for each in store.generations():
        ours += [row for row in store.rows(f"{generation_dir(each.number)}/rows") or [] if row.status == "kept"]
        assert all(row.origin == "real" for row in real)
        assert all(row.origin == "synthetic" for row in ours)
        sizes = [sum(len(row.prompt) + len(row.answer) for row in rows) for rows in (real, ours)]
        draws = max(floor, len(real) / (len(real) + len(ours))) if ours else 1.0
        drawn = [draws * sizes[0] / len(real), (1 - draws) * sizes[1] / max(1, len(ours))]
        found += [len(ours) / (len(real) + len(ours)), sizes[1] / sum(sizes), drawn[1] / sum(drawn)]
    return found


def _real(run: Path) -> float:
    """The share of real tokens in all that was trained on: each generation's draws, the base's among them."""
    store = RunFolder(run)
    recipe, draws, real = Recipe.of(store.recipe()), 0.0, 0.0
    for each in store.generations():
        train = (recipe.base_train or recipe.train[0]) if each.number == 0 else recipe.train[0]
        many = train.options["steps"] * train.options["batch"]
        draws += many
        real += many * (1 - each.synthetic_share["drawn"])
    return real / draws


def loopback(folder: Path) -> Iterator[Bar]:
    """`palmyra-text` against a server that fails, refuses, lies and counts what it is asked for."""
    real = _seeds(folder / "real.jsonl")
    with Server(models=("m", "judge"), say=_say, faults=FAULTS, wait="0.01") as server:
        there = f"url: '{server.url}', retries: 10, price: {json.dumps(PRICE)}"
        models = {"teacher": "m", "judge": "judge"}
        named = [f"{role}={{endpoint: {{{there}, model: {model}}}}}" for role, model in models.items()]
        few = [
            "generate.self_instruct.count=300",
            "generate.persona.count=300",
            "prompts_per_generation=20",
            f"real={real}",
            *named,
        ]
        capped, out = 0.05, folder / "made"
        try:
            make(Recipe.load("palmyra-text", [*few, f"budget={{usd: {capped}}}"]), out)
            stopped = False
        except SelfsownError as error:
            stopped = error.code == 3
        before = _ledger(out)
        fits, seen = stopped and before <= 1.1 * capped, f"stopped at ${before:.4f} of ${capped:.2f}"
        yield Bar("a budget of money stops the run", "≤ the cap, and a reply", seen, fits)
        make(Recipe.load("palmyra-text", few), out)
        once, paid = len({json.dumps(body, sort_keys=True) for body in server.bodies}), server.did["answered"]
        yield Bar("and without it, it goes on: replies paid for twice", "0", str(paid - once), paid == once)
        told = _money(server.told["prompt_tokens"], server.told["completion_tokens"], cached=paid)
    with closing(sqlite3.connect(out / "replies.sqlite")) as log:
        calls = log.execute("SELECT input, output, cached FROM calls WHERE outcome = 'answered'").fetchall()
        tried = log.execute("SELECT count(*) FROM calls").fetchone()[0]
    ledger = _ledger(out)
    wrong = abs(ledger - sum(_money(*call) for call in calls))
    fits, seen = wrong <= CENT, f"{wrong:.0e} of ${ledger:.4f}; {tried:,} requests, {tried - len(calls):,} in vain"
    yield Bar("USD on the ledger, against the log of calls one by one", "≤ 1e-6 apart", seen, fits)
    wrong = abs(ledger - told)
    yield Bar("USD on the ledger, against what the server counted", "≤ 1e-6 apart", f"{wrong:.0e}", wrong <= CENT)
    yield from _rows(out)


def _rows(out: Path) -> Iterator[Bar]:
    """What became of the planted faults, and how much of the data set would be real if its seeds were put to it."""
    store = RunFolder(out)
    made, seeds = store.rows("rows") or [], store.rows("real") or []
    kept = [row for row in made if row.status == "kept"]
    for fault in (WRONG, SELF):
        planted = [row for row in made if fault in row.answer]
        seen = f"{sum(row.status == 'kept' for row in planted)} of {len(planted)}"
        yield Bar(f"planted rows that are kept, with {fault!r}", "none", seen, bool(planted) and seen[:2] == "0 ")
    sizes = [sum(len(row.prompt) + len(row.answer) for row in rows) for rows in (seeds, kept)]
    share = sizes[0] / sum(sizes)
    seen = f"{share:.1%}, {len(seeds)} seeds and {len(kept)} of {len(made)} rows kept"
    yield Bar("tokens of the data set that are real, its seeds put to it", "≤ 5 %", seen, share <= FEW)


WRONG, SELF = "nineteen is even", "As an AI language model, I"


def _say(prompt: str, body: dict[str, Any]) -> str:
    """A teacher who lies in one reply of five and speaks of itself in one of ten; a judge that knows the lie."""
    if prompt.startswith("Judge the"):
        return json.dumps({"reason": "so it is", "score": 1 if WRONG in prompt else 5})
    chance = random.Random(repr((prompt, body.get("seed"))))
    said = " ".join("".join(chance.choices("abcdefghijklmnop", k=chance.randint(3, 9))) for _ in range(40))
    fault = chance.random()
    said = f"{said}; {WRONG}" if fault < 0.2 else f"{SELF} cannot say. {said}" if fault < 0.3 else said
    form = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    return json.dumps({part: said if part == "output" else f"{part} {said}" for part in form}) if form else said


def _seeds(path: Path) -> Path:
    asked = {at: f"What is {at} times {at + 3}, in words and why?" for at in range(22)}
    rows = [{"prompt": prompt, "answer": f"{at * (at + 3)}."} for at, prompt in asked.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _money(asked: int, said: int, cached: int) -> float:
    return ((asked - cached) * PRICE["input"] + cached * PRICE["cached"] + said * PRICE["output"]) / 1e6


def _ledger(folder: Path) -> float:
    found = cost.read(folder)
    return float(found.all.usd) if found and found.all.usd is not None else float("nan")
