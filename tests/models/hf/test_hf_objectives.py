"""Objectives of a transformers student: each learns, on all weights and on LoRA's, what its rows say and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("trl")
pytest.importorskip("peft")

import torch
from hf_training import PAIRS, ROWS, bits, in_process, letters, mixed, progress_lines, quiet, student, weight_hash
from safetensors.torch import load_file

from selfsown.errors import DataError, ModelError
from selfsown.models.hf import create
from selfsown.models.hf.averages import AverageLast, Trainable
from selfsown.models.hf.files import adapter_base, weight_bytes
from selfsown.models.hf.job import EncodedRow, read_rows
from selfsown.models.hf.needs import estimated_needs, parameter_count
from selfsown.models.hf.objectives import distill, dpo, grpo, sft
from selfsown.models.hf.trainers import IGNORED, labels
from selfsown.records import Row, Training
from testing.tiny_checkpoint import write_checkpoint

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("in_process")]
__all__ = ["in_process"]
RATES = {"full": 3e-3, "lora": 1e-2}


@pytest.mark.parametrize("weights", ["full", "lora"])
def test_sft_makes_the_rows_likelier(tmp_path: Path, weights: str) -> None:
    parent, reports = student(tmp_path, train_weights=weights), list[Training]()
    options = {"steps": 8, "epochs": 0.0, "batch_size": 4, "micro_batch": 2, "learning_rate": RATES[weights]}
    child = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "work", reports.append, **options)  # type: ignore[arg-type]
    assert bits(child, ROWS) < 0.9 * bits(parent, ROWS)
    assert reports == [Training(8, 8, 0.8)]
    assert adapter_base(child.folder) == ("" if weights == "full" else str(tmp_path / "base"))
    assert not (tmp_path / "work" / "checkpoints").exists()


def test_lora_weights_are_trained_on_and_reload_as_they_were(tmp_path: Path) -> None:
    parent = student(tmp_path, train_weights="lora")
    options = {"steps": 6, "epochs": 0.0, "batch_size": 4, "learning_rate": 1e-2}
    first = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "one", **options)  # type: ignore[arg-type]
    second = sft.train(mixed(ROWS), first, 1, quiet, tmp_path / "two", **options)  # type: ignore[arg-type]
    assert bits(second, ROWS) < bits(first, ROWS) < bits(parent, ROWS)
    assert adapter_base(second.folder) == str(tmp_path / "base")
    assert progress_lines(tmp_path / "two")[0]["loss"] < progress_lines(tmp_path / "one")[0]["loss"]  # type: ignore[operator]


@pytest.mark.parametrize("weights", ["full", "lora"])
def test_dpo_prefers_the_better_answer_and_learns_other_rows_too(tmp_path: Path, weights: str) -> None:
    parent, rows = student(tmp_path, train_weights=weights), [*PAIRS[:20], *ROWS[20:]]
    worse = [replace(row, answer=str(row.metadata["rejected"])) for row in PAIRS]

    def margin(model: object) -> float:
        return bits(model, worse[:20]) - bits(model, ROWS[:20])  # type: ignore[arg-type]

    options = {"steps": 8, "epochs": 0.0, "batch_size": 8, "micro_batch": 4, "learning_rate": RATES[weights]}
    child = dpo.train(mixed(rows), parent, 1, quiet, tmp_path / "work", **options)  # type: ignore[arg-type]
    assert margin(child) > margin(parent) + 20
    assert bits(child, ROWS[20:]) < bits(parent, ROWS[20:])


def test_dpo_needs_a_pair(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row that is drawn has a rejected answer"):
        dpo.train(mixed(ROWS), student(tmp_path), 1, quiet, tmp_path / "work")


@pytest.mark.parametrize("weights", ["full", "lora"])
def test_grpo_raises_the_reward(tmp_path: Path, weights: str) -> None:
    """From a model that writes digits and letters, since LoRA turns no random weights into letters."""
    before = {"steps": 40, "epochs": 0.0, "batch_size": 8, "learning_rate": 1e-2}
    first = sft.train(mixed(ROWS), student(tmp_path), 1, quiet, tmp_path / "first", **before)  # type: ignore[arg-type]
    parent = create([], 0, model=str(first.folder), device="cpu", train_weights=weights, max_new_tokens=6)  # type: ignore[arg-type]
    seen = list[Row]()

    def grader(rows: list[Row]) -> list[Row]:
        seen.extend(rows)
        return letters([replace(row, status="", reason="") for row in rows])  # those without an end, too

    options = {"steps": 12, "batch_size": 2, "group_size": 8, "learning_rate": RATES[weights]}
    grpo.train(mixed(ROWS[:4]), parent, 1, tmp_path / "work", grader, **options)  # type: ignore[arg-type]
    rewards = [float(str(line["reward"])) for line in progress_lines(tmp_path / "work")]
    assert sum(rewards[-4:]) > sum(rewards[:4]) + 1
    assert {row.method for row in seen} == {"grpo"}
    assert {row.prompt for row in seen} <= {row.prompt for row in ROWS[:4]}


def test_grpo_scores_an_answer_without_an_end_0_and_leaves_failed_ones_out() -> None:
    samples = grpo._samples("m", mixed(ROWS), [3, 3, 4], ["a", "b", "c"], [True, False, True])
    assert [(row.prompt, row.sample_index, row.status) for row in samples] == [
        ("say 3", 0, ""),
        ("say 3", 1, "failed"),
        ("say 4", 0, ""),
    ]
    scores = grpo._scores(lambda rows: [letters(rows)[0], rows[1], rows[2].failed("a judge was unreachable")], samples)
    assert scores == [1.0, 0.0, None]


@pytest.mark.parametrize("on_policy", [False, True])
def test_distillation_comes_nearer_to_the_teacher(tmp_path: Path, on_policy: bool) -> None:
    parent = student(tmp_path)
    pupil_of = {"steps": 25, "epochs": 0.0, "batch_size": 8, "learning_rate": 3e-3}
    teacher = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "teacher", **pupil_of)  # type: ignore[arg-type]
    options = {"steps": 8, "epochs": 0.0, "batch_size": 8, "micro_batch": 4, "learning_rate": 3e-3}
    child = distill.train(
        mixed(ROWS), parent, 1, tmp_path / "work", teacher, on_policy=on_policy, hard_label_weight=0.0, **options
    )  # type: ignore[arg-type]
    losses = [float(str(line["loss"])) for line in progress_lines(tmp_path / "work")]
    assert losses[-1] < losses[0]
    assert on_policy or bits(child, ROWS) < 0.9 * bits(parent, ROWS)


def test_a_teacher_of_another_tokenizer_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "other", tokens="€")
    with pytest.raises(ModelError, match="has another tokenizer than base"):
        distill.train(mixed(ROWS), student(tmp_path), 1, tmp_path / "work", student(tmp_path, "other"))


def test_qlora_without_its_package_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        with pytest.raises(ModelError, match="pip install bitsandbytes"):
            sft.train(mixed(ROWS), student(tmp_path, train_weights="qlora"), 1, quiet, tmp_path / "work", steps=1)
    else:
        pytest.skip("bitsandbytes is installed")


def test_an_answer_is_learned_up_to_its_end_mark_and_a_document_whole(tmp_path: Path) -> None:
    encoder = student(tmp_path).encoder
    assert encoder.tokenizer.pad_token_id == encoder.end  # so a mask made from the padding would lose the end
    for row in (Row("say 1", "1 yes"), Row("", "a whole text")):
        tokens, start = encoder.row(row)
        learned = labels(EncodedRow(tokens, start), answers_only=True)
        assert learned[:start] == [IGNORED] * start
        assert encoder.tokenizer.decode(learned[start:]) == row.answer + "<|im_end|>"
    prompt_too = labels(EncodedRow(*encoder.row(Row("say 1", "1 yes"))), answers_only=False)
    assert "say 1" in encoder.tokenizer.decode(prompt_too[1:])


def test_the_trainer_is_given_these_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What TRL's own collator makes of them, padding included."""
    from selfsown.models.hf import trainers

    batches = []
    original = trainers.SFTTrainer.compute_loss

    def compute_loss(self: object, model: object, inputs: dict[str, torch.Tensor], *rest: object, **options: object):  # type: ignore[no-untyped-def]
        batches.append({name: tensor.clone() for name, tensor in inputs.items()})
        return original(self, model, inputs, *rest, **options)

    monkeypatch.setattr(trainers.SFTTrainer, "compute_loss", compute_loss)
    parent, rows = student(tmp_path), [Row("say", "a long answer, this is"), Row("say", "b")]
    sft.train(mixed(rows), parent, 1, quiet, tmp_path / "work", steps=3, epochs=0.0, batch_size=4)
    for tokens, learned in ((t, w) for b in batches for t, w in zip(b["input_ids"], b["labels"], strict=True)):
        answer = learned[learned != IGNORED]
        assert parent.encoder.tokenizer.decode(answer) in {row.answer + "<|im_end|>" for row in rows}
        assert len(tokens) == len(learned)


