"""The embedded model: what it writes, how it is saved, and that transformers computes the same."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from selfsown.models import ANSWER_START, SamplingParams
from selfsown.models.tiny.model import Tiny, create, load
from selfsown.models.tiny.tokenizer import BOS, EOS, PAD, SEP
from selfsown.records import Mixture, Row, SelfsownError
from selfsown.tasks.programs import Task
from selfsown.train.sft import train

ROWS = Task(rows=200, levels=1).pose(3)


@pytest.fixture(scope="module")
def model() -> Tiny:
    """Trained a little, so that its texts differ from noise."""
    mixture = Mixture(ROWS, np.ones(len(ROWS)))
    return train(mixture, create(ROWS, 1, layers=2, width=32), 5, lambda done, of: None, steps=40, batch_size=32)


def test_transformers_loads_the_folder_and_gives_the_same_logits(model: Tiny, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    tokens = torch.tensor(model.encode(ROWS[:1]))
    with torch.no_grad():
        assert torch.allclose(theirs(tokens).logits, model.network(tokens), atol=1e-4)


def test_transformers_reads_text_into_the_same_tokens(model: Tiny, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    for row in ROWS[:20]:
        text = f"<bos>{row.prompt}<sep>{row.answer}<eos>"
        assert tokenizer(text)["input_ids"] == model.encode([row])[0]
    assert tokenizer.decode(model.tokenizer.encode("12ab")) == "12ab"


def test_transformers_writes_the_same_greedy_answers(model: Tiny, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    prompts = [row.prompt for row in ROWS[:10]]
    for prompt, (reply,) in zip(prompts, model.complete(prompts, SamplingParams(temperature=0.0)), strict=True):
        head = torch.tensor([[BOS, *model.tokenizer.encode(prompt), SEP]])
        longest = model.network.size.context - head.shape[1]
        written = theirs.generate(head, do_sample=False, max_new_tokens=longest, eos_token_id=EOS, pad_token_id=PAD)
        assert model.tokenizer.decode(written[0, head.shape[1] :].tolist()) == reply.text


def test_a_saved_model_comes_back_bit_for_bit(model: Tiny, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.tokenizer == model.tokenizer
    ours = model.network.state_dict()
    assert all(torch.equal(weight, ours[name]) for name, weight in again.network.state_dict().items())
    again.save(tmp_path / "again")
    for file in (tmp_path / "model").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


def test_a_folder_without_a_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match="contains no tiny model"):
        load(tmp_path)


def test_a_run_that_has_not_been_yet_is_named(tmp_path: Path) -> None:
    with pytest.raises(SelfsownError, match=r"best does not exist yet: .*\(selfsown run gemma-teacher\)"):
        load(tmp_path / "gemma-teacher" / "best")


def test_of_several_folders_the_weights_are_averaged(model: Tiny, tmp_path: Path) -> None:
    other = create(ROWS, 5, layers=2, width=32, heads=4)
    smaller = create(ROWS, 5, layers=1, width=32, heads=4)
    folders = {"a": model, "b": other, "c": smaller}
    for name, each in folders.items():
        each.save(tmp_path / name)
    a, b, c = (str(tmp_path / name) for name in folders)
    mean, again = create([], 0, folder=(a, b)).network.state_dict(), create([], 0, folder=a).network.state_dict()
    ours, theirs = model.network.state_dict(), other.network.state_dict()
    assert all(torch.allclose(weight, (ours[name] + theirs[name]) / 2, atol=1e-7) for name, weight in mean.items())
    assert all(torch.equal(weight, ours[name]) for name, weight in again.items())
    with pytest.raises(SelfsownError, match="differ in size or tokenizer"):
        create([], 0, folder=(a, c))


def test_one_reply_a_prompt_in_order_whatever_their_lengths(model: Tiny) -> None:
    prompts = ["1ar:12", "|1234>4321", "", "1bs:9999"]
    together = model.complete(prompts, SamplingParams(n=3, temperature=0.0))
    alone = [model.complete([prompt], SamplingParams(temperature=0.0))[0][0].text for prompt in prompts]
    assert [[reply.text for reply in replies] for replies in together] == [[text] * 3 for text in alone]
    assert [replies[0].prompt for replies in together] == prompts


def test_the_same_seed_gives_the_same_texts_and_another_gives_others(model: Tiny) -> None:
    first, again, other = (
        model.complete(["1"] * 300, SamplingParams(seed=seed, continue_prompt=True)) for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


def test_an_unfinished_prompt_is_finished_by_the_model(model: Tiny) -> None:
    replies = [reply for (reply,) in model.complete(["1"] * 100, SamplingParams(seed=1, continue_prompt=True))]
    whole = [reply for reply in replies if not reply.failure]
    assert whole
    assert all(reply.prompt.startswith("1") for reply in replies)
    assert any(len(reply.prompt) > 1 for reply in whole)


def test_samples_follow_the_model_s_own_probabilities(model: Tiny) -> None:
    """First characters of 4,000 answers, against the softmax: total variation as chance allows."""
    prompt = ROWS[0].prompt
    head = torch.tensor([[BOS, *model.tokenizer.encode(prompt), SEP]])
    with torch.no_grad():
        logits = model.network(head)[0, -1]
    logits[PAD] = -torch.inf
    wanted = torch.softmax(logits, -1)
    (replies,) = model.complete([prompt], SamplingParams(n=4000, seed=11, max_tokens=1))
    counts = torch.zeros(len(wanted))
    for reply in replies:
        counts[model.tokenizer.encode(reply.text)[0] if reply.text else EOS] += 1
    marks = torch.tensor([wanted[at] for at in range(5) if at != EOS]).sum()  # marks but <eos> leave no text
    assert float((counts / 4000 - wanted).abs().sum() / 2) < 0.05 + float(marks)


def test_a_prompt_too_long_fails_alone(model: Tiny) -> None:
    (first,), (second,) = model.complete(["1" * 100, "1ar:1234"], SamplingParams(temperature=0.0))
    assert "the context has" in first.failure
    assert "the context has" not in second.failure


def test_bits_are_those_of_the_cross_entropy(model: Tiny) -> None:
    row = ROWS[0]
    tokens = torch.tensor(model.encode([row]))
    with torch.no_grad():
        nats = torch.nn.functional.cross_entropy(model.network(tokens[:, :-1])[0], tokens[0, 1:], reduction="sum")
    ((bits, characters), _) = model.bits([row, ROWS[1]])
    assert bits == pytest.approx(float(nats) / math.log(2), rel=1e-4)
    assert characters == len(row.prompt) + len(row.answer) + 1


def test_training_leaves_the_parent_untouched_and_lowers_the_loss() -> None:
    parent = create(ROWS, 2, layers=1, width=32)
    before = {name: weight.clone() for name, weight in parent.network.state_dict().items()}
    told: list[tuple[int, int]] = []
    child = train(
        Mixture(ROWS, np.ones(len(ROWS))), parent, 0, lambda done, of: told.append((done, of)), steps=30, batch_size=16
    )
    assert all(torch.equal(weight, before[name]) for name, weight in parent.network.state_dict().items())
    assert sum(bits for bits, _ in child.bits(ROWS)) < 0.7 * sum(bits for bits, _ in parent.bits(ROWS))
    assert told[-1] == (30, 30)


def test_the_same_seed_trains_the_same_weights() -> None:
    mixture = Mixture(ROWS, np.ones(len(ROWS)))
    first, again = (
        train(mixture, create(ROWS, 2, layers=1, width=32), 9, lambda done, of: None, steps=10, batch_size=16)
        for _ in range(2)
    )
    ours = first.network.state_dict()
    assert all(torch.equal(weight, ours[name]) for name, weight in again.network.state_dict().items())


def test_a_row_that_is_never_drawn_is_never_learned() -> None:
    rows = [*ROWS[:50], Row("zzz", "yyy")]
    weights = np.array([1.0] * 50 + [0.0])
    child = train(
        Mixture(rows, weights), create(rows, 2, layers=1, width=32), 0, lambda done, of: None, steps=60, batch_size=16
    )
    (known, _), (unknown, _) = child.bits([rows[0], rows[-1]])
    assert unknown > 2 * known


def test_a_width_that_does_not_divide_by_the_heads_is_explained() -> None:
    with pytest.raises(SelfsownError, match="is not a multiple of heads"):
        create(ROWS, 0, width=30, heads=4)


def test_an_answer_that_is_begun_is_gone_on_with(model: Tiny) -> None:
    replies = [reply for (reply,) in model.complete([row.prompt for row in ROWS[:40]], SamplingParams(temperature=0.0))]
    plain = [reply for reply in replies if reply.tokens == len(reply.text) + 1]  # a little training: some hold marks
    begun = [f"{reply.prompt}{ANSWER_START}{reply.text[:1]}" for reply in plain]
    assert [reply.text for (reply,) in model.complete(begun, SamplingParams(temperature=0.0))] == [
        each.text[1:] for each in plain
    ]
    assert len([each for each in plain if each.text[1:]]) > 10
