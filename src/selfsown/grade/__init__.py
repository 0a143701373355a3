"""Grading rows.

    grade(rows, judge, teacher, task, real, seed, *, …) -> Iterator[Grade]      one per row, in order

A method takes the inputs that it needs, by name. A grade names what it is based on (its evidence); a grader that knows
the right answer may add it as the grade's correction. A row that cannot be graded gets a grade with failed=True.
"""
