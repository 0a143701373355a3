"""Texts that begin alike are computed once, and no text is other than if it were alone."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import Tensor

from selfsown.models import SamplingParams
from selfsown.models.tiny.beginnings import Beginnings
from selfsown.models.tiny.model import Tiny, create
from selfsown.models.tiny.sampling import MAX_TEXTS, MIN_TEXTS, sample
from selfsown.models.tiny.tokenizer import BOS, EOS, PAD
from selfsown.models.tiny.transformer import Network, Size
from selfsown.records import Mixture
from selfsown.tasks.programs import Task
from selfsown.train.sft import train

VOCABULARY, LENGTH = 9, 12


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(Size(VOCABULARY, 40, layers=2, width=16, heads=4), seed=3)


def drawn(texts: int, seed: int = 1, tokens: int = 3) -> Tensor:
    """Random texts of few different tokens, so that many begin alike."""
    return torch.randint(5, 5 + tokens, (texts, LENGTH), generator=torch.Generator().manual_seed(seed))


def per_text(beginnings: Beginnings) -> Tensor:
    return beginnings.logits[beginnings.of]


@torch.inference_mode()
@pytest.mark.parametrize(("texts", "read"), [(1, 1), (40, 1), (40, 5), (300, 3)])
def test_each_text_has_the_logits_that_the_network_gives_it_alone(network: Network, texts: int, read: int) -> None:
    tokens = drawn(texts)
    beginnings = Beginnings(network, tokens[:, :read], LENGTH)
    for position in range(read, LENGTH):
        beginnings.append(tokens[:, position])
        assert torch.allclose(per_text(beginnings), network(tokens[:, : position + 1])[:, -1], atol=1e-4)


@torch.inference_mode()
def test_texts_are_computed_once_for_as_long_as_they_are_the_same(network: Network) -> None:
    tokens = drawn(200)
    beginnings, counts = Beginnings(network, tokens[:, :1], LENGTH), []
    for position in range(1, LENGTH):
        counts.append((len(beginnings.logits), len({tuple(text) for text in tokens[:, :position].tolist()})))
        beginnings.append(tokens[:, position])
    shared = [found for found, distinct in counts if distinct < len(tokens)]
    assert [found for found, distinct in counts] == [distinct for found, distinct in counts]
    assert shared[:3] == [3, 9, 27]


@torch.inference_mode()
@pytest.mark.parametrize("at", range(2, LENGTH))
def test_texts_that_end_leave_the_others_as_they_were(network: Network, at: int) -> None:
    tokens, left = drawn(60, tokens=4), torch.arange(60) % 3 > 0
    beginnings = Beginnings(network, tokens[:, :1], LENGTH)
    for position in range(1, LENGTH):
        if position == at:
            beginnings.keep(left)
            tokens = tokens[left]
        beginnings.append(tokens[:, position])
        assert torch.allclose(per_text(beginnings), network(tokens[:, : position + 1])[:, -1], atol=1e-4)


@pytest.fixture(scope="module")
def trained() -> Tiny:
    rows = Task(rows=300, levels=1).pose(5)
    mixture = Mixture(rows, torch.ones(len(rows)).numpy())
    return train(mixture, create(rows, 1, layers=2, width=32), 5, lambda done, of: None, steps=60, batch_size=32)


def test_samples_of_one_prompt_follow_the_probabilities_of_two_tokens(trained: Tiny) -> None:
    """They share their beginning and then part; total variation as chance allows."""
    head = [BOS, *trained.tokenizer.encode("1")]
    written = sample(trained.network, [head] * 4000, 1.0, 11, 2)
    with torch.no_grad():
        first = trained.network(torch.tensor([head]))[0, -1]
        first[PAD] = -torch.inf
        expected: dict[tuple[int, ...], float] = {}
        for token, share in enumerate(torch.softmax(first, -1).tolist()):
            second = trained.network(torch.tensor([[*head, token]]))[0, -1]
            second[PAD] = -torch.inf
            following = {(): share} if token == EOS else dict(enumerate((share * torch.softmax(second, -1)).tolist()))
            for after, probability in following.items():
                expected[(token, *((after,) if after != () else ()))] = probability
    counts = Counter(map(tuple, written))
    assert sum(expected.values()) == pytest.approx(1.0, abs=1e-4)
    distance = sum(abs(counts[text] / 4000 - expected.get(text, 0.0)) for text in {*counts, *expected}) / 2
    assert distance < 0.08


def test_greedy_texts_are_the_same_in_any_company(trained: Tiny) -> None:
    prompts = [row.prompt for row in Task(rows=80, levels=1).pose(6)]
    params = SamplingParams(temperature=0.0)
    together = [reply.text for (reply,) in trained.complete(prompts, params)]
    assert together == [trained.complete([prompt], params)[0][0].text for prompt in prompts]


@pytest.mark.parametrize(("context", "at_once"), [(20, MAX_TEXTS), (128, 64), (1000, MIN_TEXTS)])
def test_fewer_long_texts_are_written_at_once(context: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network, seen = Network(Size(VOCABULARY, context, layers=1, width=8, heads=2), seed=0), list[int]()
    create_cache = network.cache

    def cache(texts: int, length: int) -> list[Tensor]:
        seen.append(texts)
        return create_cache(texts, length)

    monkeypatch.setattr(network, "cache", cache)
    prefixes = [[BOS, 5 + index % 4, 5 + index // 4 % 4, 5 + index // 16 % 4, 5 + index // 64] for index in range(256)]
    written = sample(network, prefixes, 1.0, 0, 0)
    assert seen == [at_once] * (256 // at_once)
    assert all(len(prefix) + len(text) <= context for prefix, text in zip(prefixes, written, strict=True))
