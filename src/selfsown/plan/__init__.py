"""Data budget: the value of repeated real data, and what synthetic data may add (`selfsown plan`)."""
