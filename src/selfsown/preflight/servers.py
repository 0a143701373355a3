"""Whether a server answers at the addresses of the teacher, the judge and a cluster, before a folder is touched."""

from __future__ import annotations

import socket
from pathlib import Path

from selfsown.errors import RecipeError
from selfsown.models import Reachable
from selfsown.recipe.recipe import Recipe
from selfsown.stages import ROLE_MODELS

CONNECT_SECONDS = 5.0


def check_servers(recipe: Recipe, folder: Path) -> None:
    """Raises ModelError or RecipeError where none does.

    A folder with a journal may have all replies, and needs no server of a model.
    """
    if recipe.engine and (address := recipe.engine.option("address")):
        _check_cluster(address)
    if recipe.engine and recipe.trains and (check := getattr(recipe.engine.module, "CHECK", None)):
        check(**recipe.engine.options)  # the engine is first needed after training, perhaps hours later
    if (folder / "replies.sqlite").exists() or not recipe.generate:
        return
    for role in ROLE_MODELS:
        step = getattr(recipe, role)
        if step and step.is_remote and isinstance(model := step(rows=[], seed=0), Reachable):
            model.check_server()


def _check_cluster(address: str) -> None:
    """RecipeError where nothing listens at HOST:PORT; "auto" is Ray's to find."""
    if address.startswith("ray://"):
        raise RecipeError(
            f"engine: {address} is an address of Ray's client, which workers cannot answer; run the command on a "
            "machine of the cluster (ray job submit -- selfsown make …), with the address HOST:PORT, such as "
            f"{address.removeprefix('ray://').partition(':')[0]}:6379"
        )
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return
    if not colon or not port.isdigit():
        raise RecipeError(f"engine: address is {address!r}; it must be HOST:PORT, such as 10.0.0.1:6379, or auto")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise RecipeError(
            f"engine: nothing answers at {address} ({error}); give the address of a machine where `ray start --head` "
            "runs, or leave it out to start a cluster here"
        ) from error
