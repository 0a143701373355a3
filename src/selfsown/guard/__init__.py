"""Deciding whether a generation stands; one that any guard refuses is rolled back.

    guard(history, made, kept, real, task, goal, *, …) -> Verdict

The last of `history` is the generation under judgement, those before it have been judged; `made` are its
rows with their ends, `kept` those that it was trained on; `goal` is the key of the score that the run is about.
"""
