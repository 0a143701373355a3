"""Checks before a run: a dry run of every step, and warnings."""
