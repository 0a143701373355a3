"""Selecting among graded rows.

    curate(rows, task, real, held_out, past, seed, *, …) -> Iterator[Row]

A method takes the inputs that it needs, by name. It yields every row that it is given: rows that it does not want are
rejected with a reason, which begins with the method's name. It may add rows of its own, which name the rows that they
are made from as parents.
"""
