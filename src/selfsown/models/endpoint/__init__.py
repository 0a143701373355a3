"""Models behind servers that speak the OpenAI or Anthropic API."""

from selfsown.models.endpoint.endpoint import Endpoint, create, load

__all__ = ["Endpoint", "create", "load"]
REMOTE = True  # behind a server: it can be asked, but not trained
