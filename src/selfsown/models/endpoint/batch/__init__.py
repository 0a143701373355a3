"""Requests sent as batches, at the provider's lower price."""
