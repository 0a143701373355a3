"""Palmyra X 004: almost entirely synthetic, and claimed to be 6.6 times cheaper. Does a run reproduce that?

The claim is tested at equal scores on held-out real rows; real and held-out rows are charged to both sides.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from acceptance.bars import Bar, Mean
from selfsown.compare import runner
from selfsown.compare.experiment import plan_experiment
from selfsown.compare.results import ClaimResult, ComparisonResult, DataEfficiency
from selfsown.cost import read_cost
from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row, SelfsownError
from selfsown.run_folder import RunFolder, generation_dir
from testing.mock_server import Server

MAX_LEDGER_ERROR_USD = 1e-6
MAX_REAL_SHARE = 0.05  # of the tokens
PRICE = {"input": 0.25, "output": 2.0, "cached": 0.025}  # USD per million tokens, typical for small models
FAULTS = {"busy": 0.08, "error": 0.05, "reset": 0.02, "malformed": 0.02, "empty": 0.02, "refused": 0.02}
SIZES = ["8x,16x,32x,64x"]
SMALL = (
    "real={programs: {rows: 10000, levels: 1}}",  # so that all sizes are subsets of the same rows
    "max_train_rows=150",
    "held_out=400",
    "student={tiny: {layers: 2, width: 32, heads: 4}}",
    "base_train={sft: {steps: 60, batch_size: 48}}",  # short, since its rows are all real
    "generations=4",
    "generate.propose.count=4000",
    "train.sft.steps=500",
    "evaluate=[{accuracy: {by: [form]}}, loss]",
)


def trained(folder: Path, seeds: Sequence[int]) -> Iterator[Bar]:
    """The recipe, scaled down, compared with plain training on more and more real rows."""
    comparison = _compare(folder / "compared", len(seeds), SIZES)
    runs = [folder / "compared" / "graded" / f"seed-{seed}" for seed in seeds]
    shares = [_real_share(run) for run in runs]
    result = f"{max(shares):.2%} in the seed with the most"
    measure = "share of real tokens in training, base training included"
    yield Bar(measure, "≤ 5 %", result, max(shares) <= MAX_REAL_SHARE)
    pairs = [pair for run in runs for pair in zip(_reported_shares(run), _counted_shares(run), strict=True)]
    error = max(abs(reported - counted) for reported, counted in pairs)
    result = f"{error:.0e} apart in {len(pairs)} shares"
    yield Bar("`synthetic_share`, compared with a count of the rows on disk by origin", "equal", result, error < 1e-12)
    yield from _claim(comparison)
    yield from _prices(comparison)
    _, claim = _efficiency(_compare(folder / "compared", len(seeds), ["8x"]))
    no_ratio = claim.summary.startswith("no ratio") and claim.mean is None
    yield Bar("plain training on 8 times the rows alone, whose score differs", "no ratio", claim.summary, no_ratio)


def _compare(folder: Path, seeds: int, sizes: Sequence[str]) -> ComparisonResult:
    return runner.run(plan_experiment("palmyra", SMALL, [], seeds, sizes), folder, 1, None, lambda line: None)


def _efficiency(comparison: ComparisonResult) -> tuple[DataEfficiency, ClaimResult]:
    assert comparison.data_efficiency
    assert comparison.data_efficiency.claim
    return comparison.data_efficiency, comparison.data_efficiency.claim


def _claim(comparison: ComparisonResult) -> Iterator[Bar]:
    """The same score on both sides, and the verdict on the claim."""
    efficiency, claim = _efficiency(comparison)
    score = efficiency.scores[comparison.goal]
    final = {"the loop": score.loop, **score.curve}
    result = ", ".join(f"{name} {Mean.of(values)}" for name, values in final.items())
    yield Bar("accuracy at the end on held-out real rows", "–", result, True)
    matched = all(ratio is not None for ratio in claim.ratios)
    requirement = "between two sizes that were run, in every seed"
    measure = "times the real rows that plain training needs for the loop's score"
    yield Bar(measure, requirement, score.summary, matched)
    expected = "unknown"
    if (claim.low or 0.0) >= claim.claimed:
        expected = "≥ 6.6×"
    elif (claim.high or 0.0) < claim.claimed:
        expected = "< 6.6×"
    requirement = "≥ 6.6×, < 6.6× or unknown, by the interval"
    yield Bar("the claim of 6.6 times", requirement, claim.summary, matched and claim.verdict == expected)


def _prices(comparison: ComparisonResult) -> Iterator[Bar]:
    """What each side is charged, and how sensitive the result is to the prices."""
    efficiency, _ = _efficiency(comparison)
    cost = efficiency.cost
    assert cost.loop
    assert cost.plain
    real, held_out = efficiency.rows["real-8x"] / 8, efficiency.held_out
    multiple = efficiency.scores[comparison.goal].mean or 0.0
    wrong = abs(cost.loop.rows - real - held_out), abs(cost.plain.rows - multiple * real - held_out)
    requirement = f"{real:.0f} and {held_out}; {multiple * real:,.0f} and {held_out}"
    result = f"{cost.loop.rows:.0f}; {cost.plain.rows:,.0f}"
    yield Bar("rows charged to each side, held-out rows included", requirement, result, max(wrong) < 1e-6)
    result = f"{cost.label_ratio:.2f}, {cost.compute_ratio:.2f}, {cost.total_ratio:.2f}"
    measure = "cost of plain training relative to the loop: labels only, compute only, both"
    yield Bar(measure, "three ratios", result, True)
    ratios = [ratio for values in (cost.sensitivity or {}).values() for ratio in values]
    result = f"{min(ratios):.2f} to {max(ratios):.2f}"
    yield Bar("both, with each price 0.5 or 1.5 times as high", "reported", result, len(ratios) >= 4)
    price = cost.break_even_real_row
    yield Bar("USD per real row at which both sides cost the same", "reported", f"{price:.2g}", price is not None)


def _reported_shares(run: Path) -> list[float]:
    return [value for generation in RunFolder(run).generations() for value in generation.synthetic_share.values()]


def _counted_shares(run: Path) -> list[float]:
    """The same from the rows on disk: each is real or synthetic, and the recipe defines how often it is drawn."""
    run_folder, synthetic = RunFolder(run), list[Row]()
    real = run_folder.rows("real") or []
    min_share, shares = Recipe.of(run_folder.recipe()).mix.options["real_share"], list[float]()
    for generation in run_folder.generations():
        synthetic += [
            row for row in run_folder.rows(f"{generation_dir(generation.number)}/rows") or [] if row.status == "kept"
        ]
        assert all(row.origin == "real" for row in real)
        assert all(row.origin == "synthetic" for row in synthetic)
        sizes = [sum(len(row.prompt) + len(row.answer) for row in rows) for rows in (real, synthetic)]
        real_draws = max(min_share, len(real) / (len(real) + len(synthetic))) if synthetic else 1.0
        drawn = [real_draws * sizes[0] / len(real), (1 - real_draws) * sizes[1] / max(1, len(synthetic))]
        shares += [len(synthetic) / (len(real) + len(synthetic)), sizes[1] / sum(sizes), drawn[1] / sum(drawn)]
    return shares


def _real_share(run: Path) -> float:
    """The share of real tokens in all training: the draws of each generation, base training included."""
    run_folder = RunFolder(run)
    recipe, total, real = Recipe.of(run_folder.recipe()), 0.0, 0.0
    for generation in run_folder.generations():
        train = (recipe.base_train or recipe.train[0]) if generation.number == 0 else recipe.train[0]
        draws = train.options["steps"] * train.options["batch_size"]
        total += draws
        real += draws * (1 - generation.synthetic_share["drawn"])
    return real / total


def loopback(folder: Path) -> Iterator[Bar]:
    """`palmyra-text` with a server that fails, refuses, gives wrong answers, and counts its tokens."""
    real = _write_real_rows(folder / "real.jsonl")
    with Server(models=("m", "judge"), say=_reply, faults=FAULTS, wait="0.01") as server:
        server_options = f"url: '{server.url}', retries: 10, price: {json.dumps(PRICE)}"
        models = {"teacher": "m", "judge": "judge"}
        roles = [f"{role}={{endpoint: {{{server_options}, model: {model}}}}}" for role, model in models.items()]
        overrides = [
            "generate.self_instruct.count=300",
            "generate.persona.count=300",
            "prompts_per_generation=20",
            f"real={real}",
            *roles,
        ]
        cap_usd, out = 0.05, folder / "made"
        try:
            make(Recipe.load("palmyra-text", [*overrides, f"budget={{usd: {cap_usd}}}"]), out)
            stopped = False
        except SelfsownError as error:
            stopped = error.code == 3
        spent = _ledger_usd(out)
        passed, result = stopped and spent <= 1.1 * cap_usd, f"stopped at ${spent:.4f} of ${cap_usd:.2f}"
        yield Bar("a budget in USD stops the run", "≤ the cap, plus one reply", result, passed)
        make(Recipe.load("palmyra-text", overrides), out)
        distinct, paid = len({json.dumps(body, sort_keys=True) for body in server.bodies}), server.did["answered"]
        yield Bar("without it, the run resumes: replies paid for twice", "0", str(paid - distinct), paid == distinct)
        counted = _usd(server.told["prompt_tokens"], server.told["completion_tokens"], cached=paid)
    with closing(sqlite3.connect(out / "replies.sqlite")) as log:
        calls = log.execute(
            "SELECT input_tokens, output_tokens, cached_tokens FROM calls WHERE outcome = 'answered'"
        ).fetchall()
        requests = log.execute("SELECT count(*) FROM calls").fetchone()[0]
    ledger = _ledger_usd(out)
    difference = abs(ledger - sum(_usd(*call) for call in calls))
    passed, result = (
        difference <= MAX_LEDGER_ERROR_USD,
        f"{difference:.0e} of ${ledger:.4f}; {requests:,} requests, {requests - len(calls):,} failed",
    )
    yield Bar("USD in the ledger, compared with the log of calls", "≤ 1e-6 apart", result, passed)
    difference = abs(ledger - counted)
    yield Bar(
        "USD in the ledger, compared with the server's count",
        "≤ 1e-6 apart",
        f"{difference:.0e}",
        difference <= MAX_LEDGER_ERROR_USD,
    )
    yield from _rows(out)


def _rows(out: Path) -> Iterator[Bar]:
    """The status of rows with planted faults, and the share of real tokens with the real rows added to the dataset."""
    run_folder = RunFolder(out)
    rows, real = run_folder.rows("rows") or [], run_folder.rows("real") or []
    kept = [row for row in rows if row.status == "kept"]
    for fault in (WRONG_ANSWER, SELF_REFERENCE):
        faulty = [row for row in rows if fault in row.answer]
        result = f"{sum(row.status == 'kept' for row in faulty)} of {len(faulty)}"
        yield Bar(f"rows kept with the planted fault {fault!r}", "none", result, bool(faulty) and result[:2] == "0 ")
    sizes = [sum(len(row.prompt) + len(row.answer) for row in group) for group in (real, kept)]
    share = sizes[0] / sum(sizes)
    result = f"{share:.1%}, {len(real)} real rows, {len(kept)} of {len(rows)} rows kept"
    yield Bar("share of real tokens in the dataset with the real rows added", "≤ 5 %", result, share <= MAX_REAL_SHARE)


WRONG_ANSWER, SELF_REFERENCE = "nineteen is even", "As an AI language model, I"


def _reply(prompt: str, body: dict[str, Any]) -> str:
    """A teacher that is wrong in one reply of five and refers to itself in one of ten; a judge that knows the error."""
    if prompt.startswith("Judge the"):
        return json.dumps({"reason": "because", "score": 1 if WRONG_ANSWER in prompt else 5})
    rng = random.Random(repr((prompt, body.get("seed"))))
    text = " ".join("".join(rng.choices("abcdefghijklmnop", k=rng.randint(3, 9))) for _ in range(40))
    roll = rng.random()
    text = f"{text}; {WRONG_ANSWER}" if roll < 0.2 else f"{SELF_REFERENCE} cannot say. {text}" if roll < 0.3 else text
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {}).get("properties", {})
    return json.dumps({field: text if field == "output" else f"{field} {text}" for field in schema}) if schema else text


def _write_real_rows(path: Path) -> Path:
    prompts = {number: f"What is {number} times {number + 3}, in words and why?" for number in range(22)}
    rows = [{"prompt": prompt, "answer": f"{number * (number + 3)}."} for number, prompt in prompts.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _usd(input_tokens: int, output_tokens: int, cached: int) -> float:
    return ((input_tokens - cached) * PRICE["input"] + cached * PRICE["cached"] + output_tokens * PRICE["output"]) / 1e6


def _ledger_usd(folder: Path) -> float:
    usage = read_cost(folder)
    return float(usage.total.usd) if usage and usage.total.usd is not None else float("nan")
