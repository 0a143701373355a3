"""TRL's own trainers take a step on what was exported, for each format that is made for them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the packages are imported

import kept
import pytest
from test_formats import ROWS
from test_load import loaded

from selfsown.export.export import export
from selfsown.records import Row
from selfsown.text.chat import messages_metadata, messages_text

CHAT = (
    "{% for tool in tools or [] %}[{{ tool.function.name }}]{% endfor %}"
    "{% for message in messages %}<{{ message.role }}>{{ message.content or '' }}"
    "{% for call in message.tool_calls or [] %}[{{ call.function.name }} {{ call.function.arguments }}]{% endfor %}"
    "{% if message.reasoning_content %}({{ message.reasoning_content }}){% endif %}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny transformer that nobody trained, and a tokenizer of bytes with a chat template."""
    import tokenizers
    import transformers

    folder = tmp_path_factory.mktemp("model")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    words = {word: at for at, word in enumerate(["<pad>", "<end>", "<system>", "<user>", "<assistant>", *letters])}
    plain = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=words, merges=[]))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = tokenizers.decoders.ByteLevel()
    special: dict[str, Any] = {"pad_token": "<pad>", "eos_token": "<end>"}
    special["additional_special_tokens"] = ["<system>", "<user>", "<assistant>"]
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, chat_template=CHAT, **special)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": None}
    config = transformers.LlamaConfig(vocab_size=len(words), num_key_value_heads=2, **sizes, **ids)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def trained(name: str, model: Path, scratch: Path, rows: Sequence[Row] = ROWS, **options: Any) -> tuple[Any, Any]:
    """A trainer that has taken a step on the export, and its tokenizer."""
    import transformers
    import trl

    out = export(kept.made(scratch / "made", rows), scratch / "out", format=name, **options).out
    kind, config = (trl.DPOTrainer, trl.DPOConfig) if "preference" in name else (trl.SFTTrainer, trl.SFTConfig)
    plain = {"use_cpu": True, "report_to": "none", "dataloader_pin_memory": False, "disable_tqdm": True}
    arguments = config(
        output_dir=str(scratch / "model"), max_steps=1, per_device_train_batch_size=2, save_strategy="no", **plain
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    trainer = kind(
        model=transformers.AutoModelForCausalLM.from_pretrained(model),
        args=arguments,
        train_dataset=loaded(out, scratch / "cache"),
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 1
    return trainer, tokenizer


TALK = "<system>Be brief.<end><user>2+2?<end><assistant>"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of what trl takes from transformers
@pytest.mark.parametrize(
    ("name", "options", "whole"),
    [
        ("prompt-completion", {}, "2+2?4<end>"),
        ("conversational", {}, f"{TALK}4<end>"),
        ("conversational", {"reasoning": True, "file_format": "jsonl"}, f"{TALK}4(two and two)<end>"),
        ("conversational-prompt-completion", {}, f"{TALK}4<end>"),
        ("text", {"file_format": "jsonl"}, "2+2?\n4<end>"),
    ],
)
def test_supervised_training_reads_what_was_meant(
    name: str, options: dict[str, Any], whole: str, model: Path, tmp_path: Path
) -> None:
    trainer, tokenizer = trained(name, model, tmp_path, **options)
    texts = [tokenizer.decode(each) for each in trainer.train_dataset["input_ids"]]
    assert len(texts) == 2
    assert whole in texts


CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 2}'}}
CALLED = [
    {"role": "user", "content": "2+2?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "4", "tool_call_id": "c1"},
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of what trl takes from transformers
@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", ["conversational", "conversational-prompt-completion"])
def test_supervised_training_reads_calls_their_results_and_the_tools(
    name: str, kind: str, model: Path, tmp_path: Path
) -> None:
    traits = {**messages_metadata(CALLED), "tools": json.dumps([{"type": "function", "function": {"name": "add"}}])}
    rows = [kept.row(messages_text(CALLED), "four", metadata=traits), kept.row("Colour?", "blue")]
    trainer, tokenizer = trained(name, model, tmp_path, rows, file_format=kind)
    texts = [tokenizer.decode(each) for each in trainer.train_dataset["input_ids"]]
    assert '[add]<user>2+2?<end><assistant>[add {"a": 2}]<end><tool>4<end><assistant>four<end>' in texts
    assert "<user>Colour?<end><assistant>blue<end>" in texts


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of what trl takes from transformers
@pytest.mark.parametrize(
    ("name", "options", "prompt", "sides"),
    [
        ("preference", {}, "2+2?", ("4<end>", "5<end>")),
        ("conversational-preference", {"file_format": "jsonl"}, TALK, ("4<end>", "5<end>")),
        ("conversational-preference", {"reasoning": True}, TALK, ("4(two and two)<end>", "5(two and two)<end>")),
    ],
)
def test_preference_training_reads_what_was_meant(
    name: str, options: dict[str, Any], prompt: str, sides: tuple[str, str], model: Path, tmp_path: Path
) -> None:
    trainer, tokenizer = trained(name, model, tmp_path, **options)
    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    said = [tuple(tokenizer.decode(each[column]) for column in columns) for each in trainer.train_dataset]
    assert len(said) == 2
    assert (prompt, *sides) in said
