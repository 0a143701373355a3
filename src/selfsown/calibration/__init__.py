"""Validate graders: labeled rows, mutants, error rates, and requirements on them (`selfsown calibrate`)."""
