"""Signals that a source of rows is changing: measures of creativity, bias and function, and tests of their changes.

A measure compares two sets of documents from one pool. Whether a change exceeds chance is decided by permuting whole
documents, which is exact for any measure; a bootstrap repeats documents, and every measure of diversity falls when
documents repeat.
"""
