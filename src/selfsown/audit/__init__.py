"""Synthetic rows held against real ones, without a run: creativity, bias, form, copies (`selfsown audit`)."""
