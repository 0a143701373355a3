"""Deciding whether a generation stands; one that any guard refuses is rolled back.

    guard(history, kept, real, task, goal, *, …) -> Verdict

The last of `history` is the generation under judgement, those before it have been judged; `kept` are the
rows it was trained on that are new; `goal` is the key of the score that the run is about.
"""
