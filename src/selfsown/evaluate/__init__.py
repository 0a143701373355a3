"""Methods that measure a model on held-out real rows, which no model is ever trained on.

    evaluate(model, held_out, task, seed, *, …) -> Iterator[Score]

A function takes the inputs that it needs, by name. The seed is the same in every generation.
"""
