"""One final answer is read strictly: nothing that stands beside it talks a wrong one into a pass."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from realdata import real_data

from selfsown.grade.math_equal import grade
from selfsown.records import Row
from selfsown.text.final_answer import final_answers

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

# Neighbours of both.
MORE_WRONG_18 = [
    "18 is a lie", r"\boxed{18} is a lie", r"\boxed{18 is a lie}", "The answer is 18. Just kidding.",
    r"\boxed{18\pi}", r"\boxed{18}\pi", r"$\boxed{18}^2$", r"2\boxed{18}", r"$-\boxed{18}$", r"-\boxed{18}",
    r"\boxed{18}?", r"Is it \boxed{18}?", r"It is not \boxed{18}", "not #### 18", "#### 18?", "#### 18 or 19",
    "#### not 18", "#### 18\nWait, that is wrong.", "#### 17\n#### 18", r"\boxed{17}, \boxed{18}",
    r"\boxed{18 \text{ or so}}", r"\boxed{18 \lor 17}", r"\boxed{18 \text{ (wrong)}}",
    r"\boxed{\text{18 is the answer to another question}}", "18 = 17 + 2", "17 + 2 = 18", "2 * 8 = 18", "x - 1 = 18",
    "2x = 18", "x^2 = 18", r"\frac{x}{2} = 18", "-x = 18", r"\boxed{18 \cdot x}", r"\boxed{18 < x}",
    r"\boxed{x \leq 18}", r"\boxed{18 \neq 18}", r"\boxed{18 \to 19}", r"\boxed{18, 19}", r"\boxed{18; 19}",
    r"\boxed{18 / 19}", r"\boxed{18 : 19}", r"\boxed{18:1}", r"\boxed{[17, 18]}", r"\boxed{\ldots 18}",
    r"\boxed{18 \ldots}", r"\boxed{18_{9}}", r"\boxed{0x18}", r"\boxed{18'}", r"\boxed{18\text{ hundred}}",
    r"\boxed{18k}", r"\boxed{18 \bmod 5}", r"\boxed{\phantom{18}}", r"\boxed{\sqrt{18}}", r"\boxed{18^{1.0001}}",
    r"\boxed{18.0000001}", r"\boxed{18 + \epsilon}", r"\boxed{18 - 0.0000001}",
    r"\boxed{\text{half of } 36, \text{ or not}}", r"\boxed{1 8}", r"\boxed{18\,000}",
    r"\boxed{\text{between 17 and } 18}", r"\boxed{\text{at most } 18}", r"\boxed{\text{less than } 18}",
    r"\boxed{\text{unless it is } 18}", "The answer is 18 if you ignore tax.",
    "The answer would have been 18, but it is 17.", "I doubt that the answer is 18.",
    "It is false that the answer is 18.", "Nobody says the answer is 18.", "The answer isn't 18.",
    "The wrong answer is 18.", "A common wrong answer is 18", "The answer is anything but 18.",
    "The answer is anything except 18", "The answer is one less than 18", "The answer is 18, no, 17",
    "The answer is 18. No wait, 17.", "The answer is 17. The answer is 18.", "The answer is 18. The answer is 17.",
    "18 ist falsch", "18 est faux", "18 是错的", "18 不是答案", "18 incorrecto", "not eighteen", "eighteen or nineteen",
    "eighteen is wrong", "eighteen hundred", "seventeen (18)", "18 (seventeen)", "Eighteen (17)", "~18", "≈18",
    "≥ 18", "±18", ">= 18", "!= 18", "18 ± 1", "18 != 18", "18 == 17", "x := 17 = 18", "{17, 18}", "18i", "18e1",
    "18 dozen", "18 percent off 100 = 82", "99 problems, 18 is one", "The answer is the square of 18",
    "The answer is twice 18", "The answer is 18 squared", "The answer is 18 more", "The answer is 18 less than 40",
    "The answer is 18 times 2", "the answer is -18", "The answer is (18, 0)", "The answer is 18 to 20",
    "The answer is 18-20", "The answer is 18/2", "The answer is 18 over 2", "The answer is 18 choose 2",
    "The answer is 18 mod 7", "The answer is 18 and a half", "The answer is 18 thirds", "The answer is a third of 18",
    "The answer is log 18", "The answer is √18", "The answer is 18²", "The answer is 18⁄2", "The answer is ¬18",
    "The answer is 1８9", r"\boxed{\not= 18}", r"\boxed{\lnot 18}", r"\boxed{18 \lor \text{false}}",
    r"\boxed{18 \text{ false}}", r"\boxed{\text{false: }18}", r"\boxed{18\text{, never}}", r"\boxed{\binom{18}{2}}",
    r"\boxed{\begin{pmatrix}18\\19\end{pmatrix}}", r"\boxed{\begin{cases}18\\19\end{cases}}", r"\boxed{f(18)}",
    r"\boxed{18 \Rightarrow \text{wrong}}", r"\boxed{18 \mid 36}", r"\boxed{\overline{18}}", r"\boxed{18\ldots 5}",
    r"\boxed{18.\overline{3}}", r"\boxed{18.5}", r"<think>\boxed{18}</think>\boxed{17}", "<think>The answer is 18",
    r"thinking \boxed{18}</think>I don't know", r"\boxed{18", "boxed{18} is not it", "18\n17",
    "Answer: 18\nAnswer: 17", "**18** wrong", "18 wronger", "18 ≠ the answer", "18; the answer is 17",
    "The answer is 17; 18 is a trap",
]  # fmt: skip
MORE_RIGHT_18 = [
    "18 is the answer", "18 is correct.", "So 18 is the number of apples she sells.",
    "The answer is 18, as required.", r"\boxed{18}. I hope it is correct.",
    r"Thus, \boxed{18} dollars are made every day.", r"The total is $9 \times 2 = \boxed{18}$ dollars.",
    r"\[ \boxed{18} \]", "Answer: 18 dollars per day", r"The final answer is: $\boxed{18}$", "**Final Answer:** 18",
    "18 dollars/day", "18 apples were left over", "There are 18 students in the class.", "$18 per day", "USD 18",
    "18 USD", "18.00", "+18", "18 (eighteen)", "x = 9*2 = 18", "= 18", "Total: 18", "the answer is eighteen dollars",
    "Eighteen.", "Eighteen", "She makes eighteen dollars a day.", "#### 18\n\nI hope this helps!",
    "#### Step 1\nadd\n#### 18", "#### Answer\n18", "#### Answer: 18", "#### **18**", r"#### \boxed{18}",
    r"$$\boxed{18}$$", r"\begin{align*} x &= 9*2 \\ &= \boxed{18} \end{align*}", r"\boxed{18}\text{ dollars}",
    r"\boxed{18} \checkmark", r"\boxed{18 \text{ square units}}", r"\boxed{\$18}",
    r"\boxed{18 \text{ dollars per day}}", r"\boxed{\text{Janet makes } 18 \text{ dollars}}", r"\boxed{\text{18}}",
    r"\boxed{\mathbf{18}}", r"\fbox{18}", r"<think>\boxed{17}? no</think>\boxed{18}",
    r"maybe \boxed{17}</think>The answer is 18.", r"So \boxed{17}? No, wait. \boxed{18}",
    r"\boxed{17} is wrong, it should be \boxed{18}", r"\boxed{18} (that is, \boxed{18})", "18 €", "18 m",
    "The answer is: 18.", "The answer is **$18**.", "Janet makes **18 dollars** daily.", "Her total = 18",
    "The result is 18 eggs", "The answer is 18 because nothing else fits.", r"The answer is $\frac{36}{2} = 18$",
    "It would be 18.", "So the total would be 18", "We get 18",
]  # fmt: skip
MORE_WRONG = {
    "1/2": [
        r"\frac{1}{2} or \frac{1}{3}", "1/2 = 1/3", r"\frac12 x", "0.5001", "-1/2", "2", r"1\frac{1}{2}",
        "half of 1/2", "one half or one third", "50", "0.5 is too low", r"\neg \frac12",
    ],
    "(1,2]": [
        "[1,2]", "(1,2)", "(1,2", "1 < x < 2", "(1,2] is wrong", r"(1,2] \cup \{5\}", r"x \notin (1,2]", "(2,1]",
        r"\{1,2\}",
    ],
    "(1,2)": ["1<x<2", "(2,1)", r"\{1,2\}", "x=2,y=1", "1,2 or 2,1"],
    r"\{1,2\}": [r"\{1,2,3\}", "1 or 3", r"\{1\}", "1", r"\{1,2\} \setminus \{2\}", "x=1 or x=2 or x=3"],
    "50%": ["5", "49%", "50% or 60%", "0.05", "50% less than 80", "5000%"],
    "$5": ["5 cents", "€5", "$50", "$5 million", "5 €", "$-5"],
    "30 cm": ["30 m", "30 mm", "0.3 cm", "300 cm", "30 km", "30 kg", "3 m"],
    "x^2-1": [
        "x^2+1", "(x-1)(x+1) is wrong", "x^2", "y^2-1", r"x^2-1 \ge 0", "x^2-1=0", "(x-1)^2", r"x^2 - 1, x \ne 1",
    ],
    r"3 \times 10^8": ["3e7", r"3 \times 10^9", r"3 \times 10", "3 million", "30^8"],
    "x=5": ["y=5", "x=6", r"x \ne 5", "x = 4 or 5", "x>5", "x = 5 or x = 6"],
    "B": ["A", "not B", "B or C", "(A) or (B)", "AB", "B?"],
    "x<5": ["x>5", r"x\le 5", "5<x", "y<5", "5", "x<5 or x>7", r"[5,\infty)"],
    "even": ["odd", "not even", "uneven", "even or odd", "EVENT"],
    r"2\sqrt{3}": [r"2\sqrt{2}", r"2\sqrt{3} \approx 4.1", r"\sqrt{3}", "3.46", r"2\sqrt{3} or 4"],
    "3.46": [r"\approx 3.45", r"2\sqrt{3} \approx 3.5", "3.4", r"2\sqrt{2} \approx 3.46"],
    "x^2+y^2=4": ["4", "x+y=4", "x^2+y^2=5", "x^2-y^2=4", "x^2+y^2"],
    "1010_2": ["1010", "1010_3", "10"],
    r"\begin{pmatrix}1\\2\end{pmatrix}": [
        r"\begin{pmatrix}2\\1\end{pmatrix}", r"\begin{pmatrix}1&2\end{pmatrix}", "1,2", "(1,2)",
    ],
    "2,3": ["x=5=2, x=3", "1=2, 1=3", "2", "3", "2,3,4", "2 and 4", "(2,3]", "x=2"],
    "1/2004!": ["1/2006!"],
    "23": ["2**3"],
    "0": ["1/2006!", "0.0000001"],
    r"\infty": [r"-\infty"],
    "no solution": ["x=1"],
    "3:45": ["3:46"],
    "AB": ["BC"],
    "10": ["1010_2"],
}  # fmt: skip
MORE_RIGHT = {
    r"\frac{1}{2}": ["0.5", r"\dfrac{1}{2}"],
    "0.5": [r"\frac{1}{2}", r"50\%"],
    "1234": ["1,234"],
    "1,234": ["1234"],
    r"50\%": ["50"],
    r"x \in (1,2]": ["(1,2]"],
    "(1,2]": [r"x \in (1,2]", r"1 < x \le 2"],
    r"1 < x \le 2": ["(1,2]"],
    r"\text{(B)}": ["B", r"\text{B}"],
    "B": [r"\text{(B)}", "(B)"],
    r"2\sqrt{3}": [r"\sqrt{12}", r"2\sqrt3", r"2\sqrt{3} \approx 3.46"],
    r"(3, \frac{\pi}{2})": [r"\left(3, \frac{\pi}{2}\right)"],
    r"\begin{pmatrix}1&2\\3&4\end{pmatrix}": [r"\begin{bmatrix}1&2\\3&4\end{bmatrix}"],
    r"\begin{pmatrix} -2 \\ 5 \end{pmatrix}": [r"\begin{pmatrix}-2\\5\end{pmatrix}"],
    "x=2, x=3": ["2, 3"],
    "2,3": ["x = 2 or x = 3", r"x=2 \text{ or } x=3", r"2 \text{ and } 3"],
    r"\{2,3\}": ["2, 3"],
    r"1 \pm \sqrt{3}": [r"1+\sqrt{3}, 1-\sqrt{3}"],
    r"1+\sqrt{3}, 1-\sqrt{3}": [r"1 \pm \sqrt{3}"],
    "y=2x+3": ["y = 3+2x"],
    "2x+3": ["y=2x+3"],
    "x^2+y^2=4": ["y^2+x^2 = 4"],
    r"(-\infty,2)\cup(2,\infty)": [r"(-\infty, 2) \cup (2, \infty)"],
    r"\pi r^2": [r"r^2\pi"],
    r"\frac{\pi}{6}": [r"\pi/6"],
    r"\frac{3}{2}": ["1.5", r"1\frac{1}{2}"],
    "3+4i": ["4i+3"],
    r"\text{even}": ["even"],
    "Monday": [r"\text{Monday}"],
    "10^{-3}": ["0.001"],
    "5": [r"5 \text{ cm}^2", r"\$5.00", "five", r"\boxed{5}$ square units."],
    r"5 \text{ cm}": ["5"],
    r"5\text{ cm}": [r"5\,\text{cm}"],
    r"90^\circ": ["90"],
    "90": [r"90^{\circ}"],
    r"\$5": ["5"],
    "3.46": [r"2\sqrt{3} \approx 3.46"],
    r"\log_2 3": [r"\log_{2}(3)"],
    "n(n+1)/2": [r"\frac{n(n+1)}{2}"],
    "(x-1)(x+1)": ["x^2-1"],
    "1:2": ["1:2"],
    "3:45": ["3:45"],
    "9": ["3^2 = 9", r"\frac{18}{2} = 9", r"x = \frac{18}{2} = 9"],
    "4": ["f(2) = 4", "4 (four)"],
    "60": [r"\angle ABC = 60^\circ"],
    "-1/2": [r"-\frac12"],
    "70": ["C(8,4) = 70", r"\binom{8}{4}", r"\binom{8}{4} = 70"],
    "120": ["5!", "5! = 120"],
    "2^{10}": ["1024"],
    "0.1": ["1e-1"],
    "3x+1": [r"\boxed{3x+1}"],
    "21": ["twenty-one"],
    "105": ["one hundred and five"],
    r"\text{Thursday}": ["Thursday"],
    "x<5": ["x < 5", "5 > x", r"(-\infty, 5)"],
    r"(-\infty, 5)": ["x<5"],
    "[0,1)": ["[0,1)"],
    r"\emptyset": [r"\emptyset"],
    r"6\pi": [r"6\pi \text{ cm}"],
    r"\frac{9}{4}\text{ hours}": ["2.25"],
    "x^3+3x-6": ["x^3+3x-6"],
    "p - q": ["p-q"],
    "28": ["$7 x 4 = 28$", "7 × 4 = 28 apples"],
    "-3": ["x=-3"],
    "(2,3)": ["x=2, y=3"],
    r"5\sqrt{2} + 5": [r"5+5\sqrt2"],
    "f(x)=x+1": ["f(x) = 1+x"],
    "1": [r"\sin^2 x + \cos^2 x"],
    "3, 5, 7": [r"\{3,5,7\}", "7, 5, 3"],
    "10": [r"\text{10 cm}", r"\mathbf{10}"],
    "5/6": ["5/6 hours"],
    "1/4": [r"\frac{1}{4} = 0.25", "0.25 = 25%", "1/4 or 0.25"],
}  # fmt: skip


Pairs = list[tuple[str, str]]
WRONG_ONES = [*(("18", said) for said in WRONG_18), *WRONG]
RIGHT_ONES = [*(("18", said) for said in RIGHT_18), *RIGHT]
MORE_WRONG_ONES = [("18", said) for said in MORE_WRONG_18]
MORE_WRONG_ONES += [(known, said) for known, some in MORE_WRONG.items() for said in some]
MORE_RIGHT_ONES = [("18", said) for said in MORE_RIGHT_18]
MORE_RIGHT_ONES += [(known, said) for known, some in MORE_RIGHT.items() for said in some]


def missed(pairs: Pairs, score: float) -> Pairs:
    """Known answers and answers that do not get this score."""
    grades = grade([Row("q", said, target=known) for known, said in pairs])
    return [pair for pair, found in zip(pairs, grades, strict=True) if found.score != score]


@pytest.fixture(scope="module")
def passing() -> set[tuple[str, str]]:
    """Of all these the ones that pass: math-verify takes long to start, so all are graded at once."""
    pairs = [*WRONG_ONES, *RIGHT_ONES, *MORE_WRONG_ONES, *MORE_RIGHT_ONES]
    return set(pairs) - set(missed(pairs, 1.0))


def test_of_28_wrong_answers_none_passes_and_of_14_right_ones_none_fails(passing: set[tuple[str, str]]) -> None:
    assert (len(WRONG_ONES), len(RIGHT_ONES)) == (28, 14)
    assert [pair for pair in WRONG_ONES if pair in passing] == []
    assert [pair for pair in RIGHT_ONES if pair not in passing] == []


def test_nor_does_any_neighbour_of_theirs(passing: set[tuple[str, str]]) -> None:
    assert [pair for pair in MORE_WRONG_ONES if pair in passing] == []


def test_what_honest_solvers_write_passes(passing: set[tuple[str, str]]) -> None:
    assert [pair for pair in MORE_RIGHT_ONES if pair not in passing] == []


def test_real_solutions_pass_with_their_own_answer_and_with_no_other() -> None:
    lines = real_data("gsm8k_test.jsonl").read_text(encoding="utf-8").splitlines()[:400]
    answers = [json.loads(line)["answer"] for line in lines]
    assert missed([(answer, answer) for answer in answers], 1.0) == []
    others = [(answers[(at * 7 + 1) % len(answers)], answer) for at, answer in enumerate(answers)]
    number = {answer: answer.rpartition("####")[2].replace(",", "").strip() for answer in answers}
    assert missed([(a, b) for a, b in others if number[a] != number[b]], 0.0) == []


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_a_number_passes_beside_nothing_but_itself(known: int, apart: int) -> None:
    other = known + apart
    said = [rf"\boxed{{{known}}}", f"#### {known}", f"The answer is {known}.", f"{known} apples"]
    assert missed([(str(known), each) for each in said], 1.0) == []
    said = [rf"\boxed{{{other}}} \boxed{{{known}}}", f"#### {other}\n#### {known}", f"#### {known} or {other}"]
    said += [f"The answer is {other}. The answer is {known}.", f"{known}? No, {other}", rf"\boxed{{{known}}}?"]
    assert all(final_answers(each)[0] != [str(known)] for each in said)


@pytest.mark.parametrize(
    "part", ["\\boxed{", "\\boxed{1}", "#### 1\n", "{", "answer is ", "one ", "x = ", "1 = ", "- ", "(("]
)
def test_an_answer_that_repeats_itself_takes_no_time(part: str) -> None:
    began = time.process_time()
    list(grade([Row("q", part * 3000, target="1")]))
    assert time.process_time() - began < 2
