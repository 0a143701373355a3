"""A short attack on the graders before a run that optimises against them: such a run learns whatever they accept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from selfsown.attack.graders import quick_attack
from selfsown.intake import prepared_rows
from selfsown.recipe.recipe import Recipe

OPTIMISING = ("grpo", "dpo")
MAX_ROWS_READ = 200  # real rows, of which a few are attacked with
MAX_CHARS_SHOWN = 60


def weak_graders(recipe: Recipe) -> Iterator[str]:
    """One sentence for each grader that accepts a wrong answer, with an example, where an objective optimises against
    grades. Graders that ask a model are left out: that may cost money."""
    objectives = [step.method for step in recipe.train if step.method in OPTIMISING]
    if not objectives or not recipe.grade:
        return
    task = recipe.real()
    for grader in quick_attack(recipe, task, list(islice(prepared_rows(recipe, task), MAX_ROWS_READ))):
        if (worst := grader.worst_probe) and worst.example:
            answer, target = worst.example.answer[:MAX_CHARS_SHOWN], worst.example.target[-MAX_CHARS_SHOWN:]
            yield (
                f"{grader.name} accepts {answer!r} for {target!r}, though {worst.reason}: {objectives[0]} will learn "
                f"to say what passes; all of it: {recipe.command('attack')}"
            )
