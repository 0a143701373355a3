"""selfsown: a model writes its own training data, grades it, learns from what passed, and proves that it got better."""

__version__ = "0.1.0"
