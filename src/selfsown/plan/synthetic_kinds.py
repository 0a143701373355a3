"""What a token of synthetic data is worth against a new real one: ranges from the literature, for each kind of data."""

from __future__ import annotations

from dataclasses import dataclass

from selfsown.records import SelfsownError

FLOOR = 1 / 3  # the least share of real data, by weight


@dataclass(frozen=True)
class Source:
    """low to high: what one token is worth, in real ones; most: the largest share of the whole that is known to be
    safe; why: what that rests on."""

    name: str
    low: float
    high: float
    most: float
    why: str


SOURCES = (
    Source(
        "rephrased",
        0.5,
        1.5,
        1 / 3,
        "real documents said anew: 1/3 of it with 2/3 of web text reaches the same loss 5 to 10 times faster at large "
        "budgets, all of it does not (Kang et al. 2025, arXiv 2510.01631); 1:1 about 3 times faster (WRAP, Maini 2024)",
    ),
    Source(
        "verified",
        0.3,
        1.5,
        2 / 3,
        "problems whose answers were checked by running or computing: worth what the verifier lets through, on the "
        "tasks it checks; Phi-4 has 40 % synthetic data and loses facts without real text (arXiv 2412.08905, table 3). "
        "A judgement, not a fit: measure it",
    ),
    Source(
        "textbook",
        0.0,
        0.5,
        1 / 3,
        "texts from nothing but topics: worse than web text alone in the long run, and shows the pattern of collapse "
        "(Kang et al. 2025)",
    ),
    Source(
        "unverified",
        0.0,
        0.0,
        0.0,
        "the model's own text, unchecked: adds nothing new, and its plain share goes with worse results (Zhu et al. "
        "2024, arXiv 2412.14689; Llama 3, arXiv 2407.21783 section 4.3.1)",
    ),
)


def source(name: str, worth: tuple[float, float] | None = None) -> Source:
    """The kind of this name, with your own measured range where you give one."""
    for each in SOURCES:
        if each.name == name:
            return each if worth is None else Source(name, *worth, each.most, "your own measurement")
    raise SelfsownError(f"--kind is {name!r}; there is: {', '.join(each.name for each in SOURCES)}")
