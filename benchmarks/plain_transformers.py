"""The recipe `first` with the usual libraries: transformers, AdamW and `generate()`.

The task, the grader, the curation and the mixture are those of selfsown: they cost both sides the same. Run as a
program, it does the whole job and prints the accuracies:

    python -m benchmarks.plain_transformers --generations 6 --learning-rate 0.005 --seed 0
"""

from __future__ import annotations

import argparse
import json
import math
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, WeightedRandomSampler
from transformers import AutoTokenizer, GPT2LMHeadModel
from transformers.trainer_callback import PrinterCallback
from transformers.utils.logging import disable_progress_bar, set_verbosity_error
from trl import SFTConfig, SFTTrainer

from selfsown.holdout import split
from selfsown.models.tiny.model import Tiny
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture, Row

BATCH_SIZE = 256  # texts that generate() writes at once
WARM_UP_STEPS, DECAY_SHARE = 20, 0.3  # of the learning rate schedule
WEIGHT_DECAY, BETAS = 0.1, (0.9, 0.95)
LEARNING_RATE = 0.005  # AdamW's best for the whole job, see docs/engine.md
disable_progress_bar()
set_verbosity_error()
disable_progress_bars()


class PlainModel:
    """A GPT-2 of transformers and its tokenizer, with the weights of a tiny model."""

    def __init__(self, tiny: Tiny) -> None:
        with tempfile.TemporaryDirectory() as folder:
            tiny.save(Path(folder))
            self.model = GPT2LMHeadModel.from_pretrained(folder)
            self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def encode(self, rows: Iterable[Row]) -> list[list[int]]:
        """Each row as tokens, with its special tokens."""
        texts = [f"<bos>{row.prompt}<sep>{row.answer}<eos>" for row in rows]
        return self.tokenizer(texts)["input_ids"]  # type: ignore[no-any-return]

    def learn(self, mixture: Mixture, seed: int, *, steps: int, batch_size: int, learning_rate: float) -> None:
        """A plain training loop."""
        rows = [torch.tensor(text) for text in self.encode(mixture.rows)]
        generator = torch.Generator().manual_seed(seed)
        sampler = WeightedRandomSampler(mixture.weights.tolist(), steps * batch_size, generator=generator)
        loader: DataLoader[Any] = DataLoader(rows, batch_size, sampler=sampler, collate_fn=collate)  # type: ignore[arg-type]
        weights = self.model.parameters()
        optimizer = torch.optim.AdamW(weights, learning_rate, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / WARM_UP_STEPS, (steps - step) / (DECAY_SHARE * steps))
        )
        self.model.train()
        for batch in loader:
            self.model(**batch, use_cache=False).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()

    def trainer(
        self, mixture: Mixture, seed: int, folder: str, *, steps: int, batch_size: int, learning_rate: float
    ) -> SFTTrainer:
        """TRL's trainer, ready to start, with the same rows in the same order as `learn` draws them."""
        generator = torch.Generator().manual_seed(seed)
        draws = torch.multinomial(torch.from_numpy(mixture.weights), steps * batch_size, True, generator=generator)
        texts = self.encode(mixture.rows)
        config = SFTConfig(
            folder,
            per_device_train_batch_size=batch_size,
            max_steps=steps,
            learning_rate=learning_rate,
            adam_beta1=BETAS[0],
            adam_beta2=BETAS[1],
            weight_decay=WEIGHT_DECAY,
            lr_scheduler_type="warmup_stable_decay",
            lr_scheduler_kwargs={"num_decay_steps": round(DECAY_SHARE * steps), "decay_type": "linear"},
            warmup_steps=WARM_UP_STEPS,
            train_sampling_strategy="sequential",
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,  # on by default, and slower
            pad_to_multiple_of=None,
            dataloader_pin_memory=False,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        rows = Dataset.from_dict({"input_ids": [texts[at] for at in draws.tolist()]})
        trainer = SFTTrainer(self.model, config, train_dataset=rows, processing_class=self.tokenizer)
        trainer.remove_callback(PrinterCallback)
        return trainer

    @torch.inference_mode()
    def write(self, heads: Sequence[str], *, draw: bool) -> list[list[int]]:
        """The new tokens after each head, up to and with `<eos>`; drawn at random, or the likeliest.

        Heads of one length go together, so that none needs filling up.
        """
        self.model.eval()
        encoded = self.tokenizer(list(heads))["input_ids"]
        lengths: dict[int, list[int]] = defaultdict(list)
        for at, head in enumerate(encoded):
            lengths[len(head)].append(at)
        written: list[list[int]] = [[] for _ in heads]
        how: dict[str, Any] = {"do_sample": True, "top_k": 0} if draw else {"do_sample": False}
        for length, places in lengths.items():
            for chunk in (places[at : at + BATCH_SIZE] for at in range(0, len(places), BATCH_SIZE)):
                given = torch.tensor([encoded[at] for at in chunk])
                room, mask = self.model.config.n_positions, torch.ones_like(given)
                found = self.model.generate(given, attention_mask=mask, max_length=room, use_cache=True, **how)
                for at, text in zip(chunk, found[:, length:].tolist(), strict=True):
                    written[at] = self._ended(text)
        return written

    def _ended(self, text: list[int]) -> list[int]:
        end = self.tokenizer.eos_token_id
        return text[: text.index(end) + 1] if end in text else text

    @torch.inference_mode()
    def bits(self, rows: Sequence[Row]) -> float:
        """Bits per character, the end counted as one, as `selfsown.evaluate.loss` measures them."""
        self.model.eval()
        texts = sorted(self.encode(rows), key=len)
        nats = 0.0
        for at in range(0, len(texts), BATCH_SIZE):
            batch = collate([torch.tensor(text) for text in texts[at : at + BATCH_SIZE]])
            nats += float(self.model(**batch).loss) * int((batch["labels"][:, 1:] != -100).sum())
        return nats / math.log(2) / sum(len(text) - 2 for text in texts)  # without <bos> and <sep>


def collate(rows: list[Tensor]) -> dict[str, Tensor]:
    """One batch, padded at the right to its longest row."""
    tokens, mask = (pad_sequence(each, batch_first=True) for each in (rows, [torch.ones_like(row) for row in rows]))
    return {"input_ids": tokens, "attention_mask": mask, "labels": tokens.masked_fill(mask == 0, -100)}


class Job:
    """The loop over generations."""

    def __init__(self, recipe: Recipe, learning_rate: float) -> None:
        self.recipe, self.learning_rate, self.task = recipe, learning_rate, recipe.real()
        posed = list(self.task.pose(recipe.seed))
        self.real, self.held_out = split(posed, recipe.held_out, recipe.seed, self.task.name)
        torch.manual_seed(recipe.seed)
        self.student = PlainModel(recipe.student(rows=self.real, seed=recipe.seed))

    def run(self) -> dict[str, float]:
        """The accuracies after the last generation, by form."""
        recipe, kept = self.recipe, list[Row]()
        self.learn((recipe.base_train or recipe.train[0]).options, [], 0)
        for number in range(1, recipe.generations + 1):
            kept += self.made(number, kept)
            self.learn(recipe.train[0].options, kept, number)
        return self.accuracy()

    def learn(self, options: Any, synthetic: list[Row], number: int) -> None:
        mixture = self.recipe.mix(real=self.real, synthetic=synthetic)
        self.student.learn(
            mixture, number, steps=options["steps"], batch_size=options["batch_size"], learning_rate=self.learning_rate
        )

    def made(self, number: int, past: list[Row]) -> list[Row]:
        """The rows of one generation that are kept."""
        (propose,) = self.recipe.generate
        rng = random.Random(f"{self.recipe.seed} {number}")
        openings = [self.task.opening(rng.randint(1, self.task.top_level)) for _ in range(propose.options["count"])]
        written = self.student.write([f"<bos>{opening}" for opening in openings], draw=True)
        texts = self.student.tokenizer.batch_decode(written)
        rows = []
        for draw, (opening, text) in enumerate(zip(openings, texts, strict=True)):
            prompt, _, answer = f"{opening}{text}".removesuffix("<eos>").partition("<sep>")
            read = self.task.read(prompt, answer) if text.endswith("<eos>") else "no end"
            if isinstance(read, Row):
                rows.append(replace(read, generation=number, sample_index=draw))
        roles = {"task": self.task, "real": self.real, "held_out": self.held_out, "past": past}
        for step in self.recipe.grade:
            grades = list(step(rows=rows, **roles))
            rows = [row.graded(grade) for row, grade in zip(rows, grades, strict=True)]
        for step in self.recipe.curate:
            rows = [row for row in list(step(rows=rows, **roles)) if not row.status]
        return rows

    def accuracy(self) -> dict[str, float]:
        """Greedy accuracy on held-out rows, by form."""
        written = self.student.write([f"<bos>{row.prompt}<sep>" for row in self.held_out], draw=False)
        right: dict[str, list[bool]] = defaultdict(list)
        for row, text in zip(self.held_out, self.student.tokenizer.batch_decode(written), strict=True):
            good = text.endswith("<eos>") and self.task.check(row, text.removesuffix("<eos>")).score >= 0.5
            right[row.metadata["form"]].append(good)
        return {form: sum(hits) / len(hits) for form, hits in sorted(right.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    recipe = Recipe.load("first", [f"generations={args.generations}", f"seed={args.seed}"])
    print(json.dumps(Job(recipe, args.learning_rate).run()))


if __name__ == "__main__":
    main()
