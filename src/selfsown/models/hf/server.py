"""A server program that samples from the current weights, such as vLLM: started here for each generation.

One server runs at a time. It is asked through the client of `endpoint`, so concurrency, retries and the journal are the
same as for any other server.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfsown.errors import ModelError
from selfsown.models import Reply, SamplingParams
from selfsown.models.hf.files import adapter_base, model_folder, weights_hash
from selfsown.models.hf.sampling import NO_END, Sampling
from selfsown.models.hf.settings import Settings
from selfsown.models.hf.weights import merged, release
from selfsown.records import JsonObject
from selfsown.usage.journal import Journal

START_SECONDS = 900.0  # a large model is read from a disk over a network, and compiled
POLL_SECONDS = 0.2
MAX_IN_FLIGHT = 256
PLACES = ("folder", "base", "adapter", "port")
ADAPTER_MODEL = "selfsown-adapter"  # the name under which a server is asked for LoRA weights


@dataclass
class Server:
    """A running server of one folder. scratch: its log, and merged weights where it was given any."""

    folder: Path
    command: str
    url: str
    model: str
    process: subprocess.Popen[bytes]
    scratch: tempfile.TemporaryDirectory[str]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.scratch.cleanup()


_running: list[Server] = []  # at most one


def check_command(command: str) -> None:
    """Raises ModelError where a recipe's command names no port or another place than there is."""
    named = {name for _, name, _, _ in string.Formatter().parse(command) if name is not None}
    if unknown := sorted(named - {*PLACES}):
        raise ModelError(
            f"hf: sampler: there is no {{{unknown[0]}}}; available: {', '.join(f'{{{p}}}' for p in PLACES)}"
        )
    if "port" not in named or not named & {"folder", "adapter"}:
        raise ModelError('hf: sampler must name {port} and {folder}: "vllm serve {folder} --port {port}"')


def served(folder: Path, settings: Settings) -> Server:
    """The server of these weights, running. Another one is stopped first. Raises ModelError where it does not start."""
    if _running and (_running[0].folder, _running[0].command) == (folder, settings.sampler) and _alive(_running[0]):
        return _running[0]
    stop()
    release()
    server = _started(folder, settings)
    _running.append(server)
    _await(server)
    return server


@dataclass(frozen=True)
class ServerSampler:
    """Samples from the weights of a folder through a server. ends: texts that end a sample."""

    folder: Path
    settings: Settings
    journal: Journal | None
    ends: Sequence[str]

    def replies(self, texts: Sequence[str], sampling: Sampling, n: int, max_new: int) -> list[list[Reply]]:
        """`n` replies of at most `max_new` tokens to each prompt, which is in the model's template."""
        from selfsown.models.endpoint import create

        server = served(self.folder, self.settings)
        nucleus: JsonObject = {"top_p": sampling.top_p} if sampling.top_p < 1 else {}
        nucleus |= {"top_k": sampling.top_k} if sampling.top_k else {}
        endpoint = create(
            *((), 0, self.journal),
            url=server.url,
            model=server.model,
            style="completions",
            stop=tuple(self.ends),
            extra=nucleus,
            finish_reasons=("length",),
            identity=weights_hash(self.folder),
            max_in_flight=MAX_IN_FLIGHT,
        )
        params = SamplingParams(n=n, temperature=sampling.temperature, seed=sampling.seed, max_tokens=max_new)
        return [[_reply(reply, max_new) for reply in group] for group in endpoint.complete(list(texts), params)]


def _reply(reply: Reply, max_new: int) -> Reply:
    failure = NO_END if reply.tokens >= max_new else reply.failure
    return Reply("", reply.text.strip(), reply.tokens, failure)


def stop() -> None:
    """End the server, if one runs, and give its memory back."""
    while _running:
        _running.pop().stop()


atexit.register(stop)


def _alive(server: Server) -> bool:
    return server.process.poll() is None


def _started(folder: Path, settings: Settings) -> Server:
    scratch = tempfile.TemporaryDirectory(prefix="selfsown-server-")
    base = adapter_base(folder)
    whole = folder
    if base and "{folder}" in settings.sampler:
        whole = merged(folder, settings, Path(scratch.name) / "merged")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source = model_folder(base, settings.revision) if base else folder
    words = [
        word.format(folder=whole, base=source, adapter=folder, port=port) for word in shlex.split(settings.sampler)
    ]
    watch = [sys.executable, "-m", "selfsown.models.hf.with_parent", str(os.getpid()), *words]
    log = Path(scratch.name) / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(watch, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    model = ADAPTER_MODEL if "{adapter}" in settings.sampler else ""
    return Server(folder, settings.sampler, f"http://127.0.0.1:{port}/v1", model, process, scratch)


def _await(server: Server) -> None:
    """Wait until the server answers, and learn the name under which it serves the model."""
    began = time.monotonic()
    while time.monotonic() - began < START_SECONDS:
        if not _alive(server):
            line = _last_line(Path(server.scratch.name) / "server.log")
            stop()
            raise ModelError(f"hf: sampler ended before it served {server.folder.name}: {line or server.command}")
        try:
            models = _models(server.url)
        except (OSError, ValueError):
            time.sleep(POLL_SECONDS)
            continue
        if not server.model:
            server.model = models[0]
        return
    stop()
    raise ModelError(f"hf: sampler did not answer within {START_SECONDS:g} seconds: {server.command}")


def _models(url: str) -> list[str]:
    """The names of the models that the server has."""
    with urllib.request.urlopen(f"{url}/models", timeout=10) as response:
        listed: dict[str, Any] = json.load(response)
    names = [str(model["id"]) for model in listed["data"]]
    if not names:
        raise ValueError("no model is listed yet")
    return names


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else ""
