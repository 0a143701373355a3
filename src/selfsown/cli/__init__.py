"""The command line: one function per command."""

from selfsown.cli.run import app, main

__all__ = ["app", "main"]
