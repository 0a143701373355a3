"""The embedded model: a small transformer over characters that trains and writes on two cores.

Saved, it is an ordinary Hugging Face folder: `config.json`, `model.safetensors` and tokenizer files.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from selfsown.errors import ModelError, SelfsownError
from selfsown.models import ANSWER_START, DEFAULT_PARAMS, JsonObject, Reply, SamplingParams
from selfsown.models.tiny.sampling import sample
from selfsown.models.tiny.tokenizer import BOS, EOS, PAD, SEP, SPECIAL_TOKENS, UNK, Tokenizer
from selfsown.models.tiny.trainer import mask_prompt
from selfsown.models.tiny.transformer import Network, Size
from selfsown.models.tiny.two_threads import iterate_two, single_threaded
from selfsown.option_types import Count, Natural
from selfsown.records import Row
from selfsown.text.chat import Prompt

MAX_DEFAULT_CONTEXT = 1024  # tokens: a longer context must be set explicitly, because memory grows with it


class Tiny:
    """A network, its tokenizer and a name."""

    def __init__(self, network: Network, tokenizer: Tokenizer, name: str = "tiny") -> None:
        self.network, self.tokenizer, self.name = network, tokenizer, name

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As in `selfsown.models.Model`; a reply without an end within the context is a failure.

        It ignores schemas, and reads a conversation as text.
        """
        texts = list(map(str, prompts))
        context = self.network.size.context
        prefixes = [self._prefix(prompt, params.continue_prompt) for prompt in texts]
        fitting = [prefix for prefix in prefixes if len(prefix) < context]
        written = iter(
            sample(
                self.network,
                [prefix for prefix in fitting for _ in range(params.n)],
                params.temperature,
                params.seed,
                params.max_tokens,
            )
        )
        replies: list[list[Reply]] = []
        for prompt, prefix in zip(texts, prefixes, strict=True):
            if len(prefix) < context:
                replies.append([self._reply(prompt, prefix, next(written)) for _ in range(params.n)])
            else:
                failure = f"a prompt of {len(prefix)} tokens; the context has {context}"
                replies.append([Reply(prompt, "", failure=failure)] * params.n)
        return replies

    def _prefix(self, prompt: str, continue_prompt: bool) -> list[int]:
        question, has_answer, answer = prompt.partition(ANSWER_START)
        separator = [] if continue_prompt and not has_answer else [SEP]
        return [BOS, *self.tokenizer.encode(question), *separator, *self.tokenizer.encode(answer)]

    def _reply(self, prompt: str, prefix: list[int], new: list[int]) -> Reply:
        failure = "" if new and new[-1] == EOS else "no end within the context"
        if SEP in prefix:
            return Reply(prompt, self.tokenizer.decode(new), len(new), failure)
        if SEP not in new:
            return Reply(prompt + self.tokenizer.decode(new), "", len(new), failure or "no answer after its prompt")
        end = new.index(SEP)
        completed = prompt + self.tokenizer.decode(new[:end])
        return Reply(completed, self.tokenizer.decode(new[end + 1 :]), len(new), failure)

    def encode(self, rows: Sequence[Row]) -> list[list[int]]:
        """The token ids of each row, `<bos>prompt<sep>answer<eos>`, truncated to the context."""
        encode, context = self.tokenizer.encode, self.network.size.context
        return [[BOS, *encode(row.prompt), SEP, *encode(row.answer), EOS][:context] for row in rows]

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """For each row the negative log2 probability of its text and end in bits, and its characters plus one."""
        texts = self.encode(rows)
        return [
            (bits, len(text) - 2)  # without <bos> and <sep>
            for bits, text in zip(self._bits(texts, lambda tokens: tokens), texts, strict=True)
        ]

    def answer_bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """The same of the answer and end alone, given the prompt."""
        texts = self.encode(rows)
        counts = [max(0, len(text) - len(row.prompt) - 2) for row, text in zip(rows, texts, strict=True)]
        return list(zip(self._bits(texts, mask_prompt), counts, strict=True))

    def _bits(self, texts: list[list[int]], targets: Callable[[Tensor], Tensor]) -> list[float]:
        """The negative log2 probability of each text's targets, which are its tokens or some of them."""

        @torch.inference_mode()
        def nats(chunk: list[int]) -> list[float]:
            tokens = pad([texts[index] for index in chunk])
            logits, measured = self.network(tokens[:, :-1]), targets(tokens)[:, 1:]
            losses = F.cross_entropy(logits.mT, measured, ignore_index=PAD, reduction="none")
            return losses.sum(1).tolist()

        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        chunks = [order[start : start + 256] for start in range(0, len(order), 256)]
        result = [0.0] * len(texts)
        with single_threaded():
            for chunk, values in zip(chunks, iterate_two(nats, chunks), strict=True):
                for index, value in zip(chunk, values, strict=True):
                    result[index] = value / math.log(2)
        return result

    def copy(self) -> Tiny:
        return Tiny(copy.deepcopy(self.network), self.tokenizer, self.name)

    def save(self, folder: Path) -> None:
        """Write a folder that `transformers` loads as `GPT2LMHeadModel`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.safetensors").write_bytes(save(_to_gpt2(self.network), metadata={"format": "pt"}))
        files = {"config.json": _config(self.network.size), **self.tokenizer.files()}
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def create(
    rows: Sequence[Row],
    seed: int,
    *,
    layers: Count = 3,
    width: Count = 64,
    heads: Count = 4,
    context: Natural = 0,
    folder: str | tuple[str, ...] = "",
) -> Tiny:
    """A new model with random weights for these rows, or the one saved in `folder`.

    layers, width, heads: size of the transformer; width must be a multiple of heads. context: in tokens (0: a quarter
    more than the longest row). folder: of several, the mean of their weights (Wortsman et al. 2022; Gemma 2, Llama 3),
    for which they should have started as the same model. Raises SelfsownError where a size does not fit the rows.
    """
    if folder:
        return _mean([load(Path(name)) for name in ((folder,) if isinstance(folder, str) else folder)])
    if width % heads:
        raise SelfsownError(f"tiny: width {width} is not a multiple of heads {heads}; use for example {heads * 16}")
    tokenizer = Tokenizer.from_texts(text for row in rows for text in (row.prompt, row.answer))
    longest = max(len(row.prompt) + len(row.answer) for row in rows) + 3
    if longest > (context or MAX_DEFAULT_CONTEXT):
        raise SelfsownError(
            f"tiny: the longest real row has {longest} tokens, but the context is {context or MAX_DEFAULT_CONTEXT}; "
            "shorten the rows"
            + (", or raise context" if context else f", or set context to {longest} if memory allows")
        )
    size = Size(len(tokenizer), context or longest + longest // 4, layers, width, heads)
    return Tiny(Network(size, seed), tokenizer)


def load(folder: Path) -> Tiny:
    """The model that `Tiny.save` wrote. Raises ModelError where the folder contains none."""
    if folder.name == "best" and not folder.exists():  # where a run saves its best model, by default runs/RECIPE/best
        first = f"selfsown run {folder.parent.name}"
        raise ModelError(
            f"{folder} does not exist yet: first run the recipe that creates it ({first}), or name another"
        )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        keys = ("vocab_size", "n_positions", "n_layer", "n_embd", "n_head")
        network = Network(Size(*(config[key] for key in keys)), seed=0)
        _from_gpt2(network, load_file(folder / "model.safetensors"))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{folder} contains no tiny model: {error}; name a folder in which selfsown saved one"
        ) from error
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)
    return Tiny(network, Tokenizer("".join(ordered[len(SPECIAL_TOKENS) :])), name=folder.parent.name)


def _mean(models: Sequence[Tiny]) -> Tiny:
    """The first model, with the mean weights of all."""
    first, *others = models
    for other in others:
        if (other.network.size, other.tokenizer) != (first.network.size, first.tokenizer):
            raise SelfsownError(
                f"tiny: {first.name} and {other.name} differ in size or tokenizer, so they cannot be averaged; "
                "name folders of runs that started from the same model"
            )
    states = [model.network.state_dict() for model in models]
    first.network.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    return first


def pad(texts: Sequence[list[int]]) -> Tensor:
    """Token lists as one tensor of shape (texts, longest), padded on the right."""
    longest = max(map(len, texts))
    return torch.tensor([text + [PAD] * (longest - len(text)) for text in texts])


_NAMES = {
    "tokens": "transformer.wte",
    "positions": "transformer.wpe",
    "last": "transformer.ln_f",
    "head": "lm_head",
    "before_attention": "ln_1",
    "attention_in": "attn.c_attn",
    "attention_out": "attn.c_proj",
    "before_feed": "ln_2",
    "feed_in": "mlp.c_fc",
    "feed_out": "mlp.c_proj",
}


def _gpt2_name(name: str) -> tuple[str, bool]:
    """GPT-2's name of one of our weights, and whether it stores it transposed."""
    *block, part, _ = name.split(".")
    prefix = f"transformer.h.{block[1]}." if block else ""
    return prefix + _NAMES[part], part.endswith(("_in", "_out"))


def _to_gpt2(network: Network) -> dict[str, Tensor]:
    """Our weights under GPT-2's names, with zeros for the biases that it expects."""
    state: dict[str, Tensor] = {}
    for name, weight in network.state_dict().items():
        theirs, transposed = _gpt2_name(name)
        state[f"{theirs}.weight"] = (weight.T if transposed else weight).contiguous()
        if transposed or weight.dim() == 1:
            state[f"{theirs}.bias"] = torch.zeros(weight.shape[0])
    return state


def _from_gpt2(network: Network, weights: dict[str, Tensor]) -> None:
    state = {}
    for name in network.state_dict():
        theirs, transposed = _gpt2_name(name)
        weight = weights[f"{theirs}.weight"]
        state[name] = weight.T if transposed else weight
    network.load_state_dict(state)


def _config(size: Size) -> JsonObject:
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": size.vocab_size,
        "n_positions": size.context,
        "n_embd": size.width,
        "n_layer": size.layers,
        "n_head": size.heads,
        "n_inner": 4 * size.width,
        "activation_function": "gelu",
        "layer_norm_epsilon": 1e-5,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "tie_word_embeddings": False,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "unk_token_id": UNK,
        "dtype": "float32",
    }
