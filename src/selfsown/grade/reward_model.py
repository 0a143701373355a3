"""A sequence classifier, such as a reward model, scores each row; it is loaded from a local folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite, tanh
from pathlib import Path
from typing import Any

from selfsown.option_types import Count, Positive
from selfsown.prompting.judge_prompts import EMPTY_ANSWER
from selfsown.records import Grade, Row, SelfsownError
from selfsown.text.chat import answer_message, prompt_messages, tool_definitions

STREAMS = True

_BATCHES_SORTED = 16  # batches that are sorted by length together
_DIGITS = 4  # beyond these a score depends on the other rows of its batch


def grade(
    rows: Iterable[Row],
    *,
    folder: str,
    label: str = "",
    batch_size: Count = 16,
    center: float = 0.0,
    spread: Positive = 1.0,
) -> Iterator[Grade]:
    """The model gets prompt and answer in its chat template, or without one as a pair of texts. A row that exceeds the
    model's context has failed.

    folder: a saved classifier and its tokenizer; SelfsownError if it cannot be loaded.
    label: for a model with several outputs, the one whose softmax probability is the score; the last if empty.
    batch_size: rows per forward pass.
    center, spread: for a model with one output, the score is the sigmoid of (reward - center) / spread.
    """
    source = iter(rows)
    scorer = None
    while chunk := list(islice(source, batch_size * _BATCHES_SORTED)):
        scorer = scorer or _Scorer(Path(folder), label)
        yield from _grades(chunk, scorer, batch_size, center, spread)


def _grades(rows: Sequence[Row], scorer: _Scorer, batch_size: int, center: float, spread: float) -> list[Grade]:
    tokens = [scorer.tokens(row) for row in rows]
    lengths = [len(encoded["input_ids"]) for encoded in tokens]
    fits = [index for index, length in enumerate(lengths) if length <= scorer.limit and rows[index].answer.strip()]
    fits.sort(key=lambda index: (lengths[index], rows[index].id))
    outputs: dict[int, float] = {}
    for batch in (fits[start : start + batch_size] for start in range(0, len(fits), batch_size)):
        outputs |= zip(batch, scorer.outputs([tokens[index] for index in batch]), strict=True)
    grades = []
    for index, length in enumerate(lengths):
        if index in outputs:
            grades.append(_grade(outputs[index], scorer.label, center, spread))
        elif length > scorer.limit:
            grades.append(_failed(f"{length} tokens exceed the model's limit of {scorer.limit}"))
        else:
            grades.append(_failed(EMPTY_ANSWER))
    return grades


def _grade(output: float, label: str, center: float, spread: float) -> Grade:
    if not isfinite(output):
        return _failed("the model's output is not a finite number")
    score = output if label else (1 + tanh((output - center) / spread / 2)) / 2
    reason = f"{label} {output:.{_DIGITS}f}" if label else f"reward {output:.{_DIGITS}f}"
    return Grade(round(score, _DIGITS), reason, grader="reward_model", evidence="judge")


def _failed(reason: str) -> Grade:
    return Grade(0.0, reason, grader="reward_model", evidence="judge", failed=True)


class _Scorer:
    """A saved classifier. label: the output whose softmax probability counts; "" if there is only one output."""

    def __init__(self, folder: Path, label: str) -> None:
        self.model, self.tokenizer = _loaded(folder)
        config = self.model.config
        self.limit = min(self.tokenizer.model_max_length, getattr(config, "max_position_embeddings", 10**9))
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        config.pad_token_id = self.tokenizer.pad_token_id
        labels = [config.id2label[index] for index in range(config.num_labels)]
        if label and label not in labels:
            raise SelfsownError(f"grade.reward_model: {folder} has no label {label!r}; available: {', '.join(labels)}")
        self.label = (label or labels[-1]) if len(labels) > 1 else ""
        self.index = labels.index(self.label) if self.label else 0

    def tokens(self, row: Row) -> Any:
        if not row.prompt:
            return self.tokenizer(row.answer)
        if not self.tokenizer.chat_template:
            return self.tokenizer(row.prompt, row.answer)
        messages = [*prompt_messages(row.prompt, row.metadata), answer_message(row.answer, row.metadata)]
        tools = json.loads(tool_definitions(row.metadata) or "null")
        text = self.tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)
        return self.tokenizer(text, add_special_tokens=False)  # the template has them

    def outputs(self, tokens: Sequence[Any]) -> list[float]:
        """For each of a batch of tokenized texts, the logit, or the probability of the label."""
        import torch

        with torch.inference_mode():
            logits = self.model(**self.tokenizer.pad(tokens, return_tensors="pt")).logits.float()  # (batch, labels)
        values: list[float] = (logits.softmax(-1) if self.label else logits)[:, self.index].tolist()
        return values


def _loaded(folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer, never downloaded; SelfsownError if the folder does not hold a trained classifier."""
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ModuleNotFoundError as error:
        raise SelfsownError(
            f"grade.reward_model needs the package {error.name}, which is not installed: pip install 'selfsown[reward]'"
        ) from error
    if not (folder / "config.json").exists():
        raise SelfsownError(f"grade.reward_model: {folder} holds no config.json; name a folder with a saved classifier")
    try:
        options: dict[str, Any] = {"local_files_only": True, "dtype": torch.float32, "output_loading_info": True}
        model, info = AutoModelForSequenceClassification.from_pretrained(folder, **options)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        first_line = "".join(str(error).strip().splitlines()[:1])
        raise SelfsownError(f"grade.reward_model: {folder} cannot be loaded: {first_line[:200]}") from error
    if missing := sorted(info["missing_keys"]):
        raise SelfsownError(
            f"grade.reward_model: {folder} is not a trained classifier: weights {', '.join(missing[:3])} are missing; "
            "name a folder with a trained one"
        )
    return model.eval(), tokenizer
