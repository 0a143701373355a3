"""A small model writes its own training data, checks it by running it, learns from it, and proves that it got better.

This is selfsown's whole loop on one page, without selfsown: the same recipe gives the same accuracies and weights, bit
for bit (tests/examples/test_loop_by_hand.py sees to it). Left out: a run folder that survives a kill, each row's story,
other worlds, models, graders and guards, levels that open one by one, a second core. To run it, in some ten seconds:

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
from torch import Tensor
from torch.nn import functional as F


class Recipe(NamedTuple):  # the constants of a run
    seed: int = 0
    rows: int = 600  # real rows: there are no more of them in the world
    held_out: int = 300  # of them, set aside to measure on
    levels: int = 1  # operations in the longest program
    generations: int = 2
    proposals: int = 500  # rows that the model tries to write in each generation
    steps: int = 100  # of training, in each generation
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
    validation: dict[str, float]
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
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # allows the quicker library, where there is one
    real, held_out = real_rows(recipe)
    first = train(Model([*real, *held_out], recipe), *mix(real, []), recipe, recipe.luck(0, "train"))
    halves = validation, _ = parted(held_out, recipe)
    history = [Generation([], 0, 0, first, *(evaluate(first, half, recipe) for half in halves), stands=True)]
    print(f"generation  made  kept  rejected  failed  deduction  induction\n{0:10}{history[0]}")
    for number in range(1, recipe.generations + 1):
        standing = [generation for generation in history if generation.stands]
        student = standing[-1].model  # its own teacher: there is no other
        past = [row for generation in standing for row in generation.kept]

        rows, failed = generate(student, recipe, recipe.luck(number, "generate", 0))
        kept, rejected = curate(grade(rows), [*real, *past], held_out)
        child = train(student, *mix(real, [*past, *kept]), recipe, recipe.luck(number, "train"))
        judged, reported = (evaluate(child, half, recipe) for half in halves)
        stands = guard(standing, judged, validation, recipe)
        history.append(Generation(kept, rejected, failed, child, judged, reported, stands))
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
    rows: dict[str, Row] = {}
    while len(rows) < recipe.rows:
        size = rng.integers(1, recipe.levels + 1)
        program = rng.choice(["a", "b"], p=[0.7, 0.3])
        program += "".join(rng.choice(list(OPERATIONS), size=size, p=zipf / zipf.sum()))
        row = run(program, "".join(map(str, rng.integers(0, 10, 4))))[len(rows) % 2]  # one way and the other by turns
        rows.setdefault(row.problem, row)
    problems = sorted(rows)
    random.Random(recipe.seed).shuffle(problems)
    chosen = set(problems[: recipe.held_out])
    sides = [[row for row in rows.values() if (row.problem in chosen) is side] for side in (False, True)]
    return sides[0], sides[1]


def parted(held_out: list[Row], recipe: Recipe) -> tuple[list[Row], list[Row]]:
    """Validation rows, by which the guard judges, and test rows, which decide nothing and are reported."""

    def order(row: Row) -> tuple[int, bool, bool, str, str]:
        induction = row.prompt[0] == "|"
        program = row.answer if induction else row.prompt[1:].split(":")[0]
        chance = hashlib.sha256(f"halves {recipe.seed} {row.problem}".encode()).hexdigest()
        return len(program) - 1, induction, not set("mhfp").isdisjoint(program[1:]), program[0], chance

    chosen = set(sorted(held_out, key=order)[1::2])  # alike in level, form, rareness and style: shared out by turns
    return [row for row in held_out if row in chosen], [row for row in held_out if row not in chosen]


def generate(teacher: Model, recipe: Recipe, seed: int) -> tuple[list[Row], int]:
    """From nothing but a level, the model writes problems with answers. The number: how many failed to make sense."""
    rng = random.Random(seed)
    heads = [f"{BOS}{rng.randint(1, recipe.levels)}" for _ in range(recipe.proposals)]
    written = write(teacher, heads, seed)
    read = [(row, re.fullmatch(f"([0-9])({PROGRAM}):[0-9]{{4}}", row.prompt)) for row in written if row]
    rows = [row for row, found in read if found and len(found[2]) - 1 == int(found[1]) <= recipe.levels]
    return rows, len(written) - len(rows)


def grade(rows: list[Row]) -> list[tuple[Row, ...]]:
    """Each row beside what it should have been. That is more than right or wrong: a wrong row can be repaired."""
    return [(row, *run(*row.prompt[1:].split(":"))) for row in rows]


def curate(graded: list[tuple[Row, ...]], known: list[Row], held_out: list[Row]) -> tuple[list[Row], int]:
    """The rows to keep, and the number rejected: those that are wrong, known already, or in the examination."""
    said, examined = set(known), {row.problem for row in held_out}
    kept, rejected = [], sum(row != right for row, right, _ in graded)
    for _, right, turned in graded:  # what a row should have been is a new row, which must pass like any other
        if right in said or right.problem in examined:
            rejected += 1
        else:  # the model writes deductions only; turned round, the same problem teaches it to find programs
            kept += [right, turned]
        said.add(right)
    return kept, rejected


def mix(real: list[Row], synthetic: list[Row]) -> tuple[list[Row], list[float]]:
    """All rows, and the chance of each to be drawn. Real rows never leave, and make at least a third of the draws."""
    share = max(1 / 3, len(real) / (len(real) + len(synthetic))) if synthetic else 1.0
    of_synthetic = (1 - share) / max(1, len(synthetic))
    return [*real, *synthetic], [share / len(real)] * len(real) + [of_synthetic] * len(synthetic)


def train(parent: Model, rows: list[Row], chances: list[float], recipe: Recipe, seed: int) -> Model:
    """A child of the parent that has learned to foretell each next character of the rows."""
    child, steps = copy.deepcopy(parent), recipe.steps
    momenta = [torch.zeros_like(matrix) for matrix in child.matrices]
    adam = torch.optim.AdamW(child.others, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    tokens = child.encode([f"{BOS}{row.prompt}{SEP}{row.answer}{EOS}" for row in rows])
    generator, weights = torch.Generator().manual_seed(seed), torch.tensor(chances, dtype=torch.float64)
    draws = torch.multinomial(weights, steps * recipe.batch, replacement=True, generator=generator)
    for step, draw in enumerate(draws.view(steps, recipe.batch)):
        batch = tokens[draw, : (tokens[draw] != 0).sum(1).max()]
        for weight in (*child.matrices, *child.others):
            weight.grad = None
        for half in batch.chunk(2):  # two cores take a half each where selfsown runs; the sum is the same
            logits = child(half[:, :-1], {}).flatten(0, 1)
            loss = F.cross_entropy(logits, half[:, 1:].flatten(), ignore_index=0, reduction="sum")
            (loss / (batch[:, 1:] != 0).sum()).backward()
        speed = min(1.0, (step + 1) / 20, (steps - step) / (0.3 * steps))  # warm up, and slow down at the end
        for matrix, momentum in zip(child.matrices, momenta, strict=True):
            momentum.lerp_(matrix.grad, 1 - 0.95)
            move = orthogonal(matrix.grad.lerp(momentum, 0.95)) * max(1.0, matrix.shape[1] / matrix.shape[2]) ** 0.5
            matrix.data.mul_(1 - 0.02 * speed * 0.1).sub_(move, alpha=0.02 * speed)
        adam.param_groups[0]["lr"] = 0.003 * speed
        adam.step()
    return child


def orthogonal(x: Tensor) -> Tensor:
    """Muon's idea: a step that goes as far in rare directions as in common ones, and so gets far in few steps."""
    if x.shape[1] > x.shape[2]:
        return orthogonal(x.mT).mT
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=1e-7)
    for _ in range(5):  # each brings all singular values nearer to one
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x


