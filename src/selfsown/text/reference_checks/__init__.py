"""Checks of answers that are learned from known answers, for tasks without a verifier."""
