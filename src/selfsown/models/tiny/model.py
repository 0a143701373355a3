"""The embedded model: a small transformer over characters that trains and writes on two cores.

Saved, it is an ordinary Hugging Face folder: `config.json`, `model.safetensors` and tokenizer files.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from selfsown.models import ANSWER_START, DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.models.tiny.sampling import sample
from selfsown.models.tiny.tokenizer import BOS, EOS, PAD, SEP, SPECIAL_TOKENS, UNK, Tokenizer
from selfsown.models.tiny.transformer import Network, Size
from selfsown.option_types import Count, Natural
from selfsown.records import Row, SelfsownError
from selfsown.text.chat import Prompt

MAX_DEFAULT_CONTEXT = 1024  # tokens of a row that a context is made for unasked; memory grows with it


class Tiny:
    """A network, its alphabet and a name."""

    def __init__(self, network: Network, alphabet: Tokenizer, name: str = "tiny") -> None:
        self.network, self.tokenizer, self.name = network, alphabet, name

    def complete(
        self,
        prompts: Sequence[Prompt],
        params: SamplingParams = DEFAULT_PARAMS,
    ) -> list[list[Reply]]:
        """As `selfsown.models.Model` says; a reply that found no end within the context is a failure.
        It knows no schema, and of a conversation the text alone."""
        texts = list(map(str, prompts))
        heads = [self._head(prompt, params.continue_prompt) for prompt in texts]
        fits = [head for head in heads if len(head) < self.network.size.context]
        written = iter(
            sample(
                self.network,
                [head for head in fits for _ in range(params.n)],
                params.temperature,
                params.seed,
                params.max_tokens,
            )
        )
        replies: list[list[Reply]] = []
        for prompt, head in zip(texts, heads, strict=True):
            if len(head) < self.network.size.context:
                replies.append([self._reply(prompt, head, next(written)) for _ in range(params.n)])
            else:
                room = self.network.size.context
                replies.append(
                    [Reply(prompt, "", failure=f"a prompt of {len(head)} tokens; there is room for {room}")] * params.n
                )
        return replies

    def _head(self, prompt: str, unfinished: bool) -> list[int]:
        said, begun, answer = prompt.partition(ANSWER_START)
        mark = [] if unfinished and not begun else [SEP]
        return [BOS, *self.tokenizer.encode(said), *mark, *self.tokenizer.encode(answer)]

    def _reply(self, prompt: str, head: list[int], new: list[int]) -> Reply:
        failure = "" if new and new[-1] == EOS else "no end within the context"
        if SEP in head:
            return Reply(prompt, self.tokenizer.decode(new), len(new), failure)
        if SEP not in new:
            return Reply(prompt + self.tokenizer.decode(new), "", len(new), failure or "no answer after its prompt")
        at = new.index(SEP)
        said = prompt + self.tokenizer.decode(new[:at])
        return Reply(said, self.tokenizer.decode(new[at + 1 :]), len(new), failure)

    def encode(self, rows: Sequence[Row]) -> list[list[int]]:
        """Each row as `<bos>prompt<sep>answer<eos>`, cut to the context."""
        encode, context = self.tokenizer.encode, self.network.size.context
        return [[BOS, *encode(row.prompt), SEP, *encode(row.answer), EOS][:context] for row in rows]

    @torch.inference_mode()
    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        """Bits of each row's text and of its end, and its characters with the end counted as one."""
        texts = self.encode(rows)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found = [(0.0, 0)] * len(texts)
        for chunk in (order[at : at + 256] for at in range(0, len(order), 256)):
            tokens = pad([texts[at] for at in chunk])
            logits = self.network(tokens[:, :-1])
            losses = F.cross_entropy(logits.mT, tokens[:, 1:], ignore_index=PAD, reduction="none").sum(1)
            for at, nats in zip(chunk, losses.tolist(), strict=True):
                found[at] = (nats / math.log(2), len(texts[at]) - 2)  # but <bos> and <sep>
        return found

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
    """A new model with random weights for these rows, or the one saved in `folder`; of several, the mean of their
    weights (Wortsman et al. 2022; Gemma 2, Llama 3), for which they should have begun as the same model.

    context 0 makes room for rows a quarter longer than the longest of these.
    """
    if folder:
        return _mean([load(Path(each)) for each in ((folder,) if isinstance(folder, str) else folder)])
    if width % heads:
        raise SelfsownError(
            f"tiny: width {width} does not divide by heads {heads}; take a multiple, such as {heads * 16}"
        )
    alphabet = Tokenizer.from_texts(text for row in rows for text in (row.prompt, row.answer))
    longest = max(len(row.prompt) + len(row.answer) for row in rows) + 3
    if longest > (context or MAX_DEFAULT_CONTEXT):
        raise SelfsownError(
            f"tiny: the longest real row takes {longest} tokens, and the context is {context or MAX_DEFAULT_CONTEXT}; "
            "shorten the rows"
            + (", or raise context" if context else f", or set context to {longest} if memory allows")
        )
    size = Size(len(alphabet), context or longest + longest // 4, layers, width, heads)
    return Tiny(Network(size, seed), alphabet)


def load(folder: Path) -> Tiny:
    """The model that `Tiny.save` wrote; SelfsownError where the folder holds none."""
    if folder.name == "best" and not folder.exists():  # where a run leaves it, runs/RECIPE/best unless told otherwise
        first = f"selfsown run {folder.parent.name}"
        raise SelfsownError(f"there is no {folder} yet: the run that makes it comes first ({first}); or name another")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        keys = ("vocab_size", "n_positions", "n_layer", "n_embd", "n_head")
        network = Network(Size(*(config[key] for key in keys)), seed=0)
        _from_gpt2(network, load_file(folder / "model.safetensors"))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise SelfsownError(
            f"{folder} holds no tiny model: {error}; name a folder that selfsown saved one in"
        ) from error
    ordered = sorted(vocabulary, key=vocabulary.__getitem__)
    return Tiny(network, Tokenizer("".join(ordered[len(SPECIAL_TOKENS) :])), name=folder.parent.name)


def _mean(models: Sequence[Tiny]) -> Tiny:
    """The first of them, its weights the mean of all."""
    first, *others = models
    for other in others:
        if (other.network.size, other.tokenizer) != (first.network.size, first.tokenizer):
            raise SelfsownError(
                f"tiny: {first.name} and {other.name} differ in size or alphabet, so their weights have no mean; "
                "name folders of runs that began as the same model"
            )
    states = [each.network.state_dict() for each in models]
    first.network.load_state_dict({name: torch.stack([each[name] for each in states]).mean(0) for name in states[0]})
    return first


def pad(texts: Sequence[list[int]]) -> Tensor:
    """Token lists as one tensor (texts, longest), filled up at the right."""
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
    """GPT-2's name of one of our weights, and whether it keeps it transposed."""
    *where, part, _ = name.split(".")
    inside = f"transformer.h.{where[1]}." if where else ""
    return inside + _NAMES[part], part.endswith(("_in", "_out"))


def _to_gpt2(network: Network) -> dict[str, Tensor]:
    """Our weights under GPT-2's names, with the biases that it expects at zero."""
    found: dict[str, Tensor] = {}
    for name, weight in network.state_dict().items():
        theirs, transposed = _gpt2_name(name)
        found[f"{theirs}.weight"] = (weight.T if transposed else weight).contiguous()
        if transposed or weight.dim() == 1:
            found[f"{theirs}.bias"] = torch.zeros(weight.shape[0])
    return found


def _from_gpt2(network: Network, found: dict[str, Tensor]) -> None:
    state = {}
    for name in network.state_dict():
        theirs, transposed = _gpt2_name(name)
        weight = found[f"{theirs}.weight"]
        state[name] = weight.T if transposed else weight
    network.load_state_dict(state)


def _config(size: Size) -> dict[str, Any]:
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
