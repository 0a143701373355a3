"""Verifiable constraints on how to answer: what IFEval checks (Zhou et al. 2023, arXiv 2311.07911), and more kinds.

A kind (`kind.py`) has the sentences that pose it, a drawing of its parameters and one function that checks an answer.
A file holds a family of kinds; `kinds.py` lists all of them. `constraint.py` reads and writes the constraints of a row
as JSON, and `own_words.py` has the rules against gaming that all kinds share.

IFEval's constraint on the language of the answer is left out: recognising a language needs a trained model.
"""
