"""Inputs are read from tests and prompts, varied, and kept within what a problem's own tests have in common."""

from __future__ import annotations

import random

import pytest

from selfsown.test_generation.calls import DEFAULT_TOLERANCE, calls_in, constants, function_under_test, tolerance
from selfsown.test_generation.domain import Domain
from selfsown.test_generation.runner import same
from selfsown.test_generation.selection import chosen
from selfsown.test_generation.variations import Variations
from selfsown.test_generation.wrong_programs import wrong_programs


def test_calls_with_literals_are_read_from_code_and_from_examples_in_prose() -> None:
    text = """
    >>> f(1, 'a)')  # a bracket in a text
    f([1, [2, (3,)]]) => 4, and f(n) or other.f(5) or g(6) are none
    assert f({'a': -1.5}) == f(\"it's\")
    """
    assert list(calls_in(text, "f")) == [[1, "a)"], [[1, [2, (3,)]]], [{"a": -1.5}], ["it's"]]


def test_the_function_under_test_is_the_entry_point_or_the_one_that_is_called() -> None:
    program = "def helper(x):\n    return x\n\ndef double(x):\n    return 2 * helper(x)\n"
    assert function_under_test(program, "assert double(2) == 4", "") == "double"
    assert function_under_test(program, "def check(f): assert f(2) == 2", "helper") == "helper"
    assert function_under_test(program, "assert other(2) == 4", "") == ""
    assert function_under_test(program, "assert double(2) == 4", "triple") == ""


def test_constants_leave_out_docstrings() -> None:
    assert constants('def f(x):\n    "Of 99."\n    return x % 10 == 3 or x == "aeiou"') == [3, "aeiou", 10]


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("assert f(0.5) == 1.5", DEFAULT_TOLERANCE),
        ("assert abs(f(0.5) - 1.5) < 1e-4", 1e-4),
        ("import math\nassert math.isclose(f(0.5), 1.5)", 1e-6),
        (">>> f(0.5)\n1.5", DEFAULT_TOLERANCE),
    ],
)
def test_the_tolerance_of_floats_is_that_of_the_tests(tests: str, expected: float) -> None:
    assert tolerance(tests) == expected


def test_values_are_the_same_within_the_tolerance_of_floats_alone() -> None:
    assert same([0.1 + 0.2, ("a", 1)], [0.3, ("a", 1)], 1e-9)
    assert same(1e9 + 0.1, 1e9, 1e-9)
    assert not same(1.001, 1.0, 1e-6)
    assert not same([1], (1,), 1.0)
    assert not same(10, 11, 1.0)
    assert not same("1.0", 1.0, 1.0)


class TestDomain:
    def test_numbers_stay_in_their_range(self) -> None:
        domain = Domain([[3], [7], [100]])
        assert [number for number in (-1, 0, 1, 2, 50, 110, 111, 2.5) if domain.holds([number])] == [2, 50, 110]
        assert Domain([[-3], [7]]).holds([-7])
        assert not Domain([[0], [7]]).holds([-1])

    def test_relations_between_arguments_stay(self) -> None:
        domain = Domain([[[1, 2, 3], 1], [[4, 5], 2], [[1], 0], [[5, 1, 2, 8], 3]])
        assert domain.holds([[9, 8], 2])
        assert not domain.holds([[9, 8], 3])  # more than there are items

    def test_order_and_distinctness_of_lists_stay(self) -> None:
        ordered = Domain([[[1, 2, 5]], [[2, 3]], [[0, 4, 6]], [[1, 9]]])
        assert ordered.holds([[3, 4, 5]])
        assert not ordered.holds([[4, 3]])
        assert not ordered.holds([[3, 3]])
        assert Domain([[[2, 1]], [[1, 1]], [[1, 3, 2]], [[2, 2]]]).holds([[3, 3, 1]])

    def test_texts_keep_their_characters_and_format(self) -> None:
        dates = Domain([["03-11-2000"], ["15-01-2012"], ["04-12-2003"], ["06-06-2005"]])
        assert dates.holds(["04-30-1999"])
        assert not dates.holds(["4-30-1999"])
        assert not dates.holds(["04/30/1999"])
        brackets = Domain([["(())"], ["()"], ["()(())"], ["((()))"]])
        assert brackets.holds(["(()())"])
        assert not brackets.holds(["(()"])

    def test_types_and_the_number_of_arguments_stay(self) -> None:
        domain = Domain([[1, "a"], [2, "b"]])
        assert not domain.holds([1])
        assert not domain.holds([True, "a"])
        assert not domain.holds([None, "a"])


def test_variations_keep_the_type_and_are_drawn_by_the_seed() -> None:
    calls = [[5, 0.5, "a 1 b", [1, 2], ("x", 3), {"k": 1}, True, None]]

    def drawn(seed: int) -> list[list[object]]:
        variations = Variations(calls, [10], random.Random(seed))
        return [variations.varied(calls) for _ in range(300)]

    made = drawn(0)
    assert made == drawn(0) != drawn(1)
    assert {tuple(map(type, arguments)) for arguments in made} == {tuple(map(type, calls[0]))}
    assert all(len({repr(arguments[index]) for arguments in made}) > 1 for index in range(7))
    assert calls == [[5, 0.5, "a 1 b", [1, 2], ("x", 3), {"k": 1}, True, None]]


def test_wrong_programs_differ_in_one_place() -> None:
    program = 'def f(x: int) -> int:\n    "Doc."\n    if x < 3 and x:\n        return x + 1\n    return max(x, 2)\n'
    made = wrong_programs(program, random.Random(0))
    assert len(made) == len(set(made))
    assert all("def f(x: int) -> int:" in text and "Doc." in text for text in made)
    changed = {line.strip() for text in made for line in text.splitlines()}
    assert {"if x <= 3 and x:", "if x < 3 or x:", "return x - 1", "return min(x, 2)", "return x"} <= changed


def test_few_tests_that_notice_much_are_chosen() -> None:
    noticed = {"one": [0, 2], "two": [1, 2], "three": [3]}
    inputs = [[0], [1], [2], [3], [4], [5]]
    assert chosen(noticed, "aabbcc", "uvwxyz", inputs, 2) == [2, 3]
    assert chosen(noticed, "aabbcc", "uvwxyz", inputs, 9) == [0, 1, 2, 3, 4, 5]
    assert chosen({}, "aabbcc", "uvwxyz", inputs, 3) == [0, 2, 4]
    assert chosen({}, [], [], [], 3) == []
