"""Plan for peak data: how far real data reaches and what synthetic data may add (`selfsown plan`)."""
