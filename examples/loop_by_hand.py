"""A small model writes its own training data, checks it by running it, learns from it, and proves that it got better.

This is selfsown's whole loop on one page, without selfsown: the same recipe gives the same accuracies and weights, bit
for bit (tests/examples/test_loop_by_hand.py sees to it). Left out is what makes a run comfortable, not what makes it
work: a folder that survives a kill, the story of every row, other worlds, models, graders and guards, levels that open
one by one, a second core. It needs torch and numpy, and some ten seconds:

    python examples/loop_by_hand.py
"""

from __future__ import annotations

import copy
import hashlib
import math
import random
import re
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Recipe(NamedTuple):
    """The constants of a run."""

    seed: int = 0
    rows: int = 600  # real rows: there are no more of them in the world
    held_out: int = 300  # of them, set aside to measure on
    levels: int = 1  # operations in the longest program
    generations: int = 2
    proposals: int = 500  # rows that the model tries to write in each generation
    steps: int = 60  # of training, in each generation
    batch: int = 64
    layers: int = 2
    width: int = 64
    heads: int = 4
    errors: float = 2.0  # a fall by more standard errors than this is rolled back

    def luck(self, *where: object) -> int:
        """A seed of its own for each place where chance enters: to change one place leaves the others alone."""
        return int.from_bytes(hashlib.sha256(repr((self.seed, *where)).encode()).digest()[:4])


class Row(NamedTuple):
    """One lesson: a deduction such as `1at:1234` → `2341`, or an induction such as `|1234>2341` → `at`."""

    prompt: str
    answer: str

    @property
    def problem(self) -> str:
        """Input and output, whichever way it is asked."""
        return self.prompt[1:] if self.prompt[0] == "|" else f"{self.prompt[-4:]}>{self.answer}"


class Generation(NamedTuple):
    """What became of the rows that one lap made, the model that learned from them, and how often that is right."""

    kept: list[Row]
    rejected: int
    failed: int
    model: Model
    accuracy: dict[str, float]
    stands: bool

    def __str__(self) -> str:
        ends = [len(self.kept), self.rejected, self.failed]
        shown = [sum(ends), *ends, *self.accuracy.values(), "" if self.stands else "  rolled back"]
        return "{:6}{:6}{:10}{:8}{:11.1%}{:11.1%}{}".format(*shown)


def main(**constants: Any) -> list[Generation]:
    """real rows → generate → grade → curate → mix → train → evaluate → guard → next generation."""
    recipe = Recipe(**constants)
    torch.set_num_threads(1)  # more of them would add up in another order, and other bits would come out
    real, held_out = real_rows(recipe)
    first = train(Model([*real, *held_out], recipe), *mix(real, []), recipe, recipe.luck(0, "train"))
    history = [Generation([], 0, 0, first, evaluate(first, held_out, recipe), stands=True)]
    print(f"generation  made  kept  rejected  failed  deduction  induction\n{0:10}{history[0]}")
    for number in range(1, recipe.generations + 1):
        standing = [generation for generation in history if generation.stands]
        student = standing[-1].model  # its own teacher: there is no other
        past = [row for generation in standing for row in generation.kept]

        rows, failed = generate(student, recipe, recipe.luck(number, "generate", 0))
        kept, rejected = curate(rows, grade(rows), [*real, *past], held_out)
        child = train(student, *mix(real, [*past, *kept]), recipe, recipe.luck(number, "train"))
        accuracy = evaluate(child, held_out, recipe)
        stands = guard(standing, accuracy, held_out, recipe)

        history.append(Generation(kept, rejected, failed, child, accuracy, stands))
        print(f"{number:10}{history[-1]}")
    return history


# The world: short programs over four digits. Right and wrong are nobody's opinion here: a program can be run.

