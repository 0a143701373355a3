"""A classifier of whole texts, such as a reward model, scores each row; it lies in a folder of this machine."""

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
from selfsown.text.chat import completion_of, messages_of, tools_of

_TOGETHER = 16  # batches among which rows of like length find each other
_DIGITS = 4  # beyond them a score depends on what else is in its batch


def grade(
    rows: Iterable[Row],
    *,
    folder: str,
    label: str = "",
    batch_size: Count = 16,
    center: float = 0.0,
    spread: Positive = 1.0,
) -> Iterator[Grade]:
    """Where the model gives one number, the score is the sigmoid of (number - centre) / spread; where it gives several,
    the softmax share of `label`, or of the last. A row that is longer than the model reads has failed.

    The model reads prompt and answer in its chat template, where it has one, and else as a pair of texts.
    """
    source, scorer = iter(rows), None
    while some := list(islice(source, batch_size * _TOGETHER)):
        scorer = scorer or _Scorer(Path(folder), label)
        yield from _grades(some, scorer, batch_size, center, spread)


def _grades(rows: Sequence[Row], scorer: _Scorer, batch: int, centre: float, spread: float) -> list[Grade]:
    tokens = [scorer.tokens(row) for row in rows]
    lengths = [len(each["input_ids"]) for each in tokens]
    fits = [at for at, length in enumerate(lengths) if length <= scorer.limit and rows[at].answer.strip()]
    fits.sort(key=lambda at: (lengths[at], rows[at].id))
    numbers: dict[int, float] = {}
    for few in (fits[at : at + batch] for at in range(0, len(fits), batch)):
        numbers |= zip(few, scorer.numbers([tokens[at] for at in few]), strict=True)
    return [
        _grade(numbers[at], scorer.label, centre, spread)
        if at in numbers
        else _failed(
            f"it takes {length} tokens, and the model reads {scorer.limit}" if length > scorer.limit else EMPTY_ANSWER
        )
        for at, length in enumerate(lengths)
    ]


def _grade(number: float, label: str, centre: float, spread: float) -> Grade:
    if not isfinite(number):
        return _failed("the model gives no number")
    score = number if label else (1 + tanh((number - centre) / spread / 2)) / 2
    reason = f"{label} {number:.{_DIGITS}f}" if label else f"reward {number:.{_DIGITS}f}"
    return Grade(round(score, _DIGITS), reason, grader="reward_model", evidence="judge")


def _failed(reason: str) -> Grade:
    return Grade(0.0, reason, grader="reward_model", evidence="judge", failed=True)


class _Scorer:
    """The model of a folder. label: what its softmax share is of; "" where it gives one number."""

    def __init__(self, folder: Path, label: str) -> None:
        self.model, self.tokenizer = _loaded(folder)
        config = self.model.config
        self.limit = min(self.tokenizer.model_max_length, getattr(config, "max_position_embeddings", 10**9))
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        config.pad_token_id = self.tokenizer.pad_token_id
        named = [config.id2label[at] for at in range(config.num_labels)]
        if label and label not in named:
            raise SelfsownError(f"grade.reward_model: {folder} has no label {label!r}; there is: {', '.join(named)}")
        self.label = (label or named[-1]) if len(named) > 1 else ""
        self.at = named.index(self.label) if self.label else 0

    def tokens(self, row: Row) -> Any:
        if not row.prompt:
            return self.tokenizer(row.answer)
        if not self.tokenizer.chat_template:
            return self.tokenizer(row.prompt, row.answer)
        talk = [*messages_of(row.prompt, row.metadata), completion_of(row.answer, row.metadata)]
        tools = json.loads(tools_of(row.metadata) or "null")
        text = self.tokenizer.apply_chat_template(talk, tools=tools, tokenize=False)
        return self.tokenizer(text, add_special_tokens=False)  # the template has them

    def numbers(self, tokens: Sequence[Any]) -> list[float]:
        import torch

        with torch.inference_mode():
            logits = self.model(**self.tokenizer.pad(tokens, return_tensors="pt")).logits.float()
        found: list[float] = (logits.softmax(-1) if self.label else logits)[:, self.at].tolist()
        return found


def _loaded(folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer, which are never fetched; SelfsownError where the folder holds no such thing."""
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
        given: dict[str, Any] = {"local_files_only": True, "dtype": torch.float32, "output_loading_info": True}
        model, info = AutoModelForSequenceClassification.from_pretrained(folder, **given)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        said = str(error).strip().splitlines()[:1]
        raise SelfsownError(f"grade.reward_model: {folder} cannot be loaded: {''.join(said)[:200]}") from error
    if missing := sorted(info["missing_keys"]):
        raise SelfsownError(
            f"grade.reward_model: {folder} is no trained classifier: it lacks {', '.join(missing[:3])}; name one that is"
        )
    return model.eval(), tokenizer
