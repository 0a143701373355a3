"""Preparing real rows, before any other stage.

    prepare(rows, *, …) -> Iterator[Row]

A method yields every row, in order: unchanged, changed, or rejected with a reason, which removes it from the run.
"""
