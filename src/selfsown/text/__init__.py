"""Text: normal form, words, numbers, similarity, chats, reasoning and personal data."""

from selfsown.text.normalize import fenced, normal, words

__all__ = ["fenced", "normal", "words"]
