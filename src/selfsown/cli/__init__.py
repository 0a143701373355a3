"""The command line: one function per command."""

from selfsown.cli.app import app, main

__all__ = ["app", "main"]
