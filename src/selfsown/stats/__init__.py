"""Statistics: confidence intervals, tests, and closed forms from the literature."""
