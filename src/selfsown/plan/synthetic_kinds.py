"""The value of a synthetic token relative to a new real token: ranges from the literature, per kind of data."""

from __future__ import annotations

from dataclasses import dataclass

from selfsown.errors import SelfsownError, suggest

MIN_REAL_SHARE = 1 / 3  # of all training tokens


@dataclass(frozen=True)
class SyntheticKind:
    """A kind of synthetic data.

    min_value, max_value: value of one token, in new real tokens.
    max_share: largest share of all training tokens that is known to be safe.
    evidence: what these numbers rest on.
    """

    name: str
    min_value: float
    max_value: float
    max_share: float
    evidence: str


KINDS = (
    SyntheticKind(
        "rephrased",
        0.5,
        1.5,
        1 / 3,
        "rewritten real documents: 1/3 of them with 2/3 web text reach the same loss 5 to 10 times faster at large "
        "budgets, rewritten text alone does not (Kang et al. 2025, arXiv 2510.01631); 1:1 about 3 times faster (WRAP, "
        "Maini et al. 2024)",
    ),
    SyntheticKind(
        "verified",
        0.3,
        1.5,
        2 / 3,
        "problems whose answers were checked by execution or computation: worth what the verifier passes, on the tasks "
        "that it checks; Phi-4 uses 40 % synthetic data and loses facts without real text (arXiv 2412.08905, table 3). "
        "An estimate, not a fit: measure it",
    ),
    SyntheticKind(
        "textbook",
        0.0,
        0.5,
        1 / 3,
        "texts generated from topics alone: worse than web text alone in the long run, with the pattern of model "
        "collapse (Kang et al. 2025)",
    ),
    SyntheticKind(
        "unverified",
        0.0,
        0.0,
        0.0,
        "the model's own unchecked text: adds no information, and a larger share goes with worse results (Zhu et al. "
        "2024, arXiv 2412.14689; Llama 3, arXiv 2407.21783, section 4.3.1)",
    ),
)


def synthetic_kind(name: str, relative_value: tuple[float, float] | None = None) -> SyntheticKind:
    """The kind of this name, with the user's measured range if there is one. SelfsownError: no such kind."""
    for kind in KINDS:
        if kind.name == name:
            if relative_value is None:
                return kind
            return SyntheticKind(name, *relative_value, kind.max_share, "your measurement")
    raise SelfsownError(f"--kind is {name!r}{suggest(name, [kind.name for kind in KINDS])}")