OPERATIONS = {
    "r": lambda v: v[::-1],  # reverse
    "t": lambda v: v[1:] + v[:1],  # rotate to the left
    "i": lambda v: [(x + 1) % 10 for x in v],  # increment
    "s": sorted,
    "w": lambda v: [v[1], v[0], *v[2:]],  # swap the first two
    "d": lambda v: [2 * x % 10 for x in v],  # double
    "m": lambda v: [max(v), *v[1:]],  # the largest to the front, over the first
    "h": lambda v: [(x + at + 1) % 10 for at, x in enumerate(v)],  # increment by the position
    "f": lambda v: [(x - before) % 10 for before, x in zip([0, *v], v, strict=False)],  # differences
    "p": lambda v: [sum(v[: at + 1]) % 10 for at in range(len(v))],  # running sums
}
PROGRAM = f"[ab][{''.join(OPERATIONS)}]+"  # a style letter, which does nothing, and operations from left to right


def run(program: str, digits: str) -> tuple[Row, Row]:
    """The two rows that it gives. Deduction: what comes out? Induction: which program was it?"""
    values = [int(digit) for digit in digits]
    for operation in program[1:]:
        values = OPERATIONS[operation](values)
    output = "".join(map(str, values))
    return Row(f"{len(program) - 1}{program}:{digits}", output), Row(f"|{digits}>{output}", program)


def real_rows(recipe: Recipe) -> tuple[list[Row], list[Row]]:
    """Rows to learn from and rows held out. No problem is on both sides: we measure skill, not memory."""
    rng = np.random.default_rng(recipe.seed)
    zipf = 1 / np.arange(1, len(OPERATIONS) + 1)  # as in life, a few operations are common and the rest are rare
    rows: list[Row] = []
    while len(rows) < recipe.rows:
        size = rng.integers(1, recipe.levels + 1)
        style = rng.choice(["a", "b"], p=[0.7, 0.3])
        program = style + "".join(rng.choice(list(OPERATIONS), size=size, p=zipf / zipf.sum()))
        digits = "".join(map(str, rng.integers(0, 10, 4)))
        rows.append(run(program, digits)[len(rows) % 2])
    problems = [row.problem for row in rows]
    shuffled = sorted(set(problems))
    random.Random(recipe.seed).shuffle(shuffled)
    chosen: list[str] = []
    for problem in shuffled:
        if len(chosen) + problems.count(problem) <= recipe.held_out:
            chosen += [problem] * problems.count(problem)
    return [row for row in rows if row.problem not in chosen], [row for row in rows if row.problem in chosen]


def generate(teacher: Model, recipe: Recipe, seed: int) -> tuple[list[Row], int]:
    """From nothing but a level, the model writes problems with answers. The number: how many failed to make sense."""
    rng = random.Random(seed)
    heads = [f"{BOS}{rng.randint(1, recipe.levels)}" for _ in range(recipe.proposals)]
    written = write(teacher, heads, temperature=1.0, seed=seed)
    read = [(row, re.fullmatch(f"([0-9])({PROGRAM}):[0-9]{{4}}", row.prompt)) for row in written if row]
    rows = [row for row, found in read if found and len(found[2]) - 1 == int(found[1]) <= recipe.levels]
    return rows, len(written) - len(rows)


def grade(rows: list[Row]) -> list[tuple[Row, Row]]:
    """Each row as it should have been: more than right or wrong, for a wrong row can be repaired with it."""
    return [run(*row.prompt[1:].split(":")) for row in rows]


def curate(rows: list[Row], truths: list[tuple[Row, Row]], known: list[Row], examination: list[Row]) -> tuple[list, int]:
    """The rows to keep, and the number rejected: those that are wrong, known already, or in the examination."""
    said, examined = set(known), {row.problem for row in examination}
    kept, rejected = [], 0
    for row, (right, turned) in zip(rows, truths, strict=True):
        rejected += row != right  # what it should have been is a new row, which must pass like any other
        if right in said or right.problem in examined:
            rejected += 1
        else:  # the model writes deductions only; turned round, the same problem teaches it to find programs
            kept += [right, turned]
        said.add(right)
    return kept, rejected


def mix(real: list[Row], synthetic: list[Row]) -> tuple[list[Row], list[float]]:
    """All rows with the chance of each to be drawn. Real rows never leave, and together keep a third of the draws."""
    share = max(1 / 3, len(real) / (len(real) + len(synthetic))) if synthetic else 1.0
    of_synthetic = (1 - share) / max(1, len(synthetic))
    return [*real, *synthetic], [share / len(real)] * len(real) + [of_synthetic] * len(synthetic)


