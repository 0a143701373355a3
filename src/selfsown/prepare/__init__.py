"""Preparing real rows, before anything else sees them.

    prepare(rows, *, …) -> Iterator[Row]

Every row comes out again, in order: as it was, changed, or rejected with the reason, which sets it aside.
"""
