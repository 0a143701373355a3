"""Sampling from a causal language model, in batches of prompts of similar length.

Each prompt is read once for all its samples, and a finished sample leaves its batch. Random numbers belong to a sample,
not to its batch, so the size of a batch changes nothing but rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from selfsown import progress
from selfsown.parallel import usable_cores

_MIN_COMMON = 8  # tokens
NO_END = "no end within the limit of tokens"
EMPTY = "an empty answer"  # as of a server
_MAX_THREADS = 2  # of a batch each; more wait for one another in Python


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. ends: tokens that end a sample. temperature: 0 takes the likeliest token."""

    ends: frozenset[int]
    temperature: float
    top_p: float
    top_k: int
    seed: int


@dataclass(frozen=True)
class Request:
    """A prompt's tokens, the number of samples of it, and the most new tokens of each."""

    tokens: Sequence[int]
    n: int
    max_new: int


Samples = list[list[int]]  # of one request: the new tokens, the ending one included


def sample(
    network: Callable[[], Any],
    requests: Sequence[Request],
    sampling: Sampling,
    batch_size: int,
    known: Mapping[int, Samples],
) -> Iterator[tuple[int, Samples]]:
    """The samples of each request, with its index, as they come.

    network: reads the model, if any request is not known. batch_size: sequences at a time. known: samples by index. A
    batch of which any is missing is sampled whole, so that it is the batch that it was.
    """
    missing = list[list[int]]()
    for batch in _batches(requests, batch_size):
        if all(index in known for index in batch):
            yield from ((index, known[index]) for index in batch)
        else:
            missing.append(batch)
    if not missing:
        return
    model = network()
    with progress.step("sampling", len(requests), "prompts") as counted:
        counted.done = len(requests) - sum(map(len, missing))
        work = partial(_sample_or_halve, model, requests, sampling=sampling)
        for batch, done in zip(missing, _on_threads(work, missing, model.device), strict=True):
            counted.done += len(batch)
            yield from zip(batch, done, strict=True)


def _on_threads(
    work: Callable[[list[int]], list[Samples]], batches: Sequence[list[int]], device: torch.device
) -> Iterator[list[Samples]]:
    """On a CPU two batches at a time, a thread each: torch's own threads wait for one another at every operation."""
    if device.type != "cpu":
        yield from map(work, batches)
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(min(_MAX_THREADS, usable_cores())) as pool:
            yield from pool.map(work, batches)
    finally:
        torch.set_num_threads(before)


def _batches(requests: Sequence[Request], batch_size: int) -> Iterator[list[int]]:
    """Indices of requests, the longest first, so many that their samples fill a batch."""
    order = sorted(range(len(requests)), key=lambda index: -len(requests[index].tokens))
    batch: list[int] = []
    for index in order:
        if batch and sum(requests[other].n for other in batch) + requests[index].n > batch_size:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _sample_or_halve(
    network: Any, requests: Sequence[Request], batch: list[int], *, sampling: Sampling
) -> list[Samples]:
    """The samples of a batch; of its halves, where the device has no memory for the whole."""
    try:
        return _Batch(network, [requests[index] for index in batch], batch, sampling).run()
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(batch) // 2
    parts = [_sample_or_halve(network, requests, part, sampling=sampling) for part in (batch[:half], batch[half:])]
    return [*parts[0], *parts[1]]


