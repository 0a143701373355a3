"""The character tokenizer: one token a character, and the marks around prompt and answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

MARKS = ("<pad>", "<bos>", "<sep>", "<eos>", "<unk>")
PAD, BOS, SEP, EOS, UNK = range(len(MARKS))


@dataclass(frozen=True)
class Alphabet:
    """A row is written `<bos>prompt<sep>answer<eos>`."""

    characters: str

    @classmethod
    def of(cls, texts: Iterable[str]) -> Alphabet:
        return cls("".join(sorted({character for text in texts for character in text})))

    @cached_property
    def ids(self) -> dict[str, int]:
        return {character: at + len(MARKS) for at, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(MARKS) + len(self.characters)

    def encode(self, text: str) -> list[int]:
        return [self.ids.get(character, UNK) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Marks are left out."""
        return "".join(self.characters[at - len(MARKS)] for at in ids if at >= len(MARKS))

    def files(self) -> dict[str, dict[str, Any]]:
        """The tokenizer files of a Hugging Face folder, by name."""
        marks = [
            {"id": at, "content": mark, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for at, mark in enumerate(MARKS)
        ]
        vocabulary = dict(zip(MARKS, range(len(MARKS)), strict=True)) | self.ids
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
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": MARKS[UNK]},
        }
        named = {f"{mark.strip('<>')}_token": mark for mark in MARKS if mark != MARKS[SEP]}
        extra: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        return {"tokenizer.json": tokenizer, "tokenizer_config.json": named | extra}
