"""Engines: where the chunks of `make` are worked on, one file each. Whatever the engine, the rows are the same."""