def train(parent: Model, rows: list[Row], chances: list[float], recipe: Recipe, seed: int) -> Model:
    """A child of the parent that has learned to foretell each next character of the rows."""
    child, steps = copy.deepcopy(parent), recipe.steps
    matrices = [weight for weight in child.blocks.parameters() if weight.dim() == 2]
    others = [weight for weight in child.parameters() if not any(weight is matrix for matrix in matrices)]
    muon = torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1)  # gets far in few steps
    adam = torch.optim.AdamW(others, lr=0.003, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    tokens = child.encode([f"{BOS}{row.prompt}{SEP}{row.answer}{EOS}" for row in rows])
    generator, weights = torch.Generator().manual_seed(seed), torch.tensor(chances, dtype=torch.float64)
    draws = torch.multinomial(weights, steps * recipe.batch, replacement=True, generator=generator)
    for step, draw in enumerate(draws.view(steps, recipe.batch)):
        batch = tokens[draw, : (tokens[draw] != 0).sum(1).max()]
        child.zero_grad()
        for half in batch.chunk(2):  # two cores take a half each where selfsown runs; the sum is the same
            logits = child(half[:, :-1], {}).flatten(0, 1)
            loss = F.cross_entropy(logits, half[:, 1:].flatten(), ignore_index=0, reduction="sum")
            (loss / (batch[:, 1:] != 0).sum()).backward()
        speed = min(1.0, (step + 1) / 20, (steps - step) / (0.3 * steps))  # warm up, and slow down at the end
        for optimizer, rate in ((muon, 0.02), (adam, 0.003)):
            optimizer.param_groups[0]["lr"] = rate * speed
            optimizer.step()
    return child


def evaluate(model: Model, held_out: list[Row], recipe: Recipe) -> dict[str, float]:
    """The share of held-out real rows, by form, that the model gets right at its likeliest try."""
    hits: dict[str, list[bool]] = {"deduction": [], "induction": []}
    replies = write(model, [f"{BOS}{row.prompt}{SEP}" for row in held_out], temperature=0.0, seed=0)
    for row, reply in zip(held_out, replies, strict=True):
        form = "induction" if row.prompt[0] == "|" else "deduction"
        right = reply == row
        if form == "induction" and reply and re.fullmatch(PROGRAM, reply.answer):  # any program that does it is right
            right = len(reply.answer) - 1 <= recipe.levels and reply in run(reply.answer, row.prompt[1:5])
        hits[form].append(right)
    return {form: sum(each) / len(each) for form, each in hits.items()}


def guard(standing: list[Generation], accuracy: dict[str, float], held_out: list[Row], recipe: Recipe) -> bool:
    """Whether the generation stands: induction is not worse than at its best by more than chance explains."""
    best, now = max(each.accuracy["induction"] for each in standing), accuracy["induction"]
    n, zz = sum(row.prompt[0] == "|" for row in held_out), 1.959964**2  # Wilson's interval is honest near 0 and 1
    errors = [math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n) for p in (best, now)]
    return best - now <= recipe.errors * math.hypot(*errors)


# The model: GPT-2's architecture without biases, over characters. A row reads ^1at:1234=2341$, and _ fills up.

MARKS = PAD, BOS, SEP, EOS, UNKNOWN = tuple("_^=$?")


