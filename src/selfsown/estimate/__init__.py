"""Estimate what `selfsown make` will cost before it is paid (`selfsown estimate`)."""
