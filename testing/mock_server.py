"""A server on the loopback that speaks the APIs of language models, with faults drawn from a seed.

    with Server(faults={"busy": 0.1, "reset": 0.02}) as server: server.url, server.asked, server.most

By itself, `python -m testing.mock_server --latency 0.05` prints its address and serves until it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import uvloop
from aiohttp import web

Body = dict[str, Any]
# What may go wrong with one try, each a share of the tries; the next try of the same prompt draws anew.
TRIES = ("busy", "error", "reset", "hang", "cut", "malformed")
DID = {
    "busy": "busy",
    "error": "status",
    "reset": "reset",
    "cut": "reset",
    "malformed": "unreadable",
    "hang": "timeout",
}
# What is the matter with a prompt, each a share of the prompts, whenever it is asked.
PROMPTS = ("empty", "refused", "long", "twice")
PORTS = set[int]()  # of all servers of this process


class Server:
    """`asked` counts the requests for each prompt, `paid` those that were answered in full, `most` were out at once.

    `did` counts what became of the requests, in the ledger's words, `told` the tokens of those that were answered.
    `knocks` counts the questions for the list of models.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        faults: dict[str, float] | None = None,
        seed: int = 0,
        key: str = "",
        models: tuple[str, ...] = ("m",),
        forbidden: str = "",
        wait: str = "0.05",
        status: int = 500,
        room: int = 0,
        unknown: str = "",
        port: int = 0,
        host: str = "127.0.0.1",
        say: Callable[[str, Body], str] = lambda prompt, body: f"answer to {prompt}",
        instead: Callable[[str, Body], web.StreamResponse | None] = lambda prompt, body: None,
    ) -> None:
        self.latency, self.faults, self.seed, self.key, self.models = latency, faults or {}, seed, key, models
        self.forbidden, self.wait, self.status, self.room, self.say = forbidden, wait, status, room, say
        self.instead = instead  # what is answered in place of the usual reply, where it is something
        self.unknown = unknown  # a field that it takes no request with
        self.port, self.host = port, host
        self.asked, self.paid, self.bodies = Counter[str](), Counter[str](), list[Body]()
        self.did, self.told = Counter[str](), Counter[str]()
        self.live = self.most = self.knocks = 0
        self.heads, self.queries = list[dict[str, str]](), list[str]()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def __enter__(self) -> Server:
        self.loop, ready = uvloop.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()

    def _serve(self, ready: threading.Event) -> None:
        self.loop.run_until_complete(self.serve(ready.set))
        self.loop.close()

    async def serve(self, ready: Callable[[], None]) -> None:
        self.stop = asyncio.Event()
        app = web.Application(client_max_size=1 << 24)
        self.routes(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        listener = _listener(self.host, self.port)
        await web.SockSite(runner, listener, backlog=1024).start()
        self.port = listener.getsockname()[1]
        ready()
        await self.stop.wait()
        await runner.cleanup()
        await asyncio.sleep(0.01)  # for sockets that are about to be closed

    def routes(self, app: web.Application) -> None:
        for path in ("chat/completions", "completions", "messages"):
            app.router.add_post(f"/v1/{path}", self.answer)
        app.router.add_post("/openai/deployments/d/chat/completions", self.answer)
        app.router.add_get("/v1/models", self.list)

    async def list(self, request: web.Request) -> web.Response:
        self.knocks += 1
        return web.json_response({"data": [{"id": name, "object": "model"} for name in self.models]})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        prompt = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
        prompt = prompt if isinstance(prompt, str) else json.dumps(prompt)
        self.asked[prompt] += 1
        self.bodies.append(body)
        self.heads.append(dict(request.headers))
        self.queries.append(request.query_string)
        self.live += 1
        self.most = max(self.most, self.live)
        try:
            return await self._answered(request, body, prompt)
        finally:
            self.live -= 1

    async def _answered(self, request: web.Request, body: Body, prompt: str) -> web.StreamResponse:
        if other := self.instead(prompt, body):
            return other
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")
        if self.key and given != self.key:
            self.did["stopped"] += 1
            return _refusal(401, f"Incorrect API key provided: {given}")
        if body["model"] not in self.models:
            return _refusal(404, f"The model {body['model']} does not exist")
        if self.forbidden and self.forbidden in prompt:
            self.did["declined"] += 1
            return _refusal(400, f"may not be asked (your key is {given})")
        if self.unknown in body:
            return _refusal(self.status, f"Unsupported parameter: {self.unknown}")
        fault = _drawn(TRIES, self.faults, (self.seed, prompt, body.get("seed"), self.asked[prompt]))
        if 0 < self.room < self.live:
            fault = "busy"
        if fault:
            self.did[DID[fault]] += 1
        if fault == "busy":
            return _refusal(429, "too many requests", {"Retry-After": self.wait})
        if fault == "error":
            return _refusal(self.status, "out of order")
        if fault == "hang":
            await asyncio.sleep(3600)
        await asyncio.sleep(self.latency)
        kind = _drawn(PROMPTS, self.faults, (self.seed, prompt))
        reply = _reply(request.path, self.say(prompt, body), kind, prompt)
        text = json.dumps(reply)
        if fault == "reset" and request.transport:
            request.transport.abort()
        if fault == "malformed":
            text = text[: len(text) // 2]
        if fault == "cut":
            return await _cut(request, text)
        self.paid[prompt] += fault != "reset"
        if not fault:
            self.did["answered"] += 1
            self.told.update({name: count for name, count in reply["usage"].items() if isinstance(count, int)})
        return web.Response(text=text, content_type="application/json")


def _listener(host: str, port: int) -> socket.socket:
    """Listens at the port; at 0, at one that no server of this process had: endpoints remember by address."""
    while True:
        listener = socket.create_server((host, port), backlog=1024)
        if port or (new := listener.getsockname()[1]) not in PORTS:
            PORTS.add(port or new)
            return listener
        listener.close()


def _drawn(names: tuple[str, ...], shares: dict[str, float], where: object) -> str:
    """One of the names, or none of them, by their shares."""
    at = random.Random(repr(where)).random()
    for name in names:
        at -= shares.get(name, 0.0)
        if at < 0:
            return name
    return ""


def _refusal(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"message": words}}, status=status, headers=headers)


