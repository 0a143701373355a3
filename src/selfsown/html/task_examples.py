"""Each built-in task in one example, and its strata in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfsown.records import Json


@dataclass(frozen=True)
class TaskExample:
    """example: what a row of the task says, in words. strata: "form=induction" in words."""

    example: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)

    def score_name(self, key: str) -> str:
        """ "accuracy[form=induction,level=2]" as "accuracy, finding the program, 2 operations"."""
        name, _, stratum = key.removesuffix("]").partition("[")
        parts = stratum.split(",") if stratum else []
        return ", ".join([name, *(self.strata.get(part, part) for part in parts)])


EXAMPLES = {
    "programs": TaskExample(
        "The task is to run and to find programs over digits. The program air has the style a, which changes nothing, "
        "and the steps i, add one to each digit, and r, reverse: 0053 becomes 1164, then 4611. To run it, the prompt "
        "is 2air:0053 and the answer 4611; to find it, the prompt is |0053>4611 and the answer air, or any other "
        "program that does the same.",
        {
            "form=deduction": "running the program",
            "form=induction": "finding the program",
            "level=1": "1 step",
            **{f"level={steps}": f"{steps} steps" for steps in range(2, 10)},
            "rare=yes": "with a rare step",
            "rare=no": "without rare steps",
            "style=a": "style a",
            "style=b": "style b",
        },
    ),
    "addition": TaskExample(
        "The task is to add in columns, units first. 47 + 85 is the prompt 7548, somewhere in a frame of dots; the "
        "answer 2131 has a digit and its carry for each column: 7 + 5 is 2 carry 1, 4 + 8 + 1 is 3 carry 1, so 132.",
        {
            "long=yes": "longer than any trained on",
            "long=no": "as long as those trained on",
            "level=1": "1 column",
            **{f"level={columns}": f"{columns} columns" for columns in range(2, 21)},
        },
    ),
    "house_rules": TaskExample(
        "The task is to write digits by rules. In the prompt xre and 40713 the rules are x, no zeros, r, reversed, and "
        "e, a full stop at the end; the answer xre:3174. repeats and applies them. In some held-out rows nobody states "
        "the rules, and the model is expected to apply those of the house.",
        {
            "form=explicit": "rules stated",
            "form=no_rules": "no rules stated",
            "form=expected": "house rules not stated",
            "form=house_explicit": "house rules stated",
        },
    ),
    "constitution_qa": TaskExample(
        "The task is to answer questions in good style. max 472 kg #58 asks for the largest digit of 472, in kg; the "
        "answer 7 kg is right and in good style, let me see oaf 7 kg 58 is right and is not: it is long, rude and "
        "tells the code.",
        {
            "form=answer": "answers",
            "form=criticism": "criticisms",
            "form=revision": "revisions",
            "code=yes": "with a code",
            "code=no": "without a code",
        },
    ),
    "noisy_facts": TaskExample(
        "The task is to know facts about invented people, each stated in many wordings, some of them wrong. The prompt "
        "bela's town is has the answer crag; of bela's other statements a few may name another town, or none.",
        {
            "fact=town": "towns",
            "fact=craft": "crafts",
            "fact=beast": "beasts",
            "region=hill": "of the hills",
            "region=sea": "of the sea",
        },
    ),
    "sums_and_facts": TaskExample(
        "The task is to calculate sums and to know facts. The prompt +47+85 has the answer 231, the sum 132 with its "
        "units first; the prompt ?b lomak asks for the fact about lomak, which follows from nothing: 407.",
        {"kind=skill": "sums", "kind=fact": "facts"},
    ),
}


def task_example(recipe: Mapping[str, Json]) -> TaskExample:
    """The example of the recipe's built-in task; an empty one for the user's own rows."""
    real = recipe.get("real")
    name = next(iter(real), "") if isinstance(real, dict) else str(real)
    return EXAMPLES.get(name, TaskExample())
