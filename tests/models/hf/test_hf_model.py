"""Models of the transformers library: prompts in their template, sampling, loss, and a server that samples instead."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from selfsown.errors import ModelError
from selfsown.models import ANSWER_START, SamplingParams
from selfsown.models.hf import HF, create, load
from selfsown.models.hf.server import _running, stop
from selfsown.records import Row
from selfsown.text.chat import full_prompt
from selfsown.usage.journal import Journal
from testing.tiny_checkpoint import write_checkpoint

SERVER = f"{sys.executable} -m testing.serve_checkpoint {{folder}} --port {{port}}"
PROMPTS = ["Why?", "Name a colour, please.", "Count to three.", "a", "What does a long prompt with many words do here?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models") / "small")


def model(folder: Path, **options: object) -> HF:
    return create([], 0, model=str(folder), **{"max_new_tokens": 24, "dtype": "float32", **options})  # type: ignore[arg-type]


def test_a_prompt_is_put_into_the_template_and_the_answer_ends_with_its_mark(folder: Path) -> None:
    encoder = model(folder).encoder
    tokens, start = encoder.row(Row("Hi", "Hello"))
    text = encoder.tokenizer.decode(tokens)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>"
    assert encoder.tokenizer.decode(tokens[start:]) == "Hello<|im_end|>"
    assert tokens[:start] == encoder.prompt("Hi")
    assert encoder.tokenizer.pad_token_id == tokens[-1], "padding is the end mark here, and must not hide it"


def test_a_system_message_is_added_where_the_prompt_has_none(folder: Path) -> None:
    encoder = model(folder, system="Be brief.").encoder
    assert encoder.prompt_text("Hi").startswith("<|im_start|>system\nBe brief.<|im_end|>")
    own = full_prompt("Hi", {"system": "Be long."})
    assert encoder.prompt_text(own).count("system") == 1
    assert "Be long." in encoder.prompt_text(own)


def test_a_document_is_plain_text_between_begin_and_end(folder: Path) -> None:
    encoder = model(folder).encoder
    tokens, start = encoder.row(Row("", "Once."))
    assert encoder.tokenizer.decode(tokens) == "<|im_start|>Once.<|im_end|>"
    assert start == 1


def test_the_likeliest_tokens_are_those_of_transformers(folder: Path) -> None:
    ours = model(folder)
    replies = ours.complete(PROMPTS, SamplingParams(temperature=0))
    theirs = AutoModelForCausalLM.from_pretrained(folder).eval()
    for prompt, (reply,) in zip(PROMPTS, replies, strict=True):
        tokens = torch.tensor([ours.encoder.prompt(prompt)])
        mask, end = torch.ones_like(tokens), ours.encoder.end
        output = theirs.generate(tokens, attention_mask=mask, do_sample=False, max_new_tokens=24, eos_token_id=end)
        new = output[0, tokens.shape[1] :].tolist()
        assert reply.text == ours.encoder.decode(new).strip()
        assert reply.tokens == len(new)


def test_samples_do_not_depend_on_the_size_of_a_batch(folder: Path) -> None:
    params = SamplingParams(n=3, temperature=1.0, seed=5)
    whole = model(folder, batch_size=64).complete(PROMPTS, params)
    assert model(folder, batch_size=1).complete(PROMPTS, params) == whole
    assert len({reply.text for group in whole for reply in group}) == 15
    assert model(folder).complete(PROMPTS, SamplingParams(n=3, seed=6)) != whole


def test_samples_follow_the_probabilities_of_the_model(folder: Path) -> None:
    ours = model(folder, max_new_tokens=1)
    prompt = ours.encoder.prompt("Why?")
    with torch.inference_mode():
        logits = ours.network(input_ids=torch.tensor([prompt])).logits[0, -1]
    probabilities = (logits / 0.5).softmax(-1)
    text = ours.encoder.decode([int(probabilities.argmax())]).strip()
    expected = sum(float(p) for token, p in enumerate(probabilities) if ours.encoder.decode([token]).strip() == text)
    (group,) = ours.complete(["Why?"], SamplingParams(n=4000, temperature=0.5))
    assert sum(reply.text == text for reply in group) / 4000 == pytest.approx(expected, abs=0.03)


def test_top_k_and_top_p_leave_out_unlikely_tokens(folder: Path) -> None:
    likeliest = model(folder).complete(PROMPTS, SamplingParams(temperature=0))
    assert model(folder, top_k=1).complete(PROMPTS) == likeliest
    assert model(folder, top_p=1e-6).complete(PROMPTS) == likeliest
    assert model(folder, top_p=0.9).complete(PROMPTS) != likeliest


def test_a_reply_without_an_end_and_a_prompt_without_room_fail(folder: Path) -> None:
    ours = model(folder, max_new_tokens=3)
    (short,), (long,) = ours.complete(["Why?", "a" * 300], SamplingParams(seed=1))
    assert short.failure == "no end within the limit of tokens"
    assert "the context has 256" in long.failure


def test_a_chat_model_writes_a_user_turn_and_answers_it(folder: Path) -> None:
    ours = model(folder, max_new_tokens=120)
    groups = ours.complete(["Tell"] * 40, SamplingParams(continue_prompt=True, seed=2))
    written = [reply for (reply,) in groups if not reply.failure]
    assert all(reply.prompt.startswith("Tell") for (reply,) in groups)
    assert written
    for reply in written:
        assert len(reply.prompt) > len("Tell")
    (begun,) = ours.complete([f"Why?{ANSWER_START}Because"], SamplingParams(temperature=0))
    start = [*ours.encoder.prompt("Why?"), *ours.encoder.continued("Because")]
    assert ours.encoder.tokenizer.decode(start).endswith("assistant\nBecause")
    assert begun[0].prompt == f"Why?{ANSWER_START}Because"


def test_bits_are_the_loss_of_answers_and_their_end(folder: Path) -> None:
    ours = model(folder)
    rows = [Row("Why?", "Because."), Row("", "Once upon a time."), Row("A longer prompt than that?", "No")]
    for row, (bits, characters) in zip(rows, ours.bits(rows), strict=True):
        tokens, start = ours.encoder.row(row)
        with torch.inference_mode():
            logits = ours.network(input_ids=torch.tensor([tokens])).logits[0, :-1].log_softmax(-1)
        expected = -sum(float(logits[place - 1, tokens[place]]) for place in range(start, len(tokens)))
        assert bits == pytest.approx(expected / math.log(2), rel=1e-4)
        assert characters == len(row.answer) + 1


def test_a_saved_model_is_the_same_model(folder: Path, tmp_path: Path) -> None:
    ours = model(folder)
    ours.save(tmp_path / "saved")
    again = load(tmp_path / "saved", **{"model": str(folder), "max_new_tokens": 24})
    assert again.complete(PROMPTS) == ours.complete(PROMPTS)


def test_stored_samples_are_not_sampled_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "replies.sqlite")
    first = create([], 0, journal, model=str(folder), max_new_tokens=24)
    replies = first.complete(PROMPTS, SamplingParams(n=2))
    journal.close()
    again = create([], 0, Journal(tmp_path / "replies.sqlite"), model=str(folder), max_new_tokens=24)
    monkeypatch.setattr(HF, "network", property(lambda self: pytest.fail("the model was read")))
    assert again.complete(PROMPTS, SamplingParams(n=2)) == replies


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "no/such folder/at all"}, "there is no model folder"),
        ({"device": "cuda"}, "this machine has none that torch can use; available: cpu"),
        ({"max_new_tokens": 256}, "max_new_tokens is 256, but small reads 256 in all"),
        ({"sampler": "vllm serve"}, "sampler must name {port} and {folder}"),
        ({"sampler": "vllm serve {model} --port {port}"}, "there is no {model}; available: {folder}"),
        ({"chat_template": "missing.jinja"}, "chat_template: missing.jinja cannot be read"),
    ],
)
def test_what_does_not_fit_is_one_line(folder: Path, options: dict[str, object], said: str) -> None:
    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError) as error:
        create([], 0, **{"model": str(folder), **options})  # type: ignore[arg-type]
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_model_without_a_template_or_a_padding_token(tmp_path: Path) -> None:
    bare = write_checkpoint(tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="bare has no chat template"):
        create([], 0, model=str(bare), max_new_tokens=8)
    template = tmp_path / "mine.jinja"
    template.write_text("{% for m in messages %}{{ m['content'] }}\n{% endfor %}", encoding="utf-8")
    given = create([], 0, model=str(bare), chat_template=str(template), max_new_tokens=8)
    tokens, _ = given.encoder.row(Row("Why?", "Because"))
    assert given.encoder.tokenizer.decode(tokens) == "Why?\nBecause<|im_end|>"
    given.encoder.tokenizer.pad_token = None
    assert create([], 0, model=str(bare), chat_template=str(template), max_new_tokens=8).complete(["Why?"])


def test_a_server_program_samples_from_the_current_weights(folder: Path, tmp_path: Path) -> None:
    served = model(folder, sampler=SERVER)
    in_process = model(folder).complete(PROMPTS, SamplingParams(temperature=0))
    try:
        assert served.complete(PROMPTS, SamplingParams(temperature=0)) == in_process
        first = _running[0].process.pid
        sampled = served.complete(PROMPTS)
        assert len({reply.text for (reply,) in sampled}) == len(PROMPTS)
        assert _running[0].process.pid == first
        settings = {"model": "", "sampler": SERVER, "max_new_tokens": 24, "dtype": "float32"}
        other = load(write_checkpoint(tmp_path / "other", seed=1), **settings)
        assert other.complete(PROMPTS) != sampled
        assert _running[0].process.pid != first
        assert not _exists(first), "one server at a time"
        other.bits([Row("Why?", "Because.")])
        assert not _running, "the model that is read for its loss has the memory"
    finally:
        stop()


def test_a_server_that_does_not_start_says_why(folder: Path) -> None:
    broken = model(folder, sampler=f"{sys.executable} -c 'raise SystemExit(\"no GPU here\")' {{folder}} {{port}}")
    with pytest.raises(ModelError, match="sampler ended before it served small: no GPU here"):
        broken.complete(["Why?"])


@pytest.mark.parametrize("end", ["run", "group", "Ctrl-C"])
def test_a_server_dies_with_a_killed_run(folder: Path, tmp_path: Path, end: str) -> None:
    """Also where all processes of its group are killed, as Ray does with a worker that it ends."""
    script = (
        "import sys, time\n"
        "from selfsown.models.hf import create\n"
        "from selfsown.models.hf.server import _running\n"
        f"model = create([], 0, model={str(folder)!r}, max_new_tokens=8, sampler={SERVER!r})\n"
        "model.complete(['Why?'])\n"
        "print(_running[0].process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    assert run.stdout
    outer = int(run.stdout.readline())
    (inner,) = _children(outer)
    watchers, servers = [outer, inner], _children(inner)
    assert servers
    if end == "Ctrl-C":
        os.killpg(run.pid, signal.SIGINT)
    else:
        {"run": os.kill, "group": os.killpg}[end](run.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(map(_exists, [*watchers, *servers])) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [process for process in [*watchers, *servers] if _exists(process)]
    run.kill()
    run.wait()
    run.stdout.close()
    assert not left


def test_what_a_server_program_started_ends_with_it(tmp_path: Path) -> None:
    command = f"sleep 100 & echo $! > {tmp_path}/started; exit 3"
    watcher = [sys.executable, "-m", "selfsown.models.hf.with_parent", str(os.getpid()), "sh", "-c", command]
    assert subprocess.run(watcher, check=False, timeout=30).returncode == 3
    assert not _exists(int((tmp_path / "started").read_text(encoding="ascii")))


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _exists(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="ascii")
