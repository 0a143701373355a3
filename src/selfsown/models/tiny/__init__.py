"""The embedded model: a small character-level transformer that trains on two CPU cores."""

from selfsown.models.tiny.model import Tiny, create, load

__all__ = ["Tiny", "create", "load"]
