"""Compare a synthetic data set with real rows, without a run (`selfsown audit`)."""