class _Batch:
    """Samples being written, one token at a time. Tensors have a row for each unfinished one."""

    def __init__(self, network: Any, requests: Sequence[Request], places: Sequence[int], sampling: Sampling) -> None:
        self.network, self.requests, self.sampling = network, requests, sampling
        self.device = network.device
        self.places = [(index, number) for index, request in enumerate(requests) for number in range(request.n)]
        self.random = [
            torch.Generator().manual_seed(_mixed(sampling.seed, places[index], number)) for index, number in self.places
        ]
        self.results: list[Samples] = [[[] for _ in range(request.n)] for request in requests]

    @torch.inference_mode()
    def run(self) -> list[Samples]:
        """The samples of each request."""
        logits, cache, mask = self._read_prompts()
        while True:
            tokens = self._next(logits)
            going = [row for row, token in enumerate(tokens) if self._append(row, token)]
            if not going:
                return self.results
            if len(going) < len(tokens):
                kept = torch.tensor(going, device=self.device)
                cache.batch_select_indices(kept)
                mask = mask[kept]
                self.places = [self.places[row] for row in going]
                self.random = [self.random[row] for row in going]
            new = torch.tensor([[tokens[row]] for row in going], device=self.device)
            mask = torch.cat([mask, mask.new_ones(len(going), 1)], 1)
            output = self.network(
                input_ids=new,
                attention_mask=mask,
                position_ids=mask.sum(1, keepdim=True) - 1,
                past_key_values=cache,
                use_cache=True,
            )
            logits, cache = output.logits[:, -1], output.past_key_values

    def _read_prompts(self) -> tuple[Tensor, Any, Tensor]:
        """Logits, cache and mask after the prompts, padded on the left, with a row for each sample.

        What all prompts begin with, such as a system message, is read once.
        """
        from transformers import DynamicCache

        common = _common_prefix([request.tokens for request in self.requests])
        cache = DynamicCache(config=self.network.config)
        if common:
            first = torch.tensor([list(self.requests[0].tokens[:common])], device=self.device)
            cache = self.network(
                input_ids=first, past_key_values=cache, use_cache=True, logits_to_keep=1
            ).past_key_values
            cache.batch_select_indices(torch.zeros(len(self.requests), dtype=torch.long, device=self.device))
        rest = [request.tokens[common:] for request in self.requests]
        longest = max(map(len, rest))
        padded = [[0] * (longest - len(tokens)) + list(tokens) for tokens in rest]
        lengths = torch.tensor([len(tokens) for tokens in rest])
        mask = (torch.arange(longest) >= (longest - lengths)[:, None]).long().to(self.device)
        mask = torch.cat([mask.new_ones(len(rest), common), mask], 1)
        output = self.network(
            input_ids=torch.tensor(padded, device=self.device),
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, common:],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        rows = torch.tensor([index for index, _ in self.places], device=self.device)
        cache = output.past_key_values
        if len(rows) != len(self.requests):
            cache.batch_select_indices(rows)
        return output.logits[:, -1][rows], cache, mask[rows]

    def _append(self, row: int, token: int) -> bool:
        """Add the token to the row's sample; whether the sample goes on."""
        index, number = self.places[row]
        written = self.results[index][number]
        written.append(token)
        return token not in self.sampling.ends and len(written) < self.requests[index].max_new

    def _next(self, logits: Tensor) -> list[int]:
        """The next token of each row, for logits of shape (rows, vocabulary)."""
        if not self.sampling.temperature:
            chosen: list[int] = logits.argmax(-1).tolist()
            return chosen
        probabilities = _truncated(logits.float() / self.sampling.temperature, self.sampling).softmax(-1)
        uniform = torch.stack([torch.rand((), generator=random) for random in self.random]).to(self.device)
        cumulative = probabilities.cumsum(-1, dtype=torch.float64)
        targets = uniform.double()[:, None] * cumulative[:, -1:]
        drawn: list[int] = torch.searchsorted(cumulative, targets, right=True).squeeze(1).tolist()
        return [min(token, logits.shape[-1] - 1) for token in drawn]


def _common_prefix(texts: Sequence[Sequence[int]]) -> int:
    """The number of tokens with which all texts begin, each of which has one more; 0 if that saves little."""
    ordered = sorted(map(list, texts))  # the first and the last differ soonest
    pairs = zip(ordered[0], ordered[-1], strict=False)
    count = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    count = min(count, min(map(len, texts)) - 1)
    return count if len(texts) > 1 and count >= _MIN_COMMON else 0


def _truncated(logits: Tensor, sampling: Sampling) -> Tensor:
    """The logits (rows, vocabulary), without the tokens that top_k and top_p leave out."""
    if sampling.top_k:
        smallest = logits.topk(min(sampling.top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    if sampling.top_p < 1:
        ordered, order = logits.sort(descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
        logits = logits.masked_fill(
            torch.zeros_like(before, dtype=torch.bool).scatter(1, order, before >= sampling.top_p), -torch.inf
        )
    return logits


def _mixed(seed: int, index: int, number: int) -> int:
    """A seed for one sample of one request."""
    return (seed * 1_000_003 + index * 8191 + number) % (1 << 63)
