"""Choosing among graded rows.

    curate(rows, task, real, held_out, past, seed, *, …) -> Iterator[Row]

A function takes of these what it needs, by name. Every row comes out again, the unwanted ones rejected
with the reason; a way may add rows of its own, which name the rows they came from as parents.
"""
