"""What is wished of a reply beyond its words: sent as each API words it, and left out where a server knows it not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfsown.models import SamplingParams
from selfsown.models.anthropic import create as anthropic
from selfsown.models.endpoint.endpoint import Endpoint
from selfsown.models.endpoint.endpoint import create as endpoint
from selfsown.records import SelfsownError
from selfsown.usage.journal import Journal
from testing.mock_server import Server, _refusal

SCHEMA = {"type": "object", "properties": {"why": {"type": "string"}, "age": {"type": "integer"}}, "required": ["why"]}
FIELDS = {"chat": "response_format", "messages": "output_config"}
MANY = [f"prompt {at}" for at in range(60)]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal(tmp_path / "replies.sqlite")
    yield found
    found.close()


def made(style: str, server: Server, journal: Journal | None = None, **knobs: Any) -> Endpoint:
    if style == "messages":
        return anthropic([], 0, journal, **{"url": server.url, "model": "m", "api_key": "", **knobs})
    return endpoint([], 0, journal, **{"url": server.url, "model": "m", "style": style, **knobs})


def sent(style: str, knobs: dict[str, Any], **call: Any) -> dict[str, Any]:
    """The one request that such a model sends."""
    with Server() as server:
        made(style, server, **knobs).complete(["one"], SamplingParams(**call))
        (body,) = server.bodies
    return body


@pytest.mark.parametrize("style", ["chat", "completions", "messages"])
def test_a_reply_ends_at_its_stops_and_at_its_most_tokens_and_a_call_s_own_number_wins(style: str) -> None:
    knobs = {"stop": ("\n\n", "END"), "max_tokens": 50}
    body = sent(style, knobs)
    assert body["stop_sequences" if style == "messages" else "stop"] == ["\n\n", "END"]
    assert body["max_tokens"] == 50
    assert sent(style, knobs, max_tokens=9)["max_tokens"] == 9
    assert sent(style, {**knobs, "extra": {"max_tokens": 7}})["max_tokens"] == 7
    plain = sent(style, {})
    assert not {"stop", "stop_sequences", "logprobs"} & set(plain)
    assert ("max_tokens" in plain) == (style == "messages"), "its API demands a number"


def test_probabilities_are_asked_for_as_each_api_words_it() -> None:
    body = sent("chat", {"logprobs": 3})
    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    body = sent("completions", {"logprobs": 3})
    assert (body["logprobs"], body.get("top_logprobs")) == (3, None)


def test_a_schema_is_sent_as_each_api_words_it_its_properties_in_their_own_order() -> None:
    body = sent("chat", {}, schema=SCHEMA)
    form = body["response_format"]
    assert (form["type"], form["json_schema"]["strict"], form["json_schema"]["schema"]) == ("json_schema", True, SCHEMA)
    assert list(form["json_schema"]["schema"]["properties"]) == ["why", "age"]
    body = sent("messages", {}, schema=SCHEMA)
    assert body["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
    assert sent("completions", {}, schema=SCHEMA) == sent("completions", {})


@pytest.mark.parametrize("style", FIELDS)
def test_a_schema_is_not_sent_where_json_is_false_or_extra_says_otherwise(style: str) -> None:
    assert sent(style, {"json": False}, schema=SCHEMA) == sent(style, {})
    assert FIELDS[style] not in sent(style, {"extra": {FIELDS[style]: None}}, schema=SCHEMA)
    own = {"type": "json_object"}
    assert sent(style, {"extra": {FIELDS[style]: own}}, schema=SCHEMA)[FIELDS[style]] == own


@pytest.mark.parametrize("style", FIELDS)
@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_knows_no_schema_is_asked_without_and_that_is_remembered(
    style: str, status: int, journal: Journal
) -> None:
    with Server(unknown=FIELDS[style], status=status) as server:
        model = made(style, server, journal)
        replies = model.complete(MANY, SamplingParams(schema=SCHEMA))
        assert [reply.text for (reply,) in replies] == [f"answer to {prompt}" for prompt in MANY]
        in_vain = sum(FIELDS[style] in body for body in server.bodies)
        assert 0 < in_vain <= 20, "as many as were out before the first answer"
        made(style, server).complete(["another"], SamplingParams(schema=SCHEMA))
        assert server.asked["another"] == 1
        server.bodies.clear()
        assert model.complete(MANY, SamplingParams(schema=SCHEMA)) == replies
        assert not server.bodies, "what is paid is paid"
    connection = sqlite3.connect(journal.path)
    requests = [request for (request,) in connection.execute("SELECT request FROM replies")]
    connection.close()
    assert not any(FIELDS[style] in request for request in requests), "the journal says what was sent"


def test_a_server_that_takes_one_schema_but_not_another_still_gets_the_one() -> None:
    class Choosy(Server):
        async def _answered(self, request: Any, body: Any, prompt: str) -> Any:
            self.unknown = "response_format" if "age" in str(body.get("response_format")) else ""
            return await super()._answered(request, body, prompt)

    with Choosy(status=400) as server:
        model = made("chat", server)
        model.complete(["one"], SamplingParams(schema=SCHEMA))
        model.complete(["two"], SamplingParams(schema={"type": "object"}))
        assert (server.asked["one"], server.asked["two"]) == (2, 1)
        assert server.bodies[-1]["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_another_fault_of_the_request_is_not_laid_to_the_schema() -> None:
    with Server(unknown="seed", status=400) as server:
        with pytest.raises(SelfsownError, match="the server declined it, 400: Unsupported parameter: seed"):
            made("chat", server).complete(MANY[:5], SamplingParams(schema=SCHEMA))
        assert set(server.asked.values()) == {1}


def test_a_prompt_that_speaks_of_schemas_and_is_declined_takes_the_schema_from_no_other() -> None:
    class Echo(Server):
        async def _answered(self, request: Any, body: Any, prompt: str) -> Any:
            return _refusal(400, prompt) if "bad" in prompt else await super()._answered(request, body, prompt)

    with Echo() as server:
        model = made("chat", server)
        ((reply,),) = model.complete(["a bad JSON schema"], SamplingParams(schema=SCHEMA))
        assert "a bad JSON schema" in reply.failure
        assert server.asked["a bad JSON schema"] == 2
        model.complete(["two"], SamplingParams(schema=SCHEMA))
        assert "response_format" in server.bodies[-1]


@pytest.mark.parametrize("style", ["chat", "completions", "messages"])
def test_what_was_thought_comes_out_of_the_journal_as_it_came_from_the_server(style: str, journal: Journal) -> None:
    with Server(say=lambda prompt, body: "<think>It is even.</think>4") as server:
        model = made(style, server, journal)
        ((first,),) = model.complete(["2 + 2?"])
        assert (first.text, first.reasoning) == ("4", "It is even.")
        assert model.complete(["2 + 2?"]) == [[first]]
        assert len(server.bodies) == 1
