"""Asking a model for more than a text: for data, for a judgement, and what is wrong with what it said."""
