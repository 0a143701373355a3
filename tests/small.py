"""The two ready recipes, small enough for tests: seconds instead of minutes. They run without their control."""

from __future__ import annotations

from pathlib import Path

FIRST = (
    "real.programs.rows=600",
    "real.programs.levels=1",
    "held_out=300",
    "student.tiny.layers=2",
    "student.tiny.width=32",
    "base_train.sft.steps=60",
    "base_train.sft.batch_size=32",
    "generations=3",
    "generate.propose.count=400",
    "train.sft.steps=40",
    "train.sft.batch_size=32",
    "evaluate.diversity.count=200",
    "evaluate.pass_at_k.prompts=40",
    "control=false",
)
# On top of FIRST, for tests of files and processes: nothing is learned.
TINIEST = (
    "real.programs.rows=120",
    "held_out=60",
    "student.tiny.layers=1",
    "student.tiny.width=16",
    "base_train.sft.steps=2",
    "generate.propose.count=20",
    "train.sft.steps=2",
    "generations=1",
)
NAMES = (
    "held_out=200",
    "student.tiny.layers=2",
    "student.tiny.width=32",
    "base_train.sft.steps=80",
    "base_train.sft.batch_size=64",
    "generations=3",
    "generate.propose.count=400",
    "train.sft.steps=40",
    "train.sft.batch_size=64",
    "control=false",
)

SYLLABLES = (
    "an",
    "bel",
    "cor",
    "da",
    "el",
    "fi",
    "gre",
    "ha",
    "is",
    "jo",
    "ka",
    "lin",
    "mar",
    "no",
    "ri",
    "sa",
    "to",
    "vi",
)


def names(folder: Path) -> Path:
    """A file of 1,000 made-up names."""
    made = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
    file = folder / "names.txt"
    file.write_text("\n".join(made[:: len(made) // 1000][:1000]) + "\n", encoding="utf-8")
    return file
