"""A stand-in for the hub on this machine: the few requests that putting a dataset there takes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """One dataset: its files, whether it is private, what it refuses, and what was asked of it."""

    def __init__(self, private: bool | None = None, refusal: int = 0) -> None:
        self.private, self.refusal = private, refusal
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.tokens: dict[str, str | None] = {}
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if self.refusal:
            return self.refusal, {"error": "you may not"}
        if path == "/api/repos/create":
            if self.private is not None:
                return 409, {"error": "You already created this dataset repo", "url": f"{self.url}/datasets/me/sums"}
            self.private = json.loads(body)["visibility"] == "private"
            return 200, {"url": f"{self.url}/datasets/me/sums", "name": "me/sums", "id": "1"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path.endswith("/preupload/main"):
            said = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return 200, {"files": said}
        if path.endswith("/commit/main"):
            self.commit([json.loads(line) for line in body.splitlines()])
            return 200, {"success": True, "commitOid": "0" * 40, "commitUrl": f"{self.url}/datasets/me/sums/commit/0"}
        if "/tree/" in path:
            return 200, [{"type": "file", "path": name, "size": 1, "oid": "0" * 40} for name in self.files]
        siblings = [{"rfilename": name} for name in self.files]
        return 200, {
            "_id": "1",
            "id": "me/sums",
            "private": self.private,
            "sha": "0" * 40,
            "siblings": siblings,
            "tags": [],
        }

    def commit(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del self.files[line["value"]["path"]]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            self.reply()

        def reply(self) -> None:
            path = self.path.partition("?")[0]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.asked.append(f"{self.command} {path}")
            hub.tokens[path] = self.headers.get("Authorization")
            status, said = hub.answer(self.command, path, body)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()
