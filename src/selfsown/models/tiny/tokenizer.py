"""The character tokenizer: one token per character, and special tokens around prompt and answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from selfsown.models import JsonObject

SPECIAL_TOKENS = ("<pad>", "<bos>", "<sep>", "<eos>", "<unk>")
PAD, BOS, SEP, EOS, UNK = range(len(SPECIAL_TOKENS))


@dataclass(frozen=True)
class Tokenizer:
    """A row is encoded as `<bos>prompt<sep>answer<eos>`; unknown characters as `<unk>`."""

    characters: str

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Tokenizer:
        return cls("".join(sorted({character for text in texts for character in text})))

    @cached_property
    def token_ids(self) -> dict[str, int]:
        return {character: index + len(SPECIAL_TOKENS) for index, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(SPECIAL_TOKENS) + len(self.characters)

    def encode(self, text: str) -> list[int]:
        return [self.token_ids.get(character, UNK) for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these token ids, without special tokens."""
        first = len(SPECIAL_TOKENS)
        return "".join(self.characters[token - first] for token in ids if token >= first)

    def files(self) -> dict[str, JsonObject]:
        """The tokenizer files of a Hugging Face folder, by name."""
        marks = [
            {"id": token, "content": mark, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for token, mark in enumerate(SPECIAL_TOKENS)
        ]
        vocabulary = dict(zip(SPECIAL_TOKENS, range(len(SPECIAL_TOKENS)), strict=True)) | self.token_ids
        per_character = {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": False}
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": marks,
            "normalizer": None,
            "pre_tokenizer": per_character,
            "post_processor": None,
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": SPECIAL_TOKENS[UNK]},
        }
        named = {f"{mark.strip('<>')}_token": mark for mark in SPECIAL_TOKENS if mark != SPECIAL_TOKENS[SEP]}
        extra: JsonObject = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        return {"tokenizer.json": tokenizer, "tokenizer_config.json": named | extra}