class Model(nn.Module):
    def __init__(self, rows: list[Row], recipe: Recipe) -> None:
        super().__init__()
        self.characters = [*MARKS, *sorted({character for row in rows for text in row for character in text})]
        longest = max(len(row.prompt + row.answer) for row in rows) + 3
        self.heads, self.context = recipe.heads, longest + longest // 4
        width, vocabulary = recipe.width, len(self.characters)
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(self.context, width)
        self.blocks = nn.ModuleList(nn.ModuleDict() for _ in range(recipe.layers))
        for block in self.blocks:
            block["before_attention"] = nn.LayerNorm(width, bias=False)
            block["attention_in"] = nn.Linear(width, 3 * width, bias=False)
            block["attention_out"] = nn.Linear(width, width, bias=False)
            block["before_feed"] = nn.LayerNorm(width, bias=False)
            block["feed_in"] = nn.Linear(width, 4 * width, bias=False)
            block["feed_out"] = nn.Linear(4 * width, width, bias=False)
        self.last, self.head = nn.LayerNorm(width, bias=False), nn.Linear(width, vocabulary, bias=False)
        generator = torch.Generator().manual_seed(recipe.luck(0, "student"))
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                deviation = 1.0 if name in ("tokens.weight", "positions.weight") else weight.shape[1] ** -0.5
                if name.endswith("_out.weight"):  # each block adds to x twice; the sum shall not grow with the depth
                    deviation /= math.sqrt(2 * recipe.layers)
                nn.init.normal_(weight, std=deviation, generator=generator)

    def forward(self, tokens: Tensor, memory: dict[int, Tensor], start: int = 0) -> Tensor:
        """The memory keeps each block's keys and values, so that a text that grows is not read anew each time."""
        batch, length = tokens.shape
        x = self.tokens(tokens) + self.positions.weight[start : start + length]
        for at, block in enumerate(self.blocks):
            qkv = block["attention_in"](block["before_attention"](x)).view(batch, length, 3, self.heads, -1)
            qkv = qkv.permute(2, 0, 3, 1, 4)
            memory[at] = torch.cat([memory[at], qkv[1:]], 3) if start else qkv[1:]
            y = F.scaled_dot_product_attention(qkv[0], *memory[at], is_causal=length > 1)
            x = x + block["attention_out"](y.transpose(1, 2).flatten(2))
            x = x + block["feed_out"](F.gelu(block["feed_in"](block["before_feed"](x)), approximate="tanh"))
        return self.head(self.last(x))

    def encode(self, texts: list[str]) -> Tensor:
        return torch.tensor([[self.characters.index(each) for each in text.ljust(self.context, PAD)] for text in texts])

    def decode(self, tokens: list[int]) -> Row | None:
        """None if the model came to no end or gave no answer. Where it wrote another mark, that is passed over."""
        text = "".join(self.characters[token] for token in tokens)
        parts = [re.sub(r"[_^=$?]", "", part) for part in text.split(SEP, 1)]
        return Row(*parts) if EOS in text and SEP in text else None


@torch.inference_mode()
def write(model: Model, heads: list[str], temperature: float, seed: int) -> list[Row | None]:
    """What the model makes of each head; 256 of about equal length at a time."""
    order = sorted(range(len(heads)), key=lambda at: len(heads[at]))
    found: dict[int, Row | None] = {}
    for chunk in (order[at : at + 256] for at in range(0, len(order), 256)):
        generator, memory = torch.Generator().manual_seed(seed + chunk[0]), {}
        tokens = model.encode([heads[at] for at in chunk])
        lengths, done, seen = (tokens != 0).sum(1), torch.zeros(len(chunk), dtype=torch.bool), 0
        for at in range(int(lengths[0]), model.context):
            logits, seen = model(tokens[:, seen:at], memory, seen)[:, -1], at
            new = torch.where(done, 0, draw(logits, temperature, generator))
            tokens[:, at] = torch.where(at < lengths, tokens[:, at], new)  # a longer head is followed to its end
            done |= (at >= lengths) & (new == MARKS.index(EOS))
        found |= zip(chunk, map(model.decode, tokens.tolist()), strict=True)
    return [found[at] for at in range(len(heads))]


def draw(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One token for each text, but never the filling; at temperature 0 the likeliest."""
    logits[:, 0] = -torch.inf
    if temperature == 0:
        return logits.argmax(-1)
    heights = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    marks = torch.rand(len(logits), 1, generator=generator, dtype=torch.float64) * heights[:, -1:]
    return torch.searchsorted(heights, marks, right=True).squeeze(1).clamp(max=logits.shape[1] - 1)


if __name__ == "__main__":
    main()