def test_rows_are_drawn_by_their_weights(tmp_path: Path) -> None:
    rows = [Row("say", "often"), Row("say", "seldom"), Row("say", "never")]
    options = {"steps": 40, "epochs": 0.0, "batch_size": 8}
    sft.train(mixed(rows, [9, 1, 0]), student(tmp_path), 1, quiet, tmp_path / "work", **options)  # type: ignore[arg-type]
    kept, order = read_rows(tmp_path / "work")
    assert len(kept) == 2
    assert len(order) == 320
    assert 0.85 < order.count(0) / len(order) < 0.95


def test_rows_too_long_are_left_out_and_counted(tmp_path: Path) -> None:
    reports, rows = list[Training](), [*ROWS[:4], Row("say", "x" * 400)]
    sft.train(
        mixed(rows), student(tmp_path), 1, quiet, tmp_path / "work", reports.append, steps=1, epochs=0.0, batch_size=4
    )
    assert reports[0].too_long == 1
    assert "1 rows too long and left out" in reports[0].sentence()
    with pytest.raises(DataError, match="all 4 rows are too long: the shortest has"):
        sft.train(mixed(ROWS[:4]), student(tmp_path), 1, quiet, tmp_path / "other", max_length=9)


def test_average_last_is_the_mean_of_the_last_weights() -> None:
    model = torch.nn.Linear(2, 1, bias=False)
    average = AverageLast(model, 2, {})

    class State:
        max_steps = 3
        global_step = 0

    for value in (5.0, 1.0, 3.0):
        State.global_step += 1
        with torch.no_grad():
            next(Trainable(model).parameters()).fill_(value)
        average.on_step_end(None, State, None)
    average.on_train_end(None, State, None)
    assert model.weight.tolist() == [[2.0, 2.0]]


