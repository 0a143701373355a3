"""Learning from a mixture of rows.

    train(mixture, parent, seed, tick, teacher, *, …) -> Model

A function takes of these what it needs, by name. The parent is left untouched; where the recipe names no
teacher, it is the parent. `tick(done, of)` may be called as it goes on.
"""
