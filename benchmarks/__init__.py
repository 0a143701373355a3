"""Measurements that the documentation quotes. Run them from the repository root: python -m benchmarks.NAME --help."""
