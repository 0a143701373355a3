"""The example of each built-in task is right, and what shipped recipes measure has a name in words."""

from __future__ import annotations

import pytest

from selfsown.html.task_examples import EXAMPLES, task_example
from selfsown.recipe.recipe import Recipe
from selfsown.recipe.steps import step

RECIPES = ("first", "guarded", "claude", "gpt", "gpt-spec", "grok", "llama", "palmyra", "phi", "spin", "star")


@pytest.mark.parametrize(
    ("task", "prompt", "answer"),
    [
        ("programs", "2air:0053", "4611"),
        ("programs", "|0053>4611", "air"),
        ("house_rules", "xre\n\n40713", "xre:3174."),
        ("constitution_qa", "max 472 kg #58", "7 kg"),
        ("noisy_facts", "bela's town is", "crag"),
        ("sums_and_facts", "+47+85", "231"),
    ],
)
def test_what_an_example_says_is_right(task: str, prompt: str, answer: str) -> None:
    words = EXAMPLES[task].example
    assert all(part in words for part in (*prompt.split("\n\n"), answer))
    built = step("tasks", task)()
    row = built.read(prompt, answer)
    assert built.check(row, answer).score == 1.0


@pytest.mark.parametrize("name", RECIPES)
def test_the_strata_of_shipped_recipes_have_names(name: str) -> None:
    recipe = Recipe.load(name, [])
    told = task_example(recipe.dump())
    assert told.example
    rows = list(recipe.real().pose(0))
    measured = [options for each in recipe.evaluate if each.method == "accuracy" for options in [each.options]]
    for options in measured:
        for names in options.get("by", ()):
            for part in names.split("+"):
                values = {str(row.level) if part == "level" else row.metadata.get(part) for row in rows} - {None}
                assert {f"{part}={value}" for value in values} <= set(told.strata), part


def test_a_stratum_without_a_name_stays_as_it_is() -> None:
    key = "accuracy[form=induction,shape=round]"
    assert task_example({"real": {"programs": {}}}).score_name(key) == "accuracy, finding the program, shape=round"
    assert task_example({"real": "rows.jsonl"}).score_name(key) == "accuracy, form=induction, shape=round"
