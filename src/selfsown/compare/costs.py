"""What plain training costs relative to the loop, at the prices of a file."""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from selfsown.compare.results import CostComparison, SideCost
from selfsown.records import SelfsownError

PRICE_FACTORS = (0.5, 1.5)  # by which the sensitivity changes each price


def compare_costs(plain: SideCost, loop: SideCost, prices: dict[str, float]) -> CostComparison:
    """Three separate ratios of plain training to the loop, and the prices at which both cost the same.

    prices: US dollars for `real_row` and `cpu_hour`.
    """
    rows_saved = plain.rows - loop.rows
    extra_seconds = loop.cpu_seconds - plain.cpu_seconds
    extra_usd = extra_seconds * prices["cpu_hour"] / 3600 + loop.model_usd - plain.model_usd
    usd_saved = rows_saved * prices["real_row"] + plain.model_usd - loop.model_usd
    loop_usd = loop.usd(prices)
    return CostComparison(
        prices=dict(prices),
        sentences=[],
        plain=plain,
        loop=loop,
        label_ratio=plain.rows / loop.rows,
        compute_ratio=plain.cpu_seconds / loop.cpu_seconds if loop.cpu_seconds else None,
        total_ratio=plain.usd(prices) / loop_usd if loop_usd else None,
        sensitivity=_sensitivity(plain, loop, prices),
        break_even_real_row=max(0.0, extra_usd / rows_saved) if rows_saved > 0 else None,
        break_even_cpu_hour=usd_saved / (extra_seconds / 3600) if extra_seconds > 0 and usd_saved > 0 else None,
    )


def _sensitivity(plain: SideCost, loop: SideCost, prices: dict[str, float]) -> dict[str, list[float]]:
    """For each price, the total ratio with that price at 50 % and at 150 %."""
    charged = {"models": 1.0, **prices}
    ratios = {}
    for name, price in charged.items():
        variants = [{**charged, name: price * factor} for factor in PRICE_FACTORS]
        ratios[name] = [plain.usd(variant) / loop.usd(variant) for variant in variants if loop.usd(variant)]
    return ratios


def load_prices(folder: Path, file: Path | None) -> dict[str, float]:
    """The prices in US dollars: from `file`, otherwise from FOLDER/prices.yaml, otherwise the defaults."""
    path = file or folder / "prices.yaml"
    try:
        use_defaults = file is None and not path.exists()
        prices = yaml.safe_load(default_prices() if use_defaults else path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SelfsownError(f"{path} cannot be read: {error}; expected prices in YAML, see docs/compare.md") from error
    return {name: _price(path, prices, name) for name in ("real_row", "cpu_hour")}


def default_prices() -> str:
    """The default prices as YAML; the folder of a comparison gets a copy to edit."""
    return resources.files("selfsown.compare").joinpath("prices.yaml").read_text("utf-8")


def _price(path: Path, prices: Any, name: str) -> float:
    usd = prices.get(name, {}) if isinstance(prices, dict) else {}
    usd = usd.get("usd") if isinstance(usd, dict) else usd
    if not isinstance(usd, int | float) or isinstance(usd, bool) or not 0 <= usd < math.inf:
        raise SelfsownError(f"{path}: {name}.usd is {usd!r}; it must be a number of US dollars, 0 or more")
    return float(usd)
