"""What requests to model servers use and cost: journal, ledger, budget, prices."""
