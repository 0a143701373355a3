"""Episodes: models that act with tools, what is recorded of them, how they are graded, exported and learned from."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import run_in_process
from datasets import Dataset
from hf_training import in_process as in_process

from selfsown.episode import Episode
from selfsown.errors import RecipeError
from selfsown.evaluate import episodes as measured
from selfsown.export.formats import FORMATS, FormatOptions
from selfsown.generate import episodes
from selfsown.grade import episode_path
from selfsown.models import DEFAULT_PARAMS, Reply, SamplingParams
from selfsown.models.hf.encoding import Encoder, load_encoder
from selfsown.models.hf.settings import Settings
from selfsown.prompting.episodes import play
from selfsown.records import Row
from selfsown.run_folder import RunFolder
from selfsown.tasks.programs import Task as Programs
from selfsown.tasks.storeroom import SHELVES, Storeroom, Task
from selfsown.text.chat import Conversation, Message, Prompt
from selfsown.text.tool_use import BadCall, plain_messages, split_calls
from testing.tiny_checkpoint import write_checkpoint

TASK = Task(rows=30, demonstrations=6)
PROBLEMS = list(TASK.problems(3, 60, seed=1))
BY_TEXT = {row.prompt: row for row in PROBLEMS}  # a text may be posed of several storerooms
PROBLEMS = list(BY_TEXT.values())


class Player:
    """A model that answers from the conversation so far. style: how it writes a call."""

    name, reads_conversations = "player", True

    def __init__(self, style: str = "text") -> None:
        self.style = style

    def complete(self, prompts: Sequence[Prompt], params: SamplingParams = DEFAULT_PARAMS) -> list[list[Reply]]:
        assert all(isinstance(prompt, Conversation) and prompt.tools for prompt in prompts)
        return [[self.turn(prompt.messages, random.Random(f"{params.seed} {prompt}"))] for prompt in prompts]  # type: ignore[union-attr]

    def turn(self, messages: list[Message], rng: random.Random) -> Reply:
        row = BY_TEXT[messages[0]["content"]]
        calls = json.loads(row.metadata["solution"])
        done = sum(message["role"] == "tool" for message in messages)
        return self.call(calls[done]) if done < len(calls) else Reply("", f"There are {row.target}.")

    def call(self, call: dict[str, Any]) -> Reply:
        if self.style == "api":
            function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
            calls = ({"id": "abc", "type": "function", "function": function},)
            return Reply("", "", failure="it calls a tool, and there are no tools here", calls=calls)
        return Reply("", json.dumps(call) if self.style == "bare" else f"<tool_call>{json.dumps(call)}</tool_call>")

    def bits(self, rows: Sequence[Row]) -> list[tuple[float, int]]:
        return []


class Guesser(Player):
    """It calls any tool with anything, and answers any number."""

    def turn(self, messages: list[Message], rng: random.Random) -> Reply:
        shelf, other = rng.sample([*SHELVES], 2)
        amount = rng.randint(1, 40)
        move = {"name": "move", "arguments": {"item": "figs", "amount": amount, "source": shelf, "target": other}}
        acts = [{"name": "look", "arguments": {"shelf": shelf}}, move]
        return self.call(rng.choice(acts)) if rng.random() < 0.6 else Reply("", str(amount))


def score(model: Any, name: str = "episodes") -> float:
    held_out = [replace(row, sample_index=index) for index, row in enumerate(PROBLEMS)]
    return next(found.value for found in measured.evaluate(model, held_out, TASK) if found.key == name)


@pytest.mark.parametrize("style", ["text", "bare", "api"])
def test_a_player_who_knows_solves_all_and_one_who_guesses_hardly_any(style: str) -> None:
    assert score(Player(style)) == 1
    assert score(Player(style), "episode_invalid") == 0
    assert score(Guesser(style)) <= 0.05


def test_each_turn_is_a_row_whose_answer_alone_the_model_wrote() -> None:
    rows = [row for episode in play(PROBLEMS[:20], Player(), TASK, 8, SamplingParams()) for row in episode.rows()]
    by_episode: dict[str, list[Row]] = {}
    for row in rows:
        by_episode.setdefault(row.metadata["episode"], []).append(row)
    assert len(by_episode) == 20
    for turns in by_episode.values():
        assert [row.metadata["turn"] for row in turns] == [f"{n} of {len(turns)}" for n in range(1, len(turns) + 1)]
        *calls, last = turns
        assert all("(" in row.answer and json.loads(row.metadata["completion"]) for row in calls)
        assert last.answer == f"There are {last.target}."
        assert TASK.check(last, last.answer).score == 1
        prompt = last.full_prompt
        assert isinstance(prompt, Conversation)
        assert [message["role"] for message in prompt.messages] == ["user", *["assistant", "tool"] * len(calls)]
        assert json.loads(prompt.tools)[0]["function"]["name"] == "look"


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (["18"], "it answers without having looked"),
        (['<tool_call>{"name": "look", "arguments": {"shelf": "A"}}</tool_call>', "There are 1 or {target}."], "has 1"),
        (['<tool_call>{"name": "look", "arguments": {"shelf": "A"}}</tool_call>', "Many."], "its answer has no number"),
    ],
)
def test_what_is_not_solved_says_why(turns: list[str], reason: str) -> None:
    row = next(row for row in PROBLEMS if row.level == 1 and row.target not in ("1", "18"))
    episode = Episode(row, TASK.environment(row), TASK.tools, [{"role": "user", "content": row.prompt}])
    for text in turns:
        episode.take(text.replace("{target}", row.target))
    *_, last = episode.rows()
    assert reason in TASK.check(last, last.answer).reason


def test_a_wrong_move_shows_in_the_shelves_and_bad_calls_are_answered_and_counted() -> None:
    row = next(row for row in PROBLEMS if row.level == 2)
    episode = TASK.solved(row)
    *_, last = episode.rows()
    assert TASK.check(last, last.answer).reason == "the shelves and the number are right"
    backwards = {"item": "figs", "amount": -1, "source": "A", "target": "B"}
    wrong = Episode(row, TASK.environment(row), TASK.tools, [{"role": "user", "content": row.prompt}])
    for text in (
        '<tool_call>{"name": "fly", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "look", "arguments": {"place": "A"}}</tool_call>',
        '<tool_call>{"name": "look", "arguments": {"shelf": "Z"}}</tool_call>',
        f"<tool_call>{json.dumps({'name': 'move', 'arguments': backwards})}</tool_call>",
        "<tool_call>{name: look}</tool_call>",
        row.target,
    ):
        wrong.take(text)
    assert (wrong.calls, wrong.invalid) == (5, 5)
    errors = [message["content"] for message in wrong.messages if str(message["content"]).startswith("Error")]
    assert "there is no tool 'fly'; there are look, move" in errors[0]
    assert "look takes shelf, not place" in errors[1]
    assert "there is no shelf 'Z'" in errors[2]
    assert "cannot be moved" in errors[3]
    assert "not valid JSON" in errors[4]
    *_, last = wrong.rows()
    assert TASK.check(last, last.answer).reason == "the shelves are not as they should be"
    (path,) = episode_path.grade([last], max_invalid=4)
    assert (path.score, path.reason) == (0, "5 calls that did not fit, more than 4")
    (path,) = episode_path.grade([last], max_calls=4, max_invalid=9)
    assert path.reason == "5 calls of tools, more than 4"
    assert next(episode_path.grade([last], max_invalid=5)).score == 1
    assert next(episode_path.grade([Row("a", "b")])).failed


def test_an_episode_without_an_answer_fails_with_all_its_turns() -> None:
    class Restless(Player):
        def turn(self, messages: list[Message], rng: random.Random) -> Reply:
            return self.call({"name": "look", "arguments": {"shelf": "A"}})

    (episode,) = play(PROBLEMS[:1], Restless(), TASK, 3, SamplingParams())
    rows = list(episode.rows())
    assert [(row.status, row.reason) for row in rows] == [("failed", "no answer within 3 turns")] * 3


def test_a_reply_that_failed_leaves_a_row_that_says_why() -> None:
    class Silent(Player):
        def turn(self, messages: list[Message], rng: random.Random) -> Reply:
            return Reply("", "I t", failure="no end within the limit of tokens")

    (episode,) = play(PROBLEMS[:1], Silent(), TASK, 3, SamplingParams())
    (row,) = episode.rows()
    assert (row.answer, row.status, row.reason) == ("I t", "failed", "no end within the limit of tokens")
    assert score(Silent()) == 0


def test_a_task_or_a_teacher_without_turns_is_refused_in_a_line() -> None:
    with pytest.raises(RecipeError, match="has no environment to act in; take a task with tools: storeroom"):
        list(episodes.generate([], Player(), Programs(), 1, 1))
    silent = Player()
    silent.reads_conversations = False  # type: ignore[misc]
    with pytest.raises(RecipeError, match="the teacher reads texts alone"):
        list(episodes.generate([], silent, TASK, 1, 1))


def test_real_rows_are_turns_of_solved_problems_and_no_storeroom_is_on_both_sides() -> None:
    rows = list(TASK.pose(0))
    learned = [row for row in rows if row.metadata["evaluation"] == "never"]
    held_out = [row for row in rows if row.metadata["evaluation"] == "only"]
    assert len({row.problem for row in learned}) == 6
    assert len(held_out) == 30
    assert not {row.metadata["shelves"] for row in learned} & {row.metadata["shelves"] for row in held_out}
    assert all(row.answer and TASK.check(row, row.answer).score == 1 for row in learned)
    assert [row.level for row in held_out[:3]] == [1, 2, 3]


def test_moves_keep_what_there_is() -> None:
    rng = random.Random(3)
    room = Storeroom({name: {"figs": 10} for name in SHELVES})
    for _ in range(200):
        source, target = rng.choices(SHELVES, k=2)
        with suppress(ValueError):
            room.call("move", {"item": "figs", "amount": rng.randint(-2, 12), "source": source, "target": target})
        assert sum(items.get("figs", 0) for items in room.state().values()) == 50


@pytest.mark.parametrize(
    ("text", "said", "names"),
    [
        ('I look. <tool_call>{"name": "look"}</tool_call>', "I look.", ["look"]),
        ('<tool_call>{"name": "a"}</tool_call><tool_call>\n{"name": "b"}', "", ["a", "b"]),
        ('```json\n{"name": "look", "arguments": {}}\n```', "", ["look"]),
        ('{"answer": 3}', '{"answer": 3}', []),
        ("There are 3.", "There are 3.", []),
    ],
)
def test_calls_are_found_in_text(text: str, said: str, names: list[str]) -> None:
    found, calls = split_calls(text)
    assert (found, [call["function"]["name"] for call in calls]) == (said, names)


@pytest.mark.parametrize("text", ["[1]", "{", '{"arguments": {}}', '{"name": "a", "arguments": 3}'])
def test_a_marked_call_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadCall):
        split_calls(f"<tool_call>{text}</tool_call>")


def test_a_model_without_tools_in_its_template_reads_and_learns_them_as_text(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    encoder: Encoder = load_encoder(tmp_path, Settings(model=str(tmp_path)), "tiny")
    *_, move, last = TASK.solved(next(row for row in PROBLEMS if row.level == 2)).rows()
    for row, learned in ((move, "<tool_call>"), (last, last.answer)):
        tokens, start = encoder.row(row)
        before, after = encoder.decode(tokens[:start]), encoder.decode(tokens[start:])
        assert learned in after
        assert "You can call tools" in before
        assert "<tool_response>" not in after
        assert tokens[-1] == encoder.end
    assert "<tool_response>" in encoder.decode(encoder.row(last)[0])
    assert re.search(r"Error|user", "".join(map(str, plain_messages([{"role": "tool", "content": "Error"}], []))))


def test_turns_are_exported_with_their_tools() -> None:
    *_, row = TASK.solved(PROBLEMS[0]).rows()
    form = next(form for form in FORMATS if form.name == "conversational-prompt-completion")
    record = form.record(row, FormatOptions(tools=True))
    assert [message["role"] for message in record["completion"]] == ["assistant"]
    assert record["prompt"][-1]["role"] == "tool"
    assert "look" in json.dumps(record["tools"])


RECIPE = """
real: {storeroom: {rows: 12, demonstrations: 4}}
held_out: 12
student: {hf: {model: small, max_new_tokens: 12, device: cpu}}
teacher: {./player.py: {}}
generations: 1
generate: [{episodes: {count: 10, n: 1}}]
grade: [verify, {episode_path: {max_calls: 3}}]
curate: [min_score, dedup]
mix: {accumulate: {real_share: 0.3}}
train: {sft: {steps: 3, epochs: 0, batch_size: 4, learning_rate: 0.001}}
evaluate: [{episodes: {max_turns: 2}}]
goal: episodes
guard: []
"""


@pytest.mark.filterwarnings("ignore")
def test_a_run_plays_learns_and_exports(tmp_path: Path, in_process: None) -> None:
    write_checkpoint(tmp_path / "small", context=2048)
    shutil.copy(Path(__file__).parent.parent / "examples" / "storeroom_player.py", tmp_path / "player.py")
    (tmp_path / "mine.yaml").write_text(RECIPE, encoding="utf-8")
    done = run_in_process(tmp_path, "run", "mine.yaml", "run", "--no-report")
    assert done.returncode == 0, done.stderr
    rows = RunFolder(tmp_path / "run").rows("generation-01/rows") or []
    assert len({row.metadata["episode"] for row in rows}) == 10
    assert {row.status for row in rows} == {"kept"}
    assert run_in_process(tmp_path, "export", "run", "data").returncode == 0
    (file,) = (tmp_path / "data").rglob("*.parquet")
    records = list(Dataset.from_parquet(str(file)))
    assert len(records) == len(rows)
    assert all(record["completion"][0]["role"] == "assistant" for record in records)
    assert any(record["prompt"][-1]["role"] == "tool" for record in records)


@pytest.mark.filterwarnings("ignore")
def test_explain_shows_a_turn_after_its_conversation(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parent.parent / "examples" / "storeroom_player.py", tmp_path / "player.py")
    recipe = RECIPE.replace("{hf: {model: small, max_new_tokens: 12, device: cpu}}", "tiny")
    (tmp_path / "mine.yaml").write_text(recipe, encoding="utf-8")
    done = run_in_process(tmp_path, "make", "mine.yaml", "made", "--no-report")
    assert done.returncode == 0, done.stderr
    rows = RunFolder(tmp_path / "made").rows("rows") or []
    last = next(row for row in rows if row.metadata["turn"][0] != "1")
    shown = run_in_process(tmp_path, "explain", "made", last.id).stdout
    assert "the conversation before it:\n  tools: look, move\n  user: " in shown
    assert re.search(r"\n  assistant: (look|move)\(", shown)
    assert "\n  tool: " in shown
    assert '"role"' not in shown.replace("\n", "")
