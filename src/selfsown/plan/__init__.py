"""Peak data: what the real data is still worth, what synthetic data may add, and what stays safe (`selfsown plan`)."""
