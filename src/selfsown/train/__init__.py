"""Learning from a mixture of rows.

    train(mixture, parent, seed, tick, *, …) -> Model

The parent is left untouched. `tick(done, of)` may be called as it goes on.
"""
