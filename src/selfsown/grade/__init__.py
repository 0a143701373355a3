"""Judging rows.

    grade(rows, judge, teacher, task, real, seed, *, …) -> Iterator[Grade]      one per row, in order

A function takes of these what it needs, by name. A grade says what it rests on (its trust); a grader
that knows what would have been right puts it into the grade's repair.
"""
