"""A classifier of texts in a folder, as others train them, only as small as can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ("good", "bad", "what", "is", "it", "the", "answer", "user", "assistant")
CHAT = "{% for each in messages %}{{ each['role'] }} {{ each['content'] }} {% endfor %}"


def classifier(folder: Path, labels: tuple[str, ...] = ("reward",), longest: int = 32, chat: bool = False) -> Path:
    """Its last number is 2 if a text says "good" more often than "bad", and -2 if less; every other number is 0."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    vocabulary = {word: at for at, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS))}
    found = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Whitespace()
    marks: Any = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=marks
    )
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=found, model_max_length=longest, **named)
    tokenizer.chat_template = CHAT if chat else None
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=longest,
        id2label=dict(enumerate(labels)),
    )
    model = BertForSequenceClassification(config)
    _counts(model, vocabulary["good"], vocabulary["bad"])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _counts(model: Any, good: int, bad: int) -> None:
    """All weights by hand: attention takes the mean of the words, and only two of them have any weight."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            whole = weight.dim() == 2 and weight.shape[0] == weight.shape[1]
            if "LayerNorm.weight" not in name:
                weight.copy_(torch.eye(len(weight)) if whole and "value" in name else torch.zeros_like(weight))
        direction = torch.tensor([1.0, -1.0] + [0.0] * 14)
        words = model.bert.embeddings.word_embeddings.weight
        words[good], words[bad] = direction, -direction
        model.bert.encoder.layer[0].attention.output.dense.weight.copy_(torch.eye(16))
        model.bert.pooler.dense.weight.copy_(torch.eye(16))
        model.classifier.weight[-1, 0] = 2.0
