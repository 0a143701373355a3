"""One final answer is read strictly: nothing that stands beside it talks a wrong one into a pass."""

from __future__ import annotations

from selfsown.grade.maths import grade
from selfsown.records import Row

# Written without a look at the grader; the known answer is 18.
WRONG_18 = [
    r"The answer is not 18.", r"\boxed{18 or 19}", r"\boxed{>18}", r"\boxed{18}. Wait, that is wrong: \boxed{17}",
    r"18 would be the answer if there were no tax; it is 17.", r"\boxed{18!}", r"\boxed{18 \pm 1}",
    r"\boxed{\{17, 18\}}", r"\boxed{(18, 19)}", r"\boxed{18^2}", r"\boxed{\text{none of 18}}", r"\boxed{18i}",
    r"\boxed{\text{nearly } 18}", r"\boxed{18 \text{ million}}",
]  # fmt: skip
RIGHT_18 = [
    r"\boxed{18}", "So she makes 9 * 2 = $18 a day.\n#### 18", r"\boxed{\frac{36}{2}}", "The answer is **18**.",
    r"\boxed{x = 18}", r"\boxed{18\text{ apples}}", r"Janet earns eighteen dollars, so the answer is \(18\).",
]  # fmt: skip
# Written after a look at the grader, before it was changed: known answer, answer.
WRONG = [
    ("1/2", r"\boxed{\frac{1}{2} \text{ is incorrect}}"), ("(1,2]", r"\boxed{(1,2] \text{ or } (3,4]}"),
    (r"\{1,2\}", r"\boxed{x \notin \{1,2\}}"), (r"60\%", r"\boxed{50\% = 60\%}"),
    (r"\$1,234", r"\boxed{\$1,234 \text{ too high}}"), ("even", r"\boxed{\text{odd or even}}"),
    ("-5", r"\boxed{x \neq -5}"), ("x^2+1", r"\boxed{x^2-1 = x^2+1}"),
    (r"3 \times 10^8", r"\boxed{3 \times 10^8 \text{ false}}"), ("x^2+1", r"\boxed{x^2+1 > 0}"),
    (r"2\sqrt{3}", r"\boxed{\approx 2\sqrt{3}}"), ("13", r"\boxed{12} or \boxed{13}"),
    ("7", r"\boxed{7}. Correction: the answer is 8."), ("30 cm", r"\boxed{30 \text{ m}}"),
]  # fmt: skip
RIGHT = [
    ("1/2", "The probability is one half."), ("-12", "negative twelve"), ("(1,2]", r"\boxed{x \in (1, 2]}"),
    ("12", "Twelve (12)"), (r"\infty", "∞"), ("1/2", "1/2 of the cake"),
    ("18", r"\boxed{18} is in the \boxed{} as asked"),
]  # fmt: skip


def missed(pairs: list[tuple[str, str]], score: float) -> list[tuple[str, str]]:
    """Known answers and answers that do not get this score."""
    grades = grade([Row("q", said, target=known) for known, said in pairs])
    return [pair for pair, found in zip(pairs, grades, strict=True) if found.score != score]


def test_of_28_wrong_answers_none_passes_and_of_14_right_ones_at_most_one_fails() -> None:
    assert missed([*(("18", said) for said in WRONG_18), *WRONG], 0.0) == []
    assert len(missed([*(("18", said) for said in RIGHT_18), *RIGHT], 1.0)) <= 1
