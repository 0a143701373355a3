"""A server program that serves a folder of the transformers library as vLLM would, for tests.

python -m testing.serve_checkpoint FOLDER --port PORT
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import torch
from aiohttp import web
from transformers import AutoModelForCausalLM, AutoTokenizer

from selfsown.models.hf.sampling import Request, Sampling, sample


class Server:
    def __init__(self, folder: str) -> None:
        torch.set_num_threads(1)
        self.folder = folder
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": self.folder}]})

    async def completions(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        tokens = self.tokenizer.encode(body["prompt"], add_special_tokens=False)
        ends = {self.tokenizer.convert_tokens_to_ids(end) for end in body["stop"]}
        sampling = Sampling(frozenset(ends), body["temperature"], 1.0, 0, body["seed"])
        requests = [Request(tokens, 1, body["max_tokens"])]
        ((_, (new,)),) = await asyncio.to_thread(lambda: list(sample(lambda: self.model, requests, sampling, 1, {})))
        ended = new[-1] in ends
        choice = {
            "text": self.tokenizer.decode(new[:-1] if ended else new),
            "finish_reason": "stop" if ended else "length",
        }
        usage = {"prompt_tokens": len(tokens), "completion_tokens": len(new)}
        return web.json_response({"model": self.folder, "choices": [choice], "usage": usage})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    server, app = Server(arguments.folder), web.Application()
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/v1/completions", server.completions)
    web.run_app(app, host="127.0.0.1", port=arguments.port, print=None)


if __name__ == "__main__":
    main()
