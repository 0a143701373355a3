"""The connection to a Ray cluster, its size, and the start of a worker."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

from selfsown.cluster.mailbox import Mailbox
from selfsown.cluster.worker import Job, Worker
from selfsown.errors import RecipeError, one_line
from selfsown.parallel import usable_cores

LOCAL_STORE_BYTES = 200_000_000  # of shared memory, where Ray is started here: rows pass through it, and none stay
MAX_CALLS = 100_000  # that wait for the driver
CALLS_AT_ONCE = 2  # of a worker: a partition, and the request to halt


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Connected to the cluster at this address, or to one that is started here for as long as this lasts.

    RecipeError where there is none.
    """
    if ray.is_initialized():  # by the user's own program
        yield
        return
    logging.getLogger("ray").setLevel(logging.ERROR)  # before Ray does, which says that it starts
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **_where(address))
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise RecipeError(
            f"engine.ray: no cluster answers at {address or os.environ.get('RAY_ADDRESS', 'this machine')} "
            f"({one_line(error)[:200]}); give HOST:PORT of a machine where `ray start --head` runs, or leave out "
            "address to start one here"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _where(address: str) -> dict[str, Any]:
    if address or os.environ.get("RAY_ADDRESS"):
        return {"address": address or "auto"}
    return {
        "address": "local",
        "num_cpus": usable_cores(),
        "include_dashboard": False,
        "object_store_memory": LOCAL_STORE_BYTES,
    }


def count_workers(workers: int, limit: int, cores: int, gpus: float) -> int:
    """So many workers as are asked for (0: as have room), and no more than `limit`, if it is not 0.

    RecipeError where the cluster has no room for one.
    """
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    room = int(resources.get("CPU", 0) // cores)
    if gpus:
        room = min(room, int(resources.get("GPU", 0) / gpus))
    if not room:
        has = f"{resources.get('CPU', 0):g} cores and {resources.get('GPU', 0):g} GPUs"
        raise RecipeError(
            f"engine.ray: a worker of {cores} cores and {gpus:g} GPUs does not fit: the cluster has {has} in all; "
            "lower cores or gpus, or add machines"
        )
    size = min(workers or room, room)
    return min(size, limit) if limit else size


def check_room(*, address: str = "", cores: int = 1, gpus: float = 0.0, **_: object) -> None:
    """RecipeError where no cluster answers, or it has no room for such a worker."""
    with connected(address):
        count_workers(0, 0, cores, gpus)


def start_worker(job: Job, mailbox: Any, name: str, gpus: float) -> Any:
    """A worker of the cluster, as soon as there is room for it."""
    options = {"num_cpus": job.cores, "num_gpus": gpus, "max_concurrency": CALLS_AT_ONCE}
    return ray.remote(Worker).options(**options).remote(job, mailbox, name)


@contextmanager
def mailbox_of_driver() -> Iterator[Any]:
    """An actor that passes calls of workers on to this process."""
    options = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "max_concurrency": MAX_CALLS}
    mailbox: Any = ray.remote(Mailbox).options(**options).remote()
    try:
        yield mailbox
    finally:
        ray.kill(mailbox)
