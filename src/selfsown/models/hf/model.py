"""A causal language model of the transformers library, with its tokenizer and chat template."""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from selfsown.atomic import link_or_copy
from selfsown.errors import ModelError
from selfsown.models import ANSWER_START, DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.models.hf.devices import device_for, dtype_for
from selfsown.models.hf.encoding import Encoder, load_encoder
from selfsown.models.hf.files import adapter_base, model_folder, weights_hash
from selfsown.models.hf.sampling import EMPTY, NO_END, Request, Sampling, sample
from selfsown.models.hf.server import ServerSampler, check_command, stop
from selfsown.models.hf.settings import Device, Dtype, Settings, TrainedWeights
from selfsown.models.hf.stored_samples import StoredSamples
from selfsown.models.hf.weights import network, release
from selfsown.option_types import Count, Natural, Positive
from selfsown.records import JsonObject, Row
from selfsown.text.chat import Prompt
from selfsown.usage.journal import Journal

BATCH_SIZES = {"cpu": 32, "mps": 64, "cuda": 256}  # sequences that are sampled at a time
_MEASURED_TOKENS = 4096  # in a batch whose loss is measured; its logits take this times the vocabulary


class HF:
    """The weights in a folder, whole or LoRA, and how they are used. They are read when they are first needed."""

    reads_conversations = True

    def __init__(self, settings: Settings, folder: Path, name: str, journal: Journal | None = None) -> None:
        self.settings, self.folder, self.name, self.journal = settings, folder, name, journal

    @property
    def pretrained_from(self) -> JsonObject:
        """As in `Pretrained`; the revision of a model on the Hub is its commit, which names the downloaded folder."""
        commit = self.folder.name if self.folder.parent.name == "snapshots" else ""
        return {"model": self.settings.model, "revision": commit, "weights": weights_hash(self.folder)}

    @cached_property
    def encoder(self) -> Encoder:
        base = adapter_base(self.folder)
        source = model_folder(base, self.settings.revision) if base else self.folder
        return load_encoder(source, self.settings, self.name)

    @property
    def network(self) -> Any:
        """The model in memory, as transformers has it; a server would need the same memory."""
        stop()
        return network(self.folder, self.settings)

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As in `selfsown.models.Model`; a reply without an end within `max_new_tokens` or the context is a failure.

        A prompt to be continued is the beginning of a user's turn: the model writes the rest of that turn, and answers
        it (Magpie, Xu et al. 2024). Schemas are ignored.
        """
        texts = [str(prompt).partition(ANSWER_START) for prompt in prompts]
        if params.continue_prompt and not any(start for _, start, _ in texts):
            return self._user_turns_and_answers([opening for opening, _, _ in texts], params)
        bare = [text if start else prompt for prompt, (text, start, _) in zip(prompts, texts, strict=True)]
        prefixes = [
            [*self.encoder.prompt(prompt), *self.encoder.continued(beginning)]
            for prompt, (_, _, beginning) in zip(bare, texts, strict=True)
        ]
        groups = self._sampled(prefixes, {self.encoder.end}, params)
        return [[replace(r, prompt=str(p)) for r in group] for p, group in zip(prompts, groups, strict=True)]

    def _user_turns_and_answers(self, openings: list[str], params: SamplingParams) -> list[list[Reply]]:
        prefixes = [self.encoder.user_turn(opening) for opening in openings]
        turns = self._sampled(prefixes, {self.encoder.user_end}, params)
        written = [
            replace(turn, prompt=opening + turn.text, text="", failure=turn.failure and "no end of its prompt")
            for opening, group in zip(openings, turns, strict=True)
            for turn in group
        ]
        usable = [turn for turn in written if not turn.failure and turn.prompt.strip()]
        single = replace(params, n=1, continue_prompt=False, seed=params.seed + 1)
        answers = iter(self.complete([turn.prompt for turn in usable], single))
        replies = []
        for turn in written:
            if turn.failure or not turn.prompt.strip():
                replies.append(replace(turn, failure=turn.failure or "an empty prompt"))
            else:
                replies.append(replace(next(answers)[0], prompt=turn.prompt))
        return [replies[start : start + params.n] for start in range(0, len(replies), params.n)]

    def _sampled(self, prefixes: list[list[int]], ends: set[int], params: SamplingParams) -> list[list[Reply]]:
        """Replies that continue these tokens, without their prompts."""
        longest = params.max_tokens or self.settings.max_new_tokens
        room = [self.encoder.context - len(prefix) for prefix in prefixes]
        fitting = [index for index, free in enumerate(room) if free > 0]
        requests = [Request(prefixes[index], params.n, min(longest, room[index])) for index in fitting]
        replies = [
            [Reply("", "", failure=f"a prompt of {len(prefix)} tokens; the context has {self.encoder.context}")]
            * params.n
            for prefix in prefixes
        ]
        ends = ends | {self.encoder.tokenizer.eos_token_id}
        sampling = Sampling(frozenset(ends), params.temperature, self.settings.top_p, self.settings.top_k, params.seed)
        sampled = self._served(requests, sampling) if self.settings.sampler else self._in_process(requests, sampling)
        for place, group in sampled:
            replies[fitting[place]] = group
        return replies

    def _in_process(self, requests: list[Request], sampling: Sampling) -> Iterator[tuple[int, list[Reply]]]:
        """The replies to each request, with its place."""
        batch = self.settings.batch_size or BATCH_SIZES[device_for(self.settings.device).type]
        stored = StoredSamples(self.journal, weights_hash(self.folder), requests, sampling)
        known = stored.read()
        for place, samples in sample(lambda: self.network, requests, sampling, batch, known):
            if place not in known:
                stored.write(place, samples)
            yield place, [self._reply(tokens, sampling.ends) for tokens in samples]

    def _served(self, requests: list[Request], sampling: Sampling) -> Iterator[tuple[int, list[Reply]]]:
        """The same, of a server that is given the prompts in their template as text."""
        texts = [self.encoder.as_text(request.tokens) for request in requests]
        ends = [self.encoder.tokenizer.convert_ids_to_tokens(end) for end in sorted(sampling.ends)]
        server = ServerSampler(self.folder, self.settings, self.journal, ends)
        for n, max_new in sorted({(request.n, request.max_new) for request in requests}):
            places = [place for place, request in enumerate(requests) if (request.n, request.max_new) == (n, max_new)]
            groups = server.replies([texts[place] for place in places], sampling, n, max_new)
            yield from zip(places, groups, strict=True)

    def _reply(self, tokens: list[int], ends: Collection[int]) -> Reply:
        text = self.encoder.decode(tokens).strip()
        failure = NO_END if tokens[-1] not in ends else "" if text else EMPTY
        return Reply("", text, len(tokens), failure)

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """For each row the negative log2 probability of its answer and end, given its prompt, and its characters plus
        one. Prompts are not measured: a chat model does not learn to write them."""
        return self.answer_bits(rows)

    @torch.inference_mode()
    def answer_bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """The same. A row beyond the context is measured as far as it fits."""
        encoded = [self.encoder.row(row) for row in rows]
        result = [(0.0, 0)] * len(rows)
        model = self.network
        for batch in _by_length([tokens for tokens, _ in encoded]):
            for index, bits in zip(batch, _bits(model, [encoded[i] for i in batch], self.encoder.context), strict=True):
                result[index] = (bits, len(rows[index].answer) + 1)
        return result

    def harness_arguments(self) -> JsonObject:
        """What the Language Model Evaluation Harness needs to read this model."""
        base = adapter_base(self.folder)
        source = model_folder(base, self.settings.revision) if base else self.folder
        device = device_for(self.settings.device)
        dtype = str(dtype_for(self.settings.dtype, device)).removeprefix("torch.")
        arguments = {"device": device.type, "pretrained": str(source.resolve()), "dtype": dtype}
        return arguments | ({"peft": str(self.folder.resolve())} if base else {})

    def free_memory(self) -> None:
        """Give back the memory of the weights, also of those that a server holds."""
        stop()
        release()

    def trained(self, folder: Path) -> HF:
        """The same model with the weights that training wrote into a folder."""
        return HF(self.settings, folder, folder.parent.name, self.journal)

    def save(self, folder: Path) -> None:
        """Write the folder of the model: whole weights, or LoRA weights and the name of their base."""
        shutil.copytree(self.folder, folder, copy_function=link_or_copy)


def _by_length(texts: Sequence[list[int]]) -> Iterable[list[int]]:
    """Indices of texts of similar length, in batches of a bounded number of tokens."""
    order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
    while order:
        size = max(1, _MEASURED_TOKENS // max(1, len(texts[order[0]])))
        yield order[:size]
        order = order[size:]


def _bits(model: Any, encoded: Sequence[tuple[list[int], int]], context: int) -> list[float]:
    """The negative log2 probability of each text's tokens from its place on; texts are padded on the right."""
    texts = [tokens[:context] for tokens, _ in encoded]
    longest = max(map(len, texts))
    tokens = torch.tensor([text + [0] * (longest - len(text)) for text in texts], device=model.device)
    mask = torch.tensor([[1] * len(text) + [0] * (longest - len(text)) for text in texts], device=model.device)
    logits = model(input_ids=tokens, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    nats = F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
    starts = torch.tensor([start for _, start in encoded], device=model.device)[:, None]
    places = torch.arange(1, longest, device=model.device)[None]
    measured = (places >= starts) & (mask[:, 1:] > 0)
    totals: list[float] = ((nats * measured).sum(1) / math.log(2)).tolist()
    return totals


def create(
    rows: Sequence[Row],
    seed: int,
    journal: Journal | None = None,
    *,
    model: str,
    revision: str = "",
    device: Device = "auto",
    dtype: Dtype = "auto",
    train_weights: TrainedWeights = "auto",
    lora_rank: Count = 16,
    system: str = "",
    chat_template: str = "",
    max_new_tokens: Count = 512,
    top_p: Positive = 1.0,
    top_k: Natural = 0,
    batch_size: Natural = 0,
    sampler: str = "",
    launch: tuple[str, ...] = (),
    python: str = "",
) -> HF:
    """The model of a folder, or of a name on the Hugging Face Hub.

    Raises ModelError where it, its template or the device is missing.
    """
    settings = Settings(
        model=model, revision=revision, device=device, dtype=dtype, train_weights=train_weights, lora_rank=lora_rank,
        system=system, chat_template=chat_template, max_new_tokens=max_new_tokens, top_p=top_p, top_k=top_k,
        batch_size=batch_size, sampler=sampler, launch=launch, python=python,
    )  # fmt: skip
    device_for(device)
    if sampler:
        check_command(sampler)
    folder = model_folder(model, revision)
    name = folder.name if Path(model).expanduser().is_dir() else model
    return _with_room_for_prompts(HF(settings, folder, name, journal))


def _with_room_for_prompts(model: HF) -> HF:
    longest, context = model.settings.max_new_tokens, model.encoder.context
    if context <= longest:
        raise ModelError(
            f"hf: max_new_tokens is {longest}, but {model.name} reads {context} in all; lower it: "
            f"--set student.hf.max_new_tokens={context // 2}"
        )
    return model


def load(folder: Path, journal: Journal | None = None, **options: Any) -> HF:
    """The model that `HF.save` wrote, with the recipe's options. Raises ModelError where the folder contains none."""
    return HF(Settings(**options), model_folder(str(folder)), folder.parent.name, journal)
