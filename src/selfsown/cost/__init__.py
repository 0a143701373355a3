"""What a folder of a run or of made rows cost: totals from its ledger, and sentences about them."""

from selfsown.cost.totals import Cost, read_cost

__all__ = ["Cost", "read_cost"]
