"""What a user says to `selfsown plan`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Wish:
    """Amounts as people write them; shares and ratios as numbers.

    Parameters
    ----------
    parameters
        How many parameters the model has: 1.4B.
    tokens
        How many real tokens there are: 32k, 25B, 1.5T.
    text
        In a file of real rows, the column of a document; the usual names are known.
    prompt
        The column of a question.
    answer
        The column of its answer.
    characters
        How many characters of the file are a token.
    target
        How many new real tokens it shall be worth: 100B. Or say --loss.
    loss
        The held-out loss that is wanted, in nats a token.
    kind
        One kind of synthetic data to look at: rephrased, verified, textbook or unverified; all by default.
    worth
        What a token of that kind was worth in your own measurement, at least and at best.
    floor
        The least share of real tokens among those seen.
    price
        Dollars for a million synthetic tokens made.
    let_through
        The share of them that your graders let through.
    temperature
        At which rows are written.
    odds
        How many times as often the verifier passes the most common value of an attribute as others.
    share
        That value's share among the real rows.
    wrong_to_right
        How often the verifier passes a wrong row, against a right one.
    error
        The share of what it knows that the model loses in each generation.
    accuracy
        The share of right answers that the model must not come to rest below.
    generations
        How many there are to be.
    law
        Whose constants of the scaling law.
    runs
        A file of your own short runs to fit them anew: columns parameters, unique, tokens, loss.
    """

    parameters: str
    tokens: str = ""
    text: str = ""
    prompt: str = ""
    answer: str = ""
    characters: float = 4.0
    target: str = ""
    loss: float = 0.0
    kind: str = ""
    worth: tuple[float, float] | None = None
    floor: float = 1 / 3
    price: float | None = None
    let_through: float = 1.0
    temperature: float = 1.0
    odds: float = 1.0
    share: float = 0.6
    wrong_to_right: float = 0.05
    error: float = 0.03
    accuracy: float = 0.95
    generations: int = 5
    law: Literal["c4", "chinchilla"] = "c4"
    runs: Path | None = None
