"""A model behind Anthropic's Messages API, as teacher or judge: a preset of `endpoint`."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

from selfsown.models.endpoint import endpoint
from selfsown.models.endpoint.endpoint import Endpoint, load

DEFAULTS = {"url": "https://api.anthropic.com/v1", "api_key": "ANTHROPIC_API_KEY"}
REMOTE = True
NOT_AVAILABLE = ("style", "logprobs")  # options of `endpoint` that this API does not have

__all__ = ["create", "load"]


def create(*args: Any, **options: Any) -> Endpoint:
    """The model of this name; the other options are those of `endpoint`."""
    return replace(endpoint.create(*args, **DEFAULTS | options), style="messages")


def _signature() -> inspect.Signature:
    """The signature of `endpoint.create` with these defaults: a recipe's options are read from it."""
    signature = inspect.signature(endpoint.create)
    parameters = [
        parameter.replace(default=DEFAULTS.get(name, parameter.default))
        for name, parameter in signature.parameters.items()
        if name not in NOT_AVAILABLE
    ]
    return signature.replace(parameters=parameters)


# typing.get_type_hints and inspect.signature find the types and defaults of the options here.
vars(create).update(__wrapped__=endpoint.create, __signature__=_signature())
create.__annotations__ = endpoint.create.__annotations__