async def _cut(request: web.Request, text: str) -> web.StreamResponse:
    """The head promises the whole, the body ends half-way."""
    response = web.StreamResponse(headers={"Content-Length": str(len(text)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(text[: len(text) // 2].encode())
    assert request.transport
    request.transport.close()
    return response


def _reply(path: str, text: str, kind: str, prompt: str) -> Body:
    text = "" if kind in ("empty", "refused") else text
    prompt_tokens, reply_tokens = len(prompt.split()), len(text.split())
    if path.endswith("messages"):
        ends = {"refused": "refusal", "long": "max_tokens"}
        usage = {"input_tokens": prompt_tokens, "output_tokens": reply_tokens, "cache_read_input_tokens": 1}
        content = [{"type": "text", "text": text}] if text else []
        return {"content": content, "stop_reason": ends.get(kind, "end_turn"), "usage": usage}
    choice: Body = {"index": 0, "finish_reason": "length" if kind == "long" else "stop"}
    if path.endswith("chat/completions"):
        refusal = "I would rather not" if kind == "refused" else None
        choice["message"] = {"role": "assistant", "content": text, "refusal": refusal}
    else:
        choice["text"] = text
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": reply_tokens}
    usage["prompt_tokens_details"] = {"cached_tokens": 1}
    usage["completion_tokens_details"] = {"reasoning_tokens": 2}
    return {"object": "reply", "choices": [choice] * (2 if kind == "twice" else 1), "usage": usage}


def _fitting(prompt: str, body: Body) -> str:
    """What a teacher writes, or a judge whose reply is to be JSON with a score: so a recipe runs through."""
    if "response_format" not in body and '"score"' not in prompt:
        return f"answer to {prompt}"
    return json.dumps({"reason": "a mock server does not judge", "score": 4})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.05)
    server = Server(latency=parser.parse_args().latency, models=("m", "judge"), say=_fitting)
    asyncio.run(server.serve(lambda: print(server.url, flush=True)))


if __name__ == "__main__":
    main()
