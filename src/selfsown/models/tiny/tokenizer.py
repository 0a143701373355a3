"""The character tokenizer: one token a character, and the marks around prompt and answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

SPECIAL_TOKENS = ("<pad>", "<bos>", "<sep>", "<eos>", "<unk>")
PAD, BOS, SEP, EOS, UNK = range(len(SPECIAL_TOKENS))


@dataclass(frozen=True)
class Tokenizer:
    """A row is written `<bos>prompt<sep>answer<eos>`."""

    characters: str

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Tokenizer:
        return cls("".join(sorted({character for text in texts for character in text})))

    @cached_property
    def token_ids(self) -> dict[str, int]:
        return {character: at + len(SPECIAL_TOKENS) for at, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(SPECIAL_TOKENS) + len(self.characters)

    def encode(self, text: str) -> list[int]:
        return [self.token_ids.get(character, UNK) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Marks are left out."""
        return "".join(self.characters[at - len(SPECIAL_TOKENS)] for at in ids if at >= len(SPECIAL_TOKENS))

    def files(self) -> dict[str, dict[str, Any]]:
        """The tokenizer files of a Hugging Face folder, by name."""
        marks = [
            {"id": at, "content": mark, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for at, mark in enumerate(SPECIAL_TOKENS)
        ]
        vocabulary = dict(zip(SPECIAL_TOKENS, range(len(SPECIAL_TOKENS)), strict=True)) | self.token_ids
        one_each = {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": False}
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": marks,
            "normalizer": None,
            "pre_tokenizer": one_each,
            "post_processor": None,
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": SPECIAL_TOKENS[UNK]},
        }
        named = {f"{mark.strip('<>')}_token": mark for mark in SPECIAL_TOKENS if mark != SPECIAL_TOKENS[SEP]}
        extra: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        return {"tokenizer.json": tokenizer, "tokenizer_config.json": named | extra}
