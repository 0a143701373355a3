"""Options of `selfsown plan`; this dataclass is the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class PlanOptions:
    """Amounts with units (32k, 25B, 1.5T); shares and ratios as numbers from 0 to 1.

    Parameters
    ----------
    parameters
        Number of model parameters, such as 1.4B.
    tokens
        Number of real tokens, such as 32k, 25B or 1.5T; instead of a file of real rows.
    text
        Column with a whole document in the file of real rows. By default the usual names are tried.
    prompt
        Column with the prompt.
    answer
        Column with the answer.
    chars_per_token
        Characters per token, to count the tokens of the file.
    target
        Effective tokens to reach: as many new real tokens as the data must be worth, such as 100B. Or give --loss.
    loss
        Held-out loss to reach, in nats per token.
    kind
        Kind of synthetic data: rephrased, verified, textbook or unverified; by default all are compared.
    relative_value
        Measured value of a token of that kind relative to a new real token: lowest and highest.
    min_real_share
        Lowest acceptable share of real tokens among all training tokens.
    price
        US dollars per million generated tokens.
    pass_rate
        Share of generated tokens that the graders keep.
    temperature
        Sampling temperature of generation.
    verifier_odds
        How many times as often the verifier passes the most common value of an attribute as the others.
    majority_share
        Share of that most common value among the real rows.
    wrong_pass_ratio
        How often the verifier passes a wrong row, relative to a right row.
    forgetting
        Share of its knowledge that the model loses per generation.
    min_accuracy
        Lowest acceptable long-run accuracy.
    generations
        Number of generations.
    law
        Published constants of the scaling law.
    runs
        File of your own short training runs to fit the constants to, with columns parameters, unique, tokens and loss.
    """

    parameters: str
    tokens: str = ""
    text: str = ""
    prompt: str = ""
    answer: str = ""
    chars_per_token: float = 4.0
    target: str = ""
    loss: float = 0.0
    kind: str = ""
    relative_value: tuple[float, float] | None = None
    min_real_share: float = 1 / 3
    price: float | None = None
    pass_rate: float = 1.0
    temperature: float = 1.0
    verifier_odds: float = 1.0
    majority_share: float = 0.6
    wrong_pass_ratio: float = 0.05
    forgetting: float = 0.03
    min_accuracy: float = 0.95
    generations: int = 5
    law: Literal["c4", "chinchilla"] = "c4"
    runs: Path | None = None
