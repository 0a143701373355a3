"""The columns of both files of `selfsown prove --synthetic`; this dataclass is the command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnOptions:
    """The columns to read, with --synthetic.

    Parameters
    ----------
    text
        With --synthetic: column with a whole document. By default the usual names are tried; so they are for a file
        without this column.
    prompt
        With --synthetic: column with the prompt.
    answer
        With --synthetic: column with the answer.
    real_text
        With --synthetic: column with the document in the real file, if it has another name there.
    """

    text: str = ""
    prompt: str = ""
    answer: str = ""
    real_text: str = ""