def evaluate(model: Model, held_out: list[Row], recipe: Recipe) -> dict[str, float]:
    """The share of held-out real rows, by form, that the model gets right at its likeliest try."""
    hits: dict[str, list[bool]] = {"deduction": [], "induction": []}
    replies = write(model, [f"{BOS}{row.prompt}{SEP}" for row in held_out], seed=None)
    for row, reply in zip(held_out, replies, strict=True):
        form, right = "induction" if row.prompt[0] == "|" else "deduction", reply == row
        if form == "induction" and reply and re.fullmatch(PROGRAM, reply.answer):  # any program that does it is right
            right = len(reply.answer) - 1 <= recipe.levels and reply == run(reply.answer, row.prompt[1:5])[1]
        hits[form].append(right)
    return {form: sum(each) / len(each) for form, each in hits.items()}


def guard(standing: list[Generation], accuracy: dict[str, float], held_out: list[Row], recipe: Recipe) -> bool:
    """Whether the generation stands: induction is not worse than at its best by more than chance explains."""
    best, now = max(each.validation["induction"] for each in standing), accuracy["induction"]
    n, zz = sum(row.prompt[0] == "|" for row in held_out), 1.959964**2  # Wilson's interval is honest near 0 and 1
    errors = [math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n) for p in (best, now)]
    return best - now <= recipe.errors * math.hypot(*errors)


# The model: GPT-2's architecture without biases, over characters. A row reads ^1at:1234=2341$, and _ fills up.
MARKS = PAD, BOS, SEP, EOS, UNKNOWN = tuple("_^=$?")


