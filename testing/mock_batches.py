"""The server of the tests, with the batch APIs of both providers, and faults of theirs drawn from a seed.

with BatchServer(entries={"expired": 0.1}, calls={"busy": 0.2}, slow=3) as server: server.sent, server.paid
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from testing.mock_server import PROMPTS, Body, Server, _cut, _drawn, _refusal, _reply

# What may become of a request in a batch, each a share of the tries.
ENTRIES = ("expired", "error", "busy", "missing", "double", "canceled")
# What may go wrong with a call, each a share of the calls. lost: it is done, and nobody hears of it; half: of a file.
CALLS = ("busy", "error", "lost", "half")


class BatchServer(Server):
    """sent: the requests of each batch. slow: how often one is asked for before it is over. refuse: why a batch of
    these bodies is not taken. hide: how many questions for the list leave out what came last. tell: the status, and
    the words or the reply, of a prompt that is asked for the so manieth time."""

    def __init__(
        self,
        *,
        entries: dict[str, float] | None = None,
        calls: dict[str, float] | None = None,
        slow: int = 0,
        refuse: Callable[[Sequence[Body]], str] = lambda bodies: "",
        hide: int = 0,
        tell: Callable[[str, int], tuple[int, Any] | None] = lambda prompt, times: None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.tell = tell
        self.entries, self.calls, self.slow, self.refuse, self.hide = entries or {}, calls or {}, slow, refuse, hide
        self.files: dict[str, str] = {}
        self.made: dict[str, Body] = {}
        self.sent: list[list[Body]] = []
        self.polls: dict[str, int] = {}
        self.called: list[str] = []
        self.lengths: list[int] = []

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        for path in ("batches", "messages/batches"):
            app.router.add_post(f"/v1/{path}", self.hurt(self.create))
            app.router.add_get(f"/v1/{path}", self.hurt(self.listed))
            app.router.add_get(f"/v1/{path}/{{id}}", self.hurt(self.poll))
        app.router.add_get("/v1/messages/batches/{id}/results", self.hurt(self.content))
        app.router.add_post("/v1/files", self.hurt(self.upload))
        app.router.add_get("/v1/files/{id}/content", self.hurt(self.content))

    def hurt(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        """The handler, with its faults."""

        async def hurting(request: web.Request) -> web.StreamResponse:
            self.called.append(f"{request.method} {request.path}")
            self.lengths.append(request.content_length or 0)
            await asyncio.sleep(self.latency)
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            given = given or request.headers.get("x-api-key", "")
            if self.key and given != self.key:
                return _refusal(401, f"Incorrect API key provided: {given}")
            fault = _drawn(CALLS, self.calls, (self.seed, len(self.called)))
            if fault == "busy":
                return _refusal(429, "too many requests", {"Retry-After": self.wait})
            if fault == "error":
                return _refusal(self.status, "out of order")
            response: web.Response = await handler(request)
            await asyncio.sleep(self.latency)
            if fault == "lost" and request.transport:
                request.transport.abort()
            if fault == "half" and request.path.endswith(("/content", "/results")):
                return await _cut(request, response.text or "")
            return response

        return hurting

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "batch"
        part = form["file"]
        assert isinstance(part, web.FileField)
        name = f"file-{len(self.files)}"
        self.files[name] = part.file.read().decode()
        return web.json_response({"id": name, "object": "file"})

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "requests" in body:
            asked = [(each["custom_id"], each["params"]) for each in body["requests"]]
        else:
            assert (body["completion_window"], request.path) == ("24h", "/v1/batches")
            lines = [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
            assert {line["url"] for line in lines} == {body["endpoint"]}
            asked = [(line["custom_id"], line["body"]) for line in lines]
        assert len({key for key, _ in asked}) == len(asked)
        name, why = f"batch_{len(self.made)}", self.refuse([each for _, each in asked])
        if why and "requests" in body:
            return _refusal(413, why)
        self.sent.append([each for _, each in asked])
        made = self.made[name] = {"id": name, "why": why, "of": len(asked), "good": 0, "body": body, "ends": ([], [])}
        for key, each in asked if not why else []:
            self._work(made, key, each, body.get("endpoint") or "/v1/messages")
        self.files[f"{name}-out"], self.files[f"{name}-err"] = ("".join(lines) for lines in made["ends"])
        self.polls[name] = 0
        return web.json_response(self._shown(name))

    def _work(self, made: Body, key: str, body: Body, path: str) -> None:
        """The line of one request, or none, or two."""
        prompt = body["prompt"] if "prompt" in body else body["messages"][-1]["content"]
        self.asked[prompt] += 1
        self.bodies.append(body)
        fault = _drawn(ENTRIES, self.entries, (self.seed, prompt, body.get("seed"), self.asked[prompt]))
        told = self.tell(prompt, self.asked[prompt])
        if told and told[0] != 200:
            status, words = told
        elif self.forbidden and self.forbidden in prompt:
            status, words = 400, "may not be asked"
        elif body["model"] not in self.models:
            status, words = 404, "no such model"
        else:
            status, words = {"error": (500, "out of order"), "busy": (429, "too many")}.get(fault, (200, ""))
        if fault in ("expired", "canceled"):
            self._line(made, key, 0, fault)
        elif status != 200:
            self._line(made, key, status, words)
        elif fault != "missing":
            usual = _reply(path, self.say(prompt, body), _drawn(PROMPTS, self.faults, (self.seed, prompt)), prompt)
            reply = told[1] if told else usual
            self.paid[prompt] += 1
            made["good"] += 1
            for _ in range(1 + (fault == "double")):
                self._line(made, key, 200, reply)

    def _line(self, made: Body, key: str, status: int, what: Any) -> None:
        ours = "requests" in made["body"]
        tree: Body
        if ours and status == 200:
            tree = {"result": {"type": "succeeded", "message": what}}
        elif ours and status:
            kinds = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error", 500: "api_error"}
            kinds[403] = "permission_error"
            error = {"type": "error", "error": {"type": kinds[status], "message": what}}
            tree = {"result": {"type": "errored", "error": error}}
        elif ours:
            tree = {"result": {"type": what}}
        elif status:
            body = what if status == 200 else {"error": {"message": what}}
            tree = {"response": {"status_code": status, "request_id": "r", "body": body}, "error": None}
        else:
            tree = {"response": None, "error": {"code": f"batch_{what}", "message": f"it {what}"}}
        made["ends"][not ours and status != 200].insert(0, json.dumps({"custom_id": key, **tree}) + "\n")

    def _shown(self, name: str) -> Body:
        made, over = self.made[name], self.polls.get(name, 0) > self.slow
        if "requests" in made["body"]:
            counts = {"processing": 0 if over else made["of"], "succeeded": made["good"] if over else 0}
            counts["errored" if "canceled" not in self.entries else "canceled"] = (
                made["of"] - made["good"] if over else 0
            )
            where = f"http://192.0.2.1/v1/messages/batches/{name}/results" if over else None
            state = "ended" if over else "in_progress"
            return {"id": name, "processing_status": state, "request_counts": counts, "results_url": where}
        found = {"id": name, "input_file_id": made["body"]["input_file_id"], "metadata": made["body"]["metadata"]}
        found |= {"request_counts": {"total": made["of"], "completed": made["good"] if over else 0, "failed": 0}}
        if over and made["why"]:
            code, _, words = made["why"].partition(": ")
            return {**found, "status": "failed", "errors": {"data": [{"code": code, "message": words, "line": 1}]}}
        if over:
            found |= {
                f"{end}_file_id": f"{name}-{end[:3]}" for at, end in enumerate(("output", "error")) if made["ends"][at]
            }
        done = "cancelled" if "canceled" in self.entries else "completed"
        return {**found, "status": done if over else "in_progress"}

    async def poll(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if name not in self.made:
            return _refusal(404, f"no batch {name}")
        self.polls[name] += 1
        return web.json_response(self._shown(name))

    async def listed(self, request: web.Request) -> web.Response:
        """The newest first, in pages of two at most."""
        names = list(reversed(self.made))
        if self.hide and request.query["limit"] != "1":
            self.hide -= 1
            names = names[1:]
        after = request.query.get("after") or request.query.get("after_id")
        names = names[names.index(after) + 1 :] if after else names
        page = names[: min(2, int(request.query["limit"]))]
        return web.json_response({"data": [self._shown(name) for name in page], "has_more": len(page) < len(names)})

    async def content(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        text = self.files.get(name if name in self.files else f"{name}-out")
        return web.Response(text=text) if text is not None else _refusal(404, f"no file {name}")
