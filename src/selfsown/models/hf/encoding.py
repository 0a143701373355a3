"""Prompts and rows as tokens, through the model's chat template.

A row is its prompt, in the template up to where the answer begins, its answer, and the mark of its end. A document, a
row without a prompt, is plain text between the tokens of beginning and end. Special tokens are in the template's text,
so the tokenizer adds none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from selfsown.errors import ModelError
from selfsown.models.hf.settings import Settings
from selfsown.records import JsonObject, Row
from selfsown.text.chat import Conversation, Message, Prompt, answer_message
from selfsown.text.tool_use import plain_messages

_PLACE = "PLACEOFTHETEXT"  # stands for a text, to find what the template puts around it


class Encoder:
    """A tokenizer with its chat template, and the model's context in tokens."""

    def __init__(self, tokenizer: Any, context: int, system: str = "", name: str = "hf") -> None:
        self.tokenizer, self.context, self.system = tokenizer, context, system
        if not tokenizer.chat_template:
            raise ModelError(
                f"hf: {name} has no chat template, so it is not known how a prompt is put to it; name a file with one: "
                "--set student.hf.chat_template=FILE.jinja"
            )
        if tokenizer.eos_token_id is None:
            raise ModelError(f"hf: the tokenizer of {name} has no token for the end of a text (eos_token); set one")
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token  # masks are made from lengths, never from this token

    def prompt(self, prompt: Prompt) -> list[int]:
        """The tokens before an answer; of an empty prompt, those before a document."""
        return self._tokens(self.prompt_text(prompt)) if prompt else self._document_start

    def prompt_text(self, prompt: Prompt) -> str:
        """The prompt in the template, as text."""
        tools = json.loads(prompt.tools) if isinstance(prompt, Conversation) and prompt.tools else None
        return self._in_template(self.messages(prompt), tools, add_generation_prompt=True)

    def messages(self, prompt: Prompt) -> list[Message]:
        """The prompt's messages, the student's own system message first where it has none."""
        messages = prompt.messages if isinstance(prompt, Conversation) else [{"role": "user", "content": prompt}]
        if self.system and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": self.system}, *messages]
        return messages

    def row(self, row: Row, answer: str | None = None) -> tuple[list[int], int]:
        """The tokens of a row with its answer, or another one, and the number of those before the answer."""
        answer = row.answer if answer is None else answer
        before = self.prompt(row.full_prompt if row.prompt else "")
        if not row.prompt:
            return [*before, *self._tokens(answer), self.tokenizer.eos_token_id], len(before)
        return [*before, *self._answer_tokens(row, answer)], len(before)

    def _answer_tokens(self, row: Row, answer: str) -> list[int]:
        """The answer and the mark of its end. What a template writes after that mark is not the model's to write."""
        message = answer_message(answer, row.metadata)
        if set(message) == {"role", "content"}:
            return [*self._tokens(answer), self.end]
        prompt = row.full_prompt
        start = self.prompt_text(prompt)
        tools = json.loads(prompt.tools) if isinstance(prompt, Conversation) and prompt.tools else None
        whole = self._in_template([*self.messages(prompt), message], tools)
        if not whole.startswith(start):
            return [*self._tokens(answer), self.end]
        tokens = self._tokens(whole[len(start) :].rstrip())
        return tokens if tokens[-1:] == [self.end] else [*tokens, self.end]

    def user_turn(self, opening: str) -> list[int]:
        """The tokens of an unfinished user's turn that begins so."""
        return self._tokens(self._around_user[0] + opening)

    @cached_property
    def end(self) -> int:
        """The token that ends an answer: the first that the template writes after one, if that is a special token."""
        messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _PLACE}]
        return self._special_token(self._in_template(messages).rpartition(_PLACE)[2])

    @cached_property
    def user_end(self) -> int:
        """The token that ends a user's turn."""
        return self._special_token(self._around_user[1])

    @cached_property
    def _around_user(self) -> tuple[str, str]:
        """What the template writes before and after the text of a user's turn."""
        before, _, after = self._in_template(self.messages(_PLACE)).partition(_PLACE)
        return before, after

    @cached_property
    def _document_start(self) -> list[int]:
        bos = self.tokenizer.bos_token_id
        return [self.tokenizer.eos_token_id if bos is None else bos]

    def _special_token(self, text: str) -> int:
        tokens = self._tokens(text.lstrip())
        return tokens[0] if tokens and tokens[0] in self.tokenizer.all_special_ids else self.tokenizer.eos_token_id

    def continued(self, beginning: str) -> list[int]:
        """The tokens of an answer's beginning."""
        return self._tokens(beginning) if beginning else []

    def as_text(self, tokens: Sequence[int]) -> str:
        """Tokens as the text that a server makes the same tokens of, which adds the token of the beginning itself."""
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=False)
        begins_itself = self.tokenizer("x").input_ids[:1] == [self.tokenizer.bos_token_id]
        return text.removeprefix(self.tokenizer.bos_token) if begins_itself else text

    def decode(self, tokens: list[int]) -> str:
        text: str = self.tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _in_template(self, messages: list[Message], tools: Any = None, **options: Any) -> str:
        if "tools" not in str(self.tokenizer.chat_template):
            messages, tools = plain_messages(messages, tools or ()), None
        try:
            text: str = self.tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, **options)
        except Exception as error:  # a template raises what it likes, such as for a role that it does not know
            why = " ".join(str(error).split())[:160]
            raise ModelError(f"hf: the model's chat template refuses these messages: {why}") from error
        return text


def load_encoder(folder: Path, settings: Settings, name: str) -> Encoder:
    """The tokenizer of a folder, with the recipe's system message and template. Raises ModelError."""
    from transformers import AutoConfig, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        config = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
    except (OSError, ValueError, KeyError, ImportError) as error:
        why = "".join(str(error).strip().splitlines()[:1])[:160]
        raise ModelError(f"hf: the tokenizer or config of {folder} cannot be read: {why}") from error
    if settings.chat_template:
        tokenizer.chat_template = _template(settings.chat_template)
    return Encoder(tokenizer, context_of(config.to_dict()), settings.system, name)


def context_of(config: JsonObject) -> int:
    """The longest text of a model, in tokens. A tokenizer's own limit is often not set."""
    names = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
    return next((int(config[name]) for name in names if config.get(name)), 1 << 20)


def _template(name: str) -> str:
    path = Path(name).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"hf: chat_template: {path} cannot be read: {error.strerror}; name a Jinja file") from error