def test_averaging_changes_the_result_and_early_stopping_keeps_the_best(tmp_path: Path) -> None:
    parent, reports = student(tmp_path), list[Training]()
    options = {"steps": 6, "epochs": 0.0, "batch_size": 4, "learning_rate": 3e-3}
    last = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "last", **options)  # type: ignore[arg-type]
    mean = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "mean", average_last=0.5, **options)  # type: ignore[arg-type]
    assert weight_hash(last.folder) != weight_hash(mean.folder)
    too_fast = options | {"learning_rate": 3.0}
    best = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "best", reports.append, early_stopping=0.4, **too_fast)  # type: ignore[arg-type]
    assert (reports[0].stopping_rows, reports[0].best_step) == (16, 0)
    before, after = (load_file(folder / "model.safetensors") for folder in (parent.folder, best.folder))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_start_share_lies_between_the_weights_before_and_after(tmp_path: Path) -> None:
    parent = student(tmp_path)
    options = {"steps": 6, "epochs": 0.0, "batch_size": 4, "learning_rate": 3e-3}
    after = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "after", **options)  # type: ignore[arg-type]
    between = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "between", start_share=0.25, **options)  # type: ignore[arg-type]
    folders = (parent.folder, after.folder, between.folder)
    start, end, found = (load_file(folder / "model.safetensors") for folder in folders)
    for name, weight in found.items():
        assert torch.allclose(weight, 0.25 * start[name] + 0.75 * end[name], atol=1e-6)
    assert not all(torch.equal(start[name], end[name]) for name in start)


def test_a_finished_job_is_not_done_again_and_another_takes_its_place(tmp_path: Path) -> None:
    parent = student(tmp_path)
    options = {"steps": 2, "epochs": 0.0, "batch_size": 4}
    first = sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "work", **options)  # type: ignore[arg-type]
    written = (first.folder / "model.safetensors").stat().st_mtime_ns
    sft.train(mixed(ROWS), parent, 1, quiet, tmp_path / "work", micro_batch=1, **options)  # type: ignore[arg-type]
    assert (first.folder / "model.safetensors").stat().st_mtime_ns == written
    before = json.loads((tmp_path / "work" / "job.json").read_text())["hash"]
    sft.train(mixed(ROWS), parent, 2, quiet, tmp_path / "work", **options)  # type: ignore[arg-type]
    assert (first.folder / "model.safetensors").stat().st_mtime_ns != written
    assert json.loads((tmp_path / "work" / "job.json").read_text())["hash"] != before


def test_needs_follow_the_parameters(tmp_path: Path) -> None:
    parent = student(tmp_path)
    count = parameter_count(parent.folder)
    assert count == sum(weight.numel() for weight in parent.network.parameters())
    full = estimated_needs(parent.folder, parent.settings, "sft")
    lora = estimated_needs(parent.folder, replace(parent.settings, train_weights="lora"), "sft")
    assert full.memory - lora.memory > 10 * count
    assert full.disk == 2 * 12 * count + weight_bytes(parent.folder) > lora.disk
    assert estimated_needs(parent.folder, parent.settings, "sft", average_last=0.2).memory == full.memory + 4 * count
    moved = estimated_needs(parent.folder, parent.settings, "sft", start_share=0.2)
    assert (moved.memory, moved.disk) == (full.memory + 4 * count, full.disk)
