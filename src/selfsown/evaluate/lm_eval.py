"""Tasks of the Language Model Evaluation Harness, by name or from a folder, of a student whose weights are in a folder.

The harness runs in a process of its own. Its data sets come from the Hugging Face Hub, unless a task names local files;
its examples are not the run's held-out rows, so its scores are benchmarks beside the goal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

from selfsown.contamination.harness import HarnessError, run_harness
from selfsown.errors import ModelError, RecipeError
from selfsown.models import Model
from selfsown.option_types import Natural
from selfsown.records import JsonObject, Score
from selfsown.stats.intervals import Z

_COUNTED = ("_stderr", "alias", "sample_len", "sample_count", "name")  # entries of a task that are no metrics
_DRY_RUN_EXAMPLES = 2  # a task: that its data are there, and what its metrics are called
# The harness's own command cannot do without the list of all its tasks.
_PROGRAM = """
from lm_eval import simple_evaluate
from lm_eval.utils import handle_non_serializable

names, folder, settings = options
manager = task_manager(names, folder)
chosen = {name: manager.match_tasks([name]) for name in names}
if unknown := [name for name, matching in chosen.items() if not matching]:
    sys.exit("it has no task " + ", ".join(unknown))
tasks = sorted({task for matching in chosen.values() for task in matching})
results = simple_evaluate("hf", tasks=tasks, task_manager=manager, batch_size=1, log_samples=False, **settings)
kept = {key: results.get(key, {}) for key in ("results", "higher_is_better", "n-samples")}
with open(out, "w", encoding="utf-8") as file:
    json.dump(kept, file, default=handle_non_serializable)
"""
_SEEDS = ("random_seed", "numpy_random_seed", "torch_random_seed", "fewshot_random_seed")
_LOWER = ("perplexity", "bits_per_byte", "brier_score", "ter")


@runtime_checkable
class _InFolder(Protocol):
    """A model whose weights are in a folder of the transformers library."""

    name: str

    def harness_arguments(self) -> JsonObject:
        """The harness's arguments of the model: `pretrained`, and others as needed; "device" is its own option."""
        ...

    def free_memory(self) -> None:
        """Give back the memory of the weights."""
        ...


def evaluate(
    model: Model,
    seed: int,
    *,
    tasks: tuple[str, ...],
    folder: str = "",
    examples: Natural = 0,
    shots: Natural = 0,
    chat: bool = True,
) -> Iterator[Score]:
    """Each metric of each task, with its 95 % interval from the harness's standard error: lm_eval[task, metric].

    tasks: names of tasks or groups. folder: of YAML files with further tasks. examples: at most so many a task; 0 takes
    all. shots: examples in each prompt. chat: put prompts into the model's chat template.

    Raises ModelError where the model has no folder, or the harness fails; RecipeError where it is not installed.
    """
    if not find_spec("lm_eval"):
        raise RecipeError("evaluate.lm_eval needs the package lm_eval: pip install 'selfsown[lm_eval]'")
    if not isinstance(model, _InFolder):
        raise ModelError(f"evaluate.lm_eval needs a model of the transformers library, not {model.name}")
    model.free_memory()
    examples = _DRY_RUN_EXAMPLES if getattr(model, "is_stand_in", False) else examples
    arguments = dict(model.harness_arguments())
    settings: JsonObject = {"device": arguments.pop("device"), "model_args": arguments, "num_fewshot": shots}
    settings |= {"apply_chat_template": chat, "fewshot_as_multiturn": chat, "limit": examples or None}
    settings |= dict.fromkeys(_SEEDS, seed % 2**31)
    directory = str(Path(folder).expanduser().resolve()) if folder else ""
    try:
        results = json.loads(run_harness(_PROGRAM, [list(tasks), directory, settings]))
    except HarnessError as error:
        raise ModelError(f"evaluate.lm_eval: the harness failed on {', '.join(tasks)}: {error}") from error
    yield from _scores(results)


def _scores(results: JsonObject) -> Iterator[Score]:
    higher = results.get("higher_is_better", {})
    for task, metrics in sorted(results["results"].items()):
        count = int(results.get("n-samples", {}).get(task, {}).get("effective", 0))
        for key, value in sorted(metrics.items()):
            metric, _, filtered = key.partition(",")
            if not isinstance(value, int | float) or any(word in metric for word in _COUNTED):
                continue
            error = metrics.get(f"{metric}_stderr,{filtered}", 0.0)
            spread = Z * error if isinstance(error, int | float) else 0.0
            is_lower = higher.get(task, {}).get(metric) is False or metric.endswith(_LOWER)
            name = metric if filtered in ("", "none") else f"{metric} {filtered}"
            low, high = value - spread, value + spread
            yield Score("lm_eval", value, count, low, high, f"{task}, {name}", "lower" if is_lower else "higher")
