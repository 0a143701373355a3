"""A proof for any two files: whether training on real and synthetic rows beats training on real rows alone.

It is the recipe `synthetic-file`, with the number of training steps set by the number of rows. Both arms are trained
from scratch for the same number of steps, and measured in between. The best measurement of each arm is compared, as
early stopping would choose it: few real rows are overfitted soon, and any other rows would then look helpful.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from selfsown.compare.arms import FIXED_CHANGES, Arm
from selfsown.compare.columns import ColumnOptions
from selfsown.compare.experiment import Experiment
from selfsown.compare.paired_test import MIN_KEPT_ROWS
from selfsown.errors import DataError
from selfsown.recipe.recipe import Recipe
from selfsown.records import Row
from selfsown.run_folder import RunFolder, generation_dir
from selfsown.tasks import dataset, file

RECIPE = "synthetic-file"
ARMS = {"synthetic": "real and synthetic rows", "real": "real rows alone, for as many training steps"}
MAX_CHARS = 1000  # of a row: what the embedded student can read in reasonable time
PASSES = 10  # over real and synthetic rows together
FIRST_PASSES = 3  # over real rows, before the first measurement
MAX_CHARACTERS_TRAINED = 3_000_000  # per run: about a minute of two idle cores
EVALUATIONS = (4, 12)  # fewest and most
BATCH_SIZES = (8, 64)
MANY_ROWS = 2000  # from so many on, a tenth is held out; of fewer, a fifth
MAX_HELD_OUT = 2000
MAX_SHORT_ANSWER = 40  # characters: up to it, the share of right answers is measured, too


def plan(synthetic: str, real: str, columns: ColumnOptions, changes: Sequence[str], seeds: int) -> Experiment:
    """The comparison of both arms. DataError: a file cannot be read, has too few rows, or the files do not fit."""
    steps = [_source(synthetic, columns), _source(real, columns, columns.real_text)]
    ours, theirs = ([row for row in source.pose(0) if row.answered] for source in steps)
    if len(ours) < MIN_KEPT_ROWS:
        raise DataError(
            f"{synthetic} has {len(ours)} rows; {MIN_KEPT_ROWS} or more are needed to test whether they help"
        )
    _check_same_kind(synthetic, ours, real, theirs)
    _check_lengths(real, theirs)
    own = [*_files(steps), *_measures(theirs), *_training(theirs, ours)]
    own.append(f"name={json.dumps(Path(synthetic).name.partition('.')[0] or RECIPE, ensure_ascii=False)}")
    common = [*own, *changes]
    recipe = Recipe.load(RECIPE, common)
    extra = {"synthetic": (), "real": ("generate=[]",)}
    arms = [Arm(name, text, (*common, *extra[name], *FIXED_CHANGES)) for name, text in ARMS.items()]
    names = (Path(synthetic).name, Path(real).name)
    return Experiment(RECIPE, recipe, arms, list(range(seeds)), {}, 0, 0, needs_direction=True, files=names)


def _source(path: str, columns: ColumnOptions, text: str = "") -> file.Task | dataset.Task:
    """The rows of a file or folder; a named column that it does not have is ignored: both share the options."""
    if not Path(path).exists():
        raise DataError(f"no such file or folder: {path}; name a file of rows (JSON lines, CSV, Parquet, text …)")
    source = dataset.Task if Path(path).is_dir() else file.Task
    if text:
        return source(path, text=text, skip_bad=True)
    available = {name for record in source(path).head() for name in record}
    named = {"text": columns.text, "prompt": columns.prompt, "answer": columns.answer}
    known = {option: name for option, name in named.items() if name in available}
    if "prompt" not in known and columns.prompt:
        known.pop("answer", None)  # this file has other columns: the usual names
    if any(named.values()) and not any(name in available for name in named.values() if name):
        try:
            list(islice(source(path).pose(0), 1))  # by the usual names
        except DataError as error:
            raise DataError(
                f"{path} has none of the named columns; available: {', '.join(sorted(available))}"
            ) from error
    return source(
        path,
        text=known.get("text", ""),
        prompt=known.get("prompt", ""),
        answer=known.get("answer", ""),
        skip_bad=True,
    )


def _check_same_kind(synthetic: str, ours: Sequence[Row], real: str, theirs: Sequence[Row]) -> None:
    """DataError: one file has prompts with answers, the other documents."""
    kinds = ["prompts with answers" if any(row.prompt for row in rows) else "documents" for rows in (ours, theirs)]
    if kinds[0] != kinds[1]:
        raise DataError(
            f"{synthetic} has {kinds[0]}, but {real} has {kinds[1]}; name the columns: "
            "--prompt COLUMN --answer COLUMN, or --text COLUMN"
        )


def _check_lengths(real: str, rows: Sequence[Row]) -> None:
    """DataError: most real rows are too long for the embedded student."""
    long = sum(len(row.prompt) + len(row.answer) > MAX_CHARS for row in rows)
    if 2 * long > len(rows):
        raise DataError(
            f"{long:,} of {len(rows):,} rows of {real} have more than {MAX_CHARS:,} characters, which is all that the "
            "embedded student reads; cut them into shorter rows"
        )


def _files(sources: Sequence[file.Task | dataset.Task]) -> list[str]:
    """The changes that name both files and their columns."""
    ours, theirs = (
        {"path": source.path}
        | {name: value for name in ("text", "prompt", "answer") if (value := getattr(source, name))}
        for source in sources
    )
    real = {sources[1].task_name: {**theirs, "skip_bad": True}}
    synthetic = [{"file": {**ours, "max_chars": MAX_CHARS}}]
    return [
        f"real={json.dumps(real, ensure_ascii=False)}",
        f"generate={json.dumps(synthetic, ensure_ascii=False)}",
    ]


def _measures(real: Sequence[Row]) -> list[str]:
    """Of documents the loss; of answers their loss, and where they are short also the share of right ones."""
    held_out = min(MAX_HELD_OUT, round(len(real) * (0.1 if len(real) >= MANY_ROWS else 0.2)))
    changes = [f"held_out={held_out}"]
    if any(row.prompt for row in real):
        measures: list[object] = [{"loss": {"answers_only": True}}]
        if max(len(row.answer) for row in real) <= MAX_SHORT_ANSWER:
            measures.append("accuracy")
        changes += [f"evaluate={json.dumps(measures)}", "goal=loss[answers]"]
    return changes


def _training(real: Sequence[Row], synthetic: Sequence[Row]) -> list[str]:
    """Steps, batch size and number of measurements, the same for both arms."""
    fitting = [length for row in (*real, *synthetic) if (length := len(row.prompt) + len(row.answer) + 1) <= MAX_CHARS]
    total = len(real) + len(synthetic)
    draws = min(PASSES * total, MAX_CHARACTERS_TRAINED / statistics.fmean(fitting))
    fewest, most = EVALUATIONS
    evaluations = min(most, max(fewest, math.ceil(draws / (FIRST_PASSES * len(real)))))
    batch = min(BATCH_SIZES[1], max(BATCH_SIZES[0], len(real) // 25))
    steps = max(1, round(draws / evaluations / batch))
    return [f"generations={evaluations}", f"train.sft.steps={steps}", f"train.sft.batch_size={batch}"]


def sentences(experiment: Experiment, folder: Path) -> list[str]:
    """What was compared: the rows of either side, those left out, the training, and what this says nothing about."""
    assert experiment.files
    synthetic, real = experiment.files
    runs = [RunFolder(run.folder) for run in experiment.runs(folder) if run.arm == "synthetic"]
    made = [list(run.rows(f"{generation_dir(1)}/rows") or []) for run in runs]
    trained, held_out = (statistics.fmean(len(run.rows(side) or []) for run in runs) for side in ("real", "held_out"))
    kept = statistics.fmean(sum(row.status == "kept" for row in rows) for rows in made)
    recipe = experiment.recipe
    (train,) = recipe.train
    draws = recipe.generations * train.option("steps") * train.option("batch_size")
    return [
        f"Per seed: {trained:,.0f} rows of {real} to train on and {held_out:,.0f} held out; {kept:,.0f} of "
        f"{len(made[0]):,} rows of {synthetic}.{_left_out(made)}",
        f"Both arms train from scratch for {recipe.generations * train.option('steps'):,} steps: {draws / trained:.3g} "
        f"passes over real rows alone, {draws / (trained + kept):.3g} over real and synthetic rows. The best of "
        f"{recipe.generations} measurements, chosen on validation rows, is compared, as with early stopping.",
        "The student is a small transformer trained from scratch: this says little about fine-tuning a large "
        "pretrained model on the same rows.",
    ]


def _left_out(made: Sequence[Sequence[Row]]) -> str:
    """How many synthetic rows were left out, by reason; "" where none was."""
    leaked = statistics.fmean(sum(row.status == "rejected" for row in rows) for rows in made)
    failed = statistics.fmean(sum(row.status == "failed" for row in rows) for rows in made)
    parts = [f" Left out: {leaked:,.1f} that copy held-out rows, or nearly".replace(".0 ", " ")] if leaked else []
    if failed:
        parts.append(f"{'' if parts else ' Left out: '}{failed:,.0f} without an answer or too long")
    return f"{' and '.join(parts)}." if parts else ""