class Model:
    def __init__(self, rows: list[Row], recipe: Recipe) -> None:
        self.characters = [*MARKS, *sorted({character for row in rows for text in row for character in text})]
        longest = max(len(row.prompt + row.answer) for row in rows) + 3
        self.heads, self.context = recipe.heads, longest + longest // 4
        width, vocabulary, depth = recipe.width, len(self.characters), math.sqrt(2 * recipe.layers)
        dice = torch.Generator().manual_seed(recipe.luck(0, "student"))

        def drawn(rows: int, columns: int, shrunk: float = 1.0) -> Tensor:
            return torch.randn(rows, columns, generator=dice) * (columns**-0.5 / shrunk)

        embeddings, layers = [torch.randn(size, width, generator=dice) for size in (vocabulary, self.context)], []
        for _ in range(recipe.layers):  # what adds to x, twice a layer, starts smaller, or x would grow with the depth
            into, out = drawn(3 * width, width), drawn(width, width, depth)
            layers.append((into, out, drawn(4 * width, width), drawn(width, 4 * width, depth)))
        norms = [torch.ones(recipe.layers, width), torch.ones(recipe.layers, width), torch.ones(width)]
        self.matrices = [torch.stack(each).requires_grad_() for each in zip(*layers, strict=True)]  # all layers at once
        self.others = [each.requires_grad_() for each in (*embeddings, *norms, drawn(vocabulary, width))]

    def __call__(self, tokens: Tensor, memory: dict[int, Tensor], start: int = 0) -> Tensor:
        """The memory keeps each layer's keys and values, so that a text that grows is not read anew each time."""
        characters, positions, *norms, last, head = self.others
        end = start + tokens.shape[1]
        x = F.embedding(tokens, characters) + positions[start:end]
        future = torch.full((tokens.shape[1], end + -end % 16), -torch.inf).triu(start + 1)  # in whole vectors of 16
        for at, (into, out, up, down, first, second) in enumerate(zip(*self.matrices, *norms, strict=True)):
            qkv = F.linear(F.layer_norm(x, first.shape, first), into)
            qkv = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
            memory[at] = torch.cat([memory[at], qkv[1:]], 3) if start else qkv[1:]
            keys, values = F.pad(memory[at], (0, 0, 0, -end % 16))
            y = (qkv[0] * keys.shape[-1] ** -0.5 @ keys.mT + future).softmax(-1) @ values
            x = x + F.linear(y.transpose(1, 2).flatten(2), out)
            x = x + F.linear(F.gelu(F.linear(F.layer_norm(x, second.shape, second), up)), down)
        return F.linear(F.layer_norm(x, last.shape, last), head)

    def encode(self, texts: list[str]) -> Tensor:
        return torch.tensor([[self.characters.index(each) for each in text.ljust(self.context, PAD)] for text in texts])


@torch.inference_mode()
def write(model: Model, heads: list[str], seed: int | None) -> list[Row | None]:
    """What the model makes of each head, at random, or without a seed what is likeliest; None if it found no end."""
    order = sorted(range(len(heads)), key=lambda at: (len(heads[at]), heads[at]))
    found: dict[int, Row | None] = {}
    for chunk in (order[at : at + 256] for at in range(0, len(order), 256)):  # together, about equal lengths
        generator, memory = torch.Generator().manual_seed((seed or 0) + chunk[0]), {}
        tokens = model.encode([heads[at] for at in chunk])
        lengths, done, seen = (tokens != 0).sum(1), torch.zeros(len(chunk), dtype=torch.bool), 0
        for at in range(int(lengths[0]), model.context):
            logits, seen = model(tokens[:, seen:at], memory, seen)[:, -1], at
            logits[:, 0] = -torch.inf  # nobody writes the filling
            new = logits.argmax(-1)
            if seed is not None:
                heights = torch.softmax(logits.double(), -1).cumsum(-1)
                marks = torch.rand(len(chunk), 1, generator=generator, dtype=torch.float64) * heights[:, -1:]
                new = torch.searchsorted(heights, marks, right=True).squeeze(1)
            tokens[:, at] = torch.where(at < lengths, tokens[:, at], new.masked_fill(done, 0))  # never over a head
            done |= (at >= lengths) & (new == MARKS.index(EOS))
        for at, ids in zip(chunk, tokens.tolist(), strict=True):
            text = "".join(model.characters[token] for token in ids)
            parts = [re.sub("[_^=$?]", "", part) for part in text.split(SEP, 1)]  # marks in odd places are passed over
            found[at] = Row(*parts) if EOS in text and SEP in text else None
    return [found[at] for at in range(len(heads))]


if __name__ == "__main__":
    main()
