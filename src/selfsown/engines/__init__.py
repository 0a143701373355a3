"""Engines: where chunks are worked on, one file each. Whatever the engine, the rows are the same."""
