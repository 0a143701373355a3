"""Making new rows.

    generate(rows, real, teacher, task, level, generation, seed, *, …) -> Iterator[Row]

A function takes of these what it needs, by name. rows are real rows to work on, perhaps a few at a time; real
are all of them, for who must see them together, and count is how many rows such a one shall make. What the teacher
said and could not be read comes out as a failed row with the reason: nothing that was written is lost.
"""
