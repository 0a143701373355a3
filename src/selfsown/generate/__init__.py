"""Methods that make new rows.

    generate(rows, real, teacher, task, level, seed, *, …) -> Iterator[Row]

A function takes the inputs that it needs, by name. `rows` are the real rows to work on, perhaps a chunk of them; `real`
are all real rows. A method that makes rows from all of them has the option `count`, the number of rows to make. A reply
that cannot be used becomes a failed row with its reason, so that nothing that a model wrote is lost. Which model wrote
a row, by which method and in which generation is recorded by the engine.
"""
