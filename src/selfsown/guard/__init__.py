"""Deciding whether a generation is accepted; one that any guard rejects is rolled back.

    guard(history, made, kept, real, task, goal, *, …) -> Verdict

The last of `history` is the generation to judge; those before it have been judged. `made` are all of its rows with
their status, `kept` those that it was trained on; `goal` is the key of the run's main score.
"""
