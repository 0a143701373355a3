"""A server program that others wrote, with a checkpoint on this disk, understands us, and we understand it."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfsown.generate import magpie, rephrase, sample
from selfsown.grade import judge
from selfsown.models import Reply, SamplingParams
from selfsown.models.endpoint.endpoint import create
from selfsown.records import Row, SelfsownError
from selfsown.tasks.file import Task
from selfsown.usage.journal import Journal

PROGRAM = Path(sys.executable).with_name("transformers")
INSTALLED = PROGRAM.exists() and all(map(importlib.util.find_spec, ("torch", "fastapi", "uvicorn")))
TEMPLATE = "{% for each in messages %}{{ each.role }}: {{ each.content }}\n{% endfor %}assistant: "
BUILD = """
import sys, torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

words = ["<s>", "</s>", *pre_tokenizers.ByteLevel.alphabet()]
tokenizer = Tokenizer(models.BPE(vocab={word: at for at, word in enumerate(words)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
marks = dict(bos_token="<s>", eos_token="</s>", pad_token="</s>", chat_template=sys.argv[2])
PreTrainedTokenizerFast(tokenizer_object=tokenizer, **marks).save_pretrained(sys.argv[1])
torch.manual_seed(0)
size = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)
ids = dict(bos_token_id=0, eos_token_id=1, pad_token_id=1)
model = LlamaForCausalLM(LlamaConfig(vocab_size=len(words), max_position_embeddings=2048, **size, **ids))
model.generation_config = GenerationConfig(do_sample=True, **ids)
model.save_pretrained(sys.argv[1])
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason="transformers[serving] is not installed"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address and the model's name of `transformers serve`, with a small Llama of random weights."""
    folder = tmp_path_factory.mktemp("served")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder), "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, "-c", BUILD, folder / "llama", TEMPLATE], env=environment, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    order = [PROGRAM, "serve", folder / "llama", "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(order, env=environment, stdout=log, stderr=log)
    try:
        _until_it_lives(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1", str(folder / "llama")
    finally:
        server.kill()
        server.wait()


def _until_it_lives(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 180
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            assert server.poll() is None, "it ended"
            assert time.monotonic() < until
            time.sleep(0.5)


def flat(replies: list[list[Reply]]) -> list[Reply]:
    return [reply for each in replies for reply in each]


@pytest.mark.parametrize("style", ["chat", "completions"])
def test_it_draws_for_each_seed_counts_tokens_and_is_not_asked_twice(
    style: str, served: tuple[str, str], tmp_path: Path
) -> None:
    url, name = served
    journal = Journal(tmp_path / "replies.sqlite")
    knobs = {"url": url, "model": name, "style": style, "max_tokens": 12, "max_in_flight": 1}
    model = create([], 0, journal, **knobs)
    replies = flat(model.complete(["word"], SamplingParams(n=4, seed=1)))
    assert len({reply.text for reply in replies}) == 4
    assert flat(create([], 0, **knobs).complete(["word"], SamplingParams(n=4, seed=1))) == replies, (
        "one at a time, it keeps to seeds"
    )
    for reply in replies:
        assert (reply.tokens == 12) == (reply.failure == "truncated at max_tokens, 12 tokens")
    ((first, again),) = model.complete(["word"], SamplingParams(n=2, temperature=0))
    assert first == again
    journal.close()
    url = url.replace("/v1", "/nowhere")
    with pytest.raises(SelfsownError, match="no such path"):
        create([], 0, url=url, model=name, style=style).complete(["word"])


def test_what_is_said_of_a_wrong_model_is_the_server_s_own_words(served: tuple[str, str]) -> None:
    (reply,) = flat(create([], 0, url=served[0], model="nobody/nothing").complete(["word"]))
    assert reply.failure.startswith("the server declined it, 400: Server is pinned")


@pytest.mark.parametrize("style", ["chat", "completions"])
def test_a_model_that_babbles_teaches_and_judges_without_a_traceback(style: str, served: tuple[str, str]) -> None:
    url, name = served
    knobs = {"style": style, "stop": ("\n",), "max_tokens": 20}
    model = create([], 0, url=url, model=name, **knobs)
    real = [Row(f"{at} + {at}?", str(2 * at)) for at in range(2)]
    made = list(sample.generate(real, model, Task("x"), 0, n=1, schema={"type": "object"}))
    assert [row.status for row in made] == ["failed"] * 2
    assert all(row.reason for row in made)
    assert [grade.failed for grade in judge.grade(real, model, 0)] == [True] * 2


def test_it_writes_a_user_s_turn_from_the_template_and_answers_it_and_rephrases_documents(
    served: tuple[str, str],
) -> None:
    url, name = served
    knobs = {"style": "completions", "stop": ("a", "e", "o", "\n"), "max_tokens": 600, "max_in_flight": 1}
    model = create([], 0, url=url, model=name, **knobs)
    # Random weights that take the likeliest token go round in circles.
    template: dict[str, Any] = {"user_prefix": "user: ", "assistant_prefix": "\nassistant: ", "answer_temperature": 1.0}
    rows = list(magpie.generate(model, Task("x"), 0, 0, count=4, **template))
    assert rows == list(magpie.generate(model, Task("x"), 0, 0, count=4, **template))
    texts = list(rephrase.generate([Row("", "The Moon has no air.")], model, 0, per_document=3))
    assert (len(rows), len(texts)) == (4, 3)
    assert len({row.prompt for row in rows}) == 4
    reasons = {"", "truncated at max_tokens, 600 tokens", "an empty answer", "it repeats its prompt"}
    assert {row.reason for row in (*rows, *texts)} <= reasons, "whatever random weights write"
    for made in (rows, texts):
        assert any(row.answer and not row.status for row in made)
