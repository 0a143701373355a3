"""What tells that a source of rows is changing: measures of creativity, bias and function, and tests that hold.

A measure compares two sets of documents of one pool and says by how much the second differs. Whether that is more than
chance is said by permutation of whole documents, which is exact for any measure: a bootstrap repeats documents, and
every measure of variety falls when documents repeat.
"""
