"""Tasks of the evaluation harness, run for real on a tiny checkpoint and a local task."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("lm_eval")

from hf_training import student

from selfsown.errors import ModelError
from selfsown.evaluate import lm_eval
from selfsown.models.hf import HF
from selfsown.preflight.stub_student import StubStudent

TASK = """
task: colours
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: ["red", "blue"]
doc_to_target: "{{{{answer}}}}"
metric_list: [{{metric: acc}}]
"""


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    data = tmp_path / "colours.jsonl"
    lines = [{"question": f"Colour {number}?", "answer": number % 2} for number in range(6)]
    data.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "colours.yaml").write_text(TASK.format(data=data), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_local_task_is_scored_with_its_interval(tmp_path: Path, tasks: Path) -> None:
    model = student(tmp_path)
    (score,) = lm_eval.evaluate(model, 0, tasks=("colours",), folder=str(tasks))
    assert score.key == "lm_eval[colours, acc]"
    assert score.n == 6
    assert score.value in {number / 6 for number in range(7)}
    assert score.low < score.value < score.high or score.value in (0, 1)
    dry = StubStudent(model.name, model, [])
    (few,) = lm_eval.evaluate(dry, 0, tasks=("colours",), folder=str(tasks))
    assert few.n == 2, "the dry run asks the harness for two examples"
    with pytest.raises(ModelError, match=r"lm_eval: the harness failed on colors: .*colors"):
        list(lm_eval.evaluate(model, 0, tasks=("colors",), folder=str(tasks)))


def test_a_model_without_a_folder_is_refused() -> None:
    class Other:
        name = "other"

    with pytest.raises(ModelError, match="needs a model of the transformers library, not other"):
        list(lm_eval.evaluate(Other(), 0, tasks=("arc_easy",)))  # type: ignore[arg-type]


def test_the_harness_reads_lora_weights_on_their_base(tmp_path: Path) -> None:
    base = student(tmp_path)
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    config = {"base_model_name_or_path": str(base.folder)}
    (adapter / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    arguments = HF(base.settings, adapter, "adapter").harness_arguments()
    assert arguments["pretrained"] == str(base.folder)
    assert arguments["peft"] == str(adapter)
