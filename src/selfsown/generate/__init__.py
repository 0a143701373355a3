"""Making new rows.

    generate(real, teacher, task, level, generation, seed, *, …) -> Iterator[Row]

A function takes of these what it needs, by name. What the teacher said and could not be read comes out
as a failed row with the reason: nothing that was written is lost.
"""
