"""The split: every row on one side, no problem on both."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsown.holdout import MIN_ROWS, limit_rows, split, split_stream, validation_and_test
from selfsown.records import EVALUATION_ONLY, Row, SelfsownError


def rows(problems: list[int]) -> list[Row]:
    return [Row(f"{problem}?", str(at), sample_index=at) for at, problem in enumerate(problems)]


DIFFERENT = rows(list(range(100)))


@given(
    st.lists(st.integers(0, 40), min_size=40, max_size=120), st.floats(0.2, 0.8) | st.integers(10, 60), st.integers()
)
def test_no_problem_stands_on_both_sides_and_every_row_on_one(
    problems: list[int], held_out: int | float, seed: int
) -> None:
    given_rows = rows(problems)
    wanted = round(held_out * len(given_rows)) if held_out < 1 else int(held_out)
    try:
        learn, out = split(given_rows, held_out, seed, "test")
    except SelfsownError:
        return
    assert {row.key for row in learn}.isdisjoint({row.key for row in out})
    assert sorted([*learn, *out], key=lambda row: row.sample_index) == given_rows
    assert [row for row in given_rows if row in out] == out
    assert MIN_ROWS <= len(out) <= wanted
    assert len(learn) >= MIN_ROWS
    assert all(len(out) + count > wanted for count in Counter(row.key for row in learn).values())


@pytest.mark.parametrize(("held_out", "n"), [(10, 10), (30, 30), (90, 90), (0.1, 10), (0.255, 26), (0.9, 90)])
def test_different_problems_split_into_exactly_the_sizes_asked_for(held_out: int | float, n: int) -> None:
    learn, out = split(DIFFERENT, held_out, 0, "test")
    assert (len(learn), len(out)) == (100 - n, n)


def test_the_seed_decides_who_is_held_out() -> None:
    assert split(DIFFERENT, 30, 1, "test") == split(DIFFERENT, 30, 1, "test")
    assert split(DIFFERENT, 30, 1, "test")[1] != split(DIFFERENT, 30, 2, "test")[1]


def test_the_order_of_the_rows_decides_nothing() -> None:
    forwards, backwards = split(DIFFERENT, 30, 1, "test")[1], split(DIFFERENT[::-1], 30, 1, "test")[1]
    assert forwards == backwards[::-1]


@pytest.mark.parametrize(
    ("given_rows", "held_out"),
    [
        (DIFFERENT[:3], 0.1),
        (DIFFERENT[:3], 2),
        ([], 0.5),
        (DIFFERENT, 9),
        (DIFFERENT, 91),
        (DIFFERENT, 1000),
        (DIFFERENT, 0.001),
        (rows([0] * 100), 0.5),
    ],
)
def test_too_few_rows_on_a_side_are_explained(given_rows: list[Row], held_out: int | float) -> None:
    with pytest.raises(SelfsownError, match=f"names.txt has {len(given_rows)} rows.*{held_out}.*{MIN_ROWS} or more"):
        split(given_rows, held_out, 0, "names.txt")


@given(st.integers(MIN_ROWS, 50), st.integers(0, 50), st.integers())
def test_fewer_rows_to_learn_from_are_always_among_more(learn: int, more: int, seed: int) -> None:
    few, many = (limit_rows(DIFFERENT, n, seed, "test") for n in (learn, learn + more))
    assert (len(few), len(many)) == (learn, learn + more)
    assert {row.id for row in few} <= {row.id for row in many}
    assert [row for row in DIFFERENT if row in many] == many


def test_all_are_learned_from_unless_fewer_are_asked_for() -> None:
    assert limit_rows(DIFFERENT, 0, 1, "test") == DIFFERENT == limit_rows(DIFFERENT, 100, 1, "test")
    assert limit_rows(DIFFERENT, 30, 1, "test") != limit_rows(DIFFERENT, 30, 2, "test")


@pytest.mark.parametrize(("learn", "said"), [(101, "leaves 100 rows"), (MIN_ROWS - 1, f"{MIN_ROWS} or more")])
def test_more_to_learn_from_than_there_is_or_next_to_nothing_is_refused(learn: int, said: str) -> None:
    with pytest.raises(SelfsownError, match=f"max_train_rows is {learn}.*{said}"):
        limit_rows(DIFFERENT, learn, 0, "names.txt")


@given(st.lists(st.integers(0, 40), max_size=120), st.floats(0, 0.9) | st.integers(0, 60), st.integers())
def test_streamed_sides_hold_every_row_once_in_order_and_no_problem_twice(
    problems: list[int], held_out: int | float, seed: int
) -> None:
    given_rows = rows(problems)
    wanted = round(held_out * len(given_rows)) if held_out < 1 else int(held_out)
    try:
        found = list(split_stream(lambda: iter(given_rows), held_out, seed, "test"))
    except SelfsownError:
        return
    learn, out = ([row for aside, row in found if aside == side] for side in (False, True))
    assert [row for _, row in found] == given_rows
    assert {row.key for row in learn}.isdisjoint({row.key for row in out})
    assert len(out) <= wanted
    assert all(len(out) + count > wanted for count in Counter(row.key for row in learn).values())


@pytest.mark.parametrize(("held_out", "n"), [(0, 0), (0.0, 0), (1, 1), (30, 30), (99, 99), (0.1, 10), (0.255, 26)])
def test_streamed_sides_have_the_sizes_asked_for_and_the_seed_decides_alone(held_out: int | float, n: int) -> None:
    first, again, backwards, other = (
        {
            row.sample_index
            for aside, row in split_stream(lambda given_rows=given_rows: given_rows, held_out, seed, "test")
            if aside
        }
        for given_rows, seed in ((DIFFERENT, 1), (DIFFERENT, 1), (DIFFERENT[::-1], 1), (DIFFERENT, 2))
    )
    assert len(first) == len(other) == n
    assert first == again == backwards
    assert n in (0, 99) or first != other


@pytest.mark.parametrize(
    ("given_rows", "held_out", "left"),
    [(DIFFERENT, 100, 0), (DIFFERENT, 1000, 0), (DIFFERENT, 0.001, 100), (rows([0] * 100), 0.5, 100), ([], 0.1, 0)],
)
def test_an_empty_side_is_explained(given_rows: list[Row], held_out: int | float, left: int) -> None:
    with pytest.raises(SelfsownError, match=f"{len(given_rows)} rows, of which held_out: {held_out} .*leaves {left};"):
        list(split_stream(lambda: given_rows, held_out, 0, "names.txt"))


@pytest.mark.parametrize("later", [DIFFERENT[:99], [*DIFFERENT, *DIFFERENT[:1]], []])
def test_rows_that_change_between_the_two_readings_are_noticed(later: list[Row]) -> None:
    readings = iter((DIFFERENT, later))
    with pytest.raises(SelfsownError, match="changed while it was read"):
        list(split_stream(lambda: next(readings), 0.1, 0, "names.txt"))


@pytest.mark.parametrize("held_out", [10, 30, 60, 0.5])
def test_rows_for_examination_only_are_held_out_first_and_all_of_them(held_out: float) -> None:
    given_rows = [row.replace_fields(metadata=EVALUATION_ONLY) if row.sample_index < 30 else row for row in DIFFERENT]
    learn, out = split(given_rows, held_out, 0, "test")
    assert [row for row in out if row.sample_index < 30] == given_rows[:30]
    assert len(out) == max(30, held_out if held_out > 1 else 50)
    assert len(learn) + len(out) == 100
    for share in (0, held_out):
        apart = [row for held, row in split_stream(lambda: given_rows, share, 0, "test") if not held]
        assert not [row for row in apart if row.metadata]
        assert apart


PROBLEMS = st.lists(
    st.builds(
        lambda problem, level, style: (problem, level, style),
        st.integers(0, 30),
        st.integers(1, 3),
        st.sampled_from(["plain", "fancy"]),
    ),
    min_size=2,
    max_size=80,
)


def posed(given_problems: list[tuple[int, int, str]]) -> list[Row]:
    return [
        Row(f"What is {problem}?", str(at), sample_index=at, level=level, metadata={"style": style})
        for at, (problem, level, style) in enumerate(given_problems)
    ]


@given(PROBLEMS, st.integers())
def test_no_problem_stands_in_both_halves_and_every_row_in_one_in_the_order_given(
    given_problems: list[tuple[int, int, str]], seed: int
) -> None:
    held_out = posed(given_problems)
    keys = {row.key for row in held_out}
    if len(keys) < 2:
        with pytest.raises(SelfsownError, match="fewer than two different problems"):
            validation_and_test(held_out, seed)
        return
    validation, test = validation_and_test(held_out, seed)
    assert {row.key for row in validation}.isdisjoint({row.key for row in test})
    assert sorted([*validation, *test], key=lambda row: row.sample_index) == held_out
    for half in (validation, test):
        assert half
        assert half == sorted(half, key=lambda row: row.sample_index)
    assert abs(len({row.key for row in validation}) - len({row.key for row in test})) <= 1
    assert validation_and_test(held_out, seed) == (validation, test)


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from("abc")), min_size=2, max_size=60), st.integers())
def test_each_stratum_is_shared_out_to_within_one_problem(strata: list[tuple[int, str]], seed: int) -> None:
    held_out = posed([(at, level, style) for at, (level, style) in enumerate(strata)])
    counts = [
        Counter((row.level, row.metadata["style"]) for row in half) for half in validation_and_test(held_out, seed)
    ]
    for stratum in set(counts[0]) | set(counts[1]):
        assert abs(counts[0][stratum] - counts[1][stratum]) <= 1
    for name in {level for level, _ in strata}:  # and each level by itself to within one a style
        sizes = [sum(n for (level, _), n in each.items() if level == name) for each in counts]
        assert abs(sizes[0] - sizes[1]) <= 1


def test_the_seed_decides_the_halves_and_the_order_of_the_rows_decides_nothing() -> None:
    once, again, other = (
        validation_and_test(DIFFERENT, 1),
        validation_and_test(DIFFERENT, 1),
        validation_and_test(DIFFERENT, 2),
    )
    assert once == again
    assert once[0] != other[0]
    assert [len(half) for half in once] == [50, 50]
    assert [half[::-1] for half in validation_and_test(DIFFERENT[::-1], 1)] == list(once)


def test_a_row_more_moves_no_other_stratum() -> None:
    """What stands in a half is no matter of what other strata hold an even number of."""
    some = posed([(at, 1, "plain") for at in range(20)])
    more = [Row(f"More {at}?", "", sample_index=100 + at, level=3) for at in range(10)]
    assert {row.id for row in validation_and_test(some, 0)[0]} < {
        row.id for row in validation_and_test([*some, *more], 0)[0]
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 2+2?", "what  is 2+2?"),
        ("What is 2+2?", " What is 2+2? "),
        ("What is 2+2?", "What is\n2+2?"),
        ("What is 2+2?", "WHAT IS 2+2?"),
        ("Größe?", "GRÖSSE?"),
        ("ﬁnd x?", "find x?"),
    ],
)
def test_two_spellings_of_one_problem_stay_together(one: str, other: str) -> None:
    rows_of_it = [Row(one, "4", sample_index=1000), Row(other, "4", sample_index=1001)]
    for seed in range(20):
        validation, test = validation_and_test([*rows_of_it, *DIFFERENT[:30]], seed)
        assert sum(row.sample_index >= 1000 for row in validation) in (0, 2)
        assert sum(row.sample_index >= 1000 for row in test) in (0, 2)


@pytest.mark.parametrize("held_out", [[], rows([0]), rows([0] * 50), [Row("A?", "1"), Row("a?", "2")]])
def test_fewer_than_two_problems_are_one_line(held_out: list[Row]) -> None:
    with pytest.raises(SelfsownError, match=f"the {len(held_out)} held-out rows hold fewer than two") as said:
        validation_and_test(held_out, 0)
    assert "\n" not in str(said.value)


def test_a_row_for_training_only_is_never_held_out_unless_its_problem_must_be() -> None:
    rows = [Row(f"prompt {at}", "yes", metadata={"evaluation": "never"} if at < 30 else {}) for at in range(60)]
    rest, out = split(rows, 0.5, 1, "rows")
    assert len(out) == 30
    assert not any(row.metadata for row in out)
    assert {row.prompt for row in rows[:30]} <= {row.prompt for row in rest}
    twin = Row("prompt 3", "no", metadata={"evaluation": "only"})
    assert {row.answer for row in split([*rows, twin], 0.3, 1, "rows")[1] if row.prompt == "prompt 3"} == {"yes", "no"}
    assert not any(held and row.metadata for held, row in split_stream(lambda: rows, 0.5, 1, "rows"))
