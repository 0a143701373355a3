"""Learning from a mixture of rows.

    train(mixture, parent, seed, tick, teacher, grader, *, …) -> Model

A function takes of these what it needs, by name. The parent is left untouched; where the recipe names no
teacher, it is the parent. `grader(rows)` gives the rows back, graded by the recipe's graders. `tick(done, of)` may be
called as it goes on.
"""
