"""The embedded model: a small character-level transformer that trains on two CPU cores."""

from selfsown.models.tiny.model import Tiny, create, load

__all__ = ["Tiny", "create", "load"]
ROLE_OPTIONS = ("folder",)  # a teacher or judge must be a saved model: a new one has learned nothing
