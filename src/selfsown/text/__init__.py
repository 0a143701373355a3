"""Text: normal form, words, numbers, similarity, chats."""

from selfsown.text.normalize import fenced, normal, words

__all__ = ["fenced", "normal", "words"]
