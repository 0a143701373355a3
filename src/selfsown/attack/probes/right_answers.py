"""Right answers in other notations: those that a grader refuses are its false refusals."""

from __future__ import annotations

import json

from selfsown.attack.probes.probe import Make, Probe, template
from selfsown.attack.problem import Form, Problem, reference
from selfsown.text.final_answer import stated_answer
from selfsown.text.number_words import in_words

NUMBER: tuple[Form, ...] = ("number",)
TEXT: tuple[Form, ...] = ("text",)
OTHER: tuple[Form, ...] = ("text", "json", "code", "open", "constraints", "number")
MAX_IN_WORDS = 1_000_000
BARE = "the known answer"  # the name of the probe that changes nothing
ALONE = "the number alone"


def _grouped(problem: Problem) -> str | None:
    return f"{problem.integer:,}" if problem.integer is not None and abs(problem.integer) >= 1000 else None


def _in_words(problem: Problem) -> str | None:
    if problem.integer is None or abs(problem.integer) > MAX_IN_WORDS:
        return None
    return in_words(problem.integer)


def _if_integer(text: str) -> Make:
    make = template(text)
    return lambda problem: make(problem) if problem.integer is not None else None


def _in_solution(problem: Problem) -> str | None:
    """The known solution with this final answer; None where the known answer is the final answer alone."""
    final = stated_answer(problem.row.target)
    head, _, tail = problem.row.target.rpartition(final)
    return f"{head}{problem.right}{tail}" if head.strip() else None


NOTATIONS: dict[str, Make] = {
    "in the known solution": _in_solution,
    "in a box": template(r"\boxed{«right»}"),
    "in a sentence": template("The answer is «right»."),
    "marked": template("#### «right»"),
    "boxed in a sentence": template(r"Therefore, the answer is $\boxed{«right»}$."),
    "in bold": template("**«right»**"),
    "after steps": template("First we read the question.\nThen we calculate.\nThe answer is «right»."),
    "tagged": template("<answer>«right»</answer>"),
    "as JSON": template('{"answer": «right»}'),
}
PROBES = (
    Probe(BARE, BARE, "nothing is changed", lambda problem: problem.row.target or problem.row.answer or None, OTHER),
    Probe("form of the reply", ALONE, "the same answer", template("«right»"), NUMBER),
    *(Probe("form of the reply", name, "the same answer", make, NUMBER) for name, make in NOTATIONS.items()),
    *(
        Probe("notation", name, "the same number", make, NUMBER)
        for name, make in {
            "grouped": _grouped,
            "in words": _in_words,
            "with decimals": _if_integer("«right».00"),
            "as an equation": template("x = «right»"),
            "between spaces": template("  «right» \n"),
            "as LaTeX": template("$«right»$"),
        }.items()
    ),
    *(
        Probe("form of the reply", name, "the same answer", template(text), TEXT)
        for name, text in {
            "between spaces": "  «right» \n",
            "a full stop": "«right».",
            "in a sentence": "The answer is «right».",
            "in a box": r"\boxed{«right»}",
        }.items()
    ),
    Probe("form of the reply", "in a fence", "the same document", template("```json\n«right»\n```"), ("json",)),
    Probe(
        "form of the reply",
        "indented",
        "the same document",
        lambda problem: json.dumps(json.loads(problem.right), indent=2, ensure_ascii=False),
        ("json",),
    ),
    Probe(
        "form of the reply",
        "in a fence",
        "the same program",
        lambda problem: f"```python\n{reference(problem).rstrip()}\n```" if _fits_a_fence(problem) else None,
        ("code",),
    ),
)  # fmt: skip


def _fits_a_fence(problem: Problem) -> bool:
    return bool(problem.row.target) and not problem.keys.continues_prompt
