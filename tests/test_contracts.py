"""What every way of a verb must keep to: one test a verb, which walks all the ways that we ship."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from classifiers import classifier

from selfsown.models import Reply, SamplingParams
from selfsown.recipe.inputs import STAGES
from selfsown.recipe.recipe import SERVERS
from selfsown.recipe.steps import find, methods, options, parameters, step
from selfsown.records import Generation, Grade, Mixture, Row, Score, SelfsownError
from selfsown.stages import as_synthetic
from selfsown.tasks import Task, checkable
from selfsown.tasks.file import Task as File
from selfsown.tasks.programs import Task as Programs
from selfsown.usage.journal import Journal
from testing.echo_model import Parrot
from testing.mock_server import Server
from testing.tiny_checkpoint import write_checkpoint

LOOP_STAGES = [stage for stage in STAGES if stage not in ("tasks", "models")]
EVERY = [(stage, method) for stage in STAGES for method in methods(stage)]
NEEDED = {f"tasks.{way}": {"path": "names.txt"} for way in ("dataset", "documents", "file", "instructions")}
NEEDED |= {"models.anthropic": {"model": "m"}, "tasks.reasoning_gym": {"task": "chain_sum"}}
NEEDED |= {"tasks.verifiers": {"taskset": "own.py:Sums"}, "tasks.reasoning_core": {"task": "rule_switching"}}
NEEDED |= {"tasks.openenv": {"url": "http://localhost:8000"}}
NEEDED |= {"tasks.nemo_gym": {"url": "http://localhost:8000", "file": "rows.jsonl"}}
NEEDED |= {"models.endpoint": {"url": "http://localhost:8000/v1", "model": "m"}}
NEEDED |= {
    "grade.constitution": {"principles": ("It says nothing twice.",)},
    "grade.reward_model": {"folder": "classifier"},
    "grade.inspect_scorer": {"scorer": "match"},
    "grade.trl_reward": {"function": "testing.rewards:answered"},
}
NEEDED |= {"generate.file": {"path": "rows.jsonl"}}
NEEDED |= {"grade.json_schema": {"schema": {"type": "number"}}}
NEEDED |= {"models.hf": {"model": "checkpoint", "max_new_tokens": 8}, "evaluate.lm_eval": {"tasks": ("arc_easy",)}}
NEEDED |= {"guard.forgetting": {"scores": ("goal",)}}
NEEDED |= {"guard.bias": {"attributes": ("style",)}}
NEEDED |= {"curate.balance": {"attributes": ("style",)}, "curate.any_grader": {"min_score": {"test": 0.5}}}
IDS = [f"{verb}.{way}" for verb, way in EVERY]


def of(verb: str) -> pytest.MarkDecorator:
    """Marks a test that walks the ways of this verb."""
    return pytest.mark.parametrize("way", methods(verb))


def opened(verb: str, way: str) -> ast.Module:
    """The way's file, as a tree."""
    folder = Path(__file__).parent.parent / "src" / "selfsown" / verb
    path = folder / f"{way}.py" if (folder / f"{way}.py").exists() else folder / way / "__init__.py"
    return ast.parse(path.read_text(encoding="utf-8"))


def answering(prompt: str, at: int) -> Reply:
    """Right programs, wrong ones, nonsense and a failure, which depend on the prompt alone."""
    kind = sum(map(ord, prompt)) % 4
    said = (("1ar:1234", "4321"), ("1ar:1234", "1234"), (prompt, "nonsense"), (prompt, "cut"))[kind]
    return Reply(*said, failure="cut off" if kind == 3 else "")


@pytest.fixture(scope="module", params=["programs", "documents"])
def roles(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the loop gives to the steps, in a world that checks answers and in one that cannot."""
    path = tmp_path_factory.mktemp("world") / "names.txt"
    path.write_text("".join(f"name number {at}\n" for at in range(120)), encoding="utf-8")
    task: Task = Programs(rows=120) if request.param == "programs" else File(str(path))
    rows = list(task.pose(0))
    real, held_out = rows[:60], rows[60:]
    past = [replace(row, origin="synthetic", method="propose", generation=1, status="kept") for row in rows[50:62]]
    model = Parrot(answering)
    found: dict[str, Any] = {"task": task, "real": real, "held_out": held_out, "past": past, "model": model}
    found |= {"rows": list(_made(rows)), "teacher": model, "judge": model, "student": model, "level": task.top_level}
    found |= {"written": lambda number, count: rows[:count], "baselines": lambda models: [flat(0).scores] * models}
    found |= {"generation": 2, "seed": 5, "goal": "goal", "made": real, "kept": real}
    return found | {"tick": lambda done, of: None}


def _made(rows: Sequence[Row]) -> Iterator[Row]:
    """Synthetic rows, right and wrong, new and copied, held out and not, some of them graded badly."""
    for at, row in enumerate(rows[20:100]):
        answer = row.answer if at % 3 else row.answer[::-1]
        made = replace(
            row, answer=answer, origin="synthetic", method="propose", generation=2, sample_index=at, target=""
        )
        repair = (row.prompt, row.answer) if at % 6 == 0 else None
        yield made.graded(Grade(float(at % 3 > 0), "said so", grader="test", correction=repair))


@pytest.mark.parametrize(("verb", "way"), EVERY, ids=IDS)
def test_each_file_opens_with_a_sentence(verb: str, way: str) -> None:
    opening = (ast.get_docstring(opened(verb, way)) or "").split("\n\n")[0]
    assert len(opening.split()) > 3
    assert opening[0].isupper() or opening[0].isdigit()
    assert opening.endswith((".", ":")), opening


@pytest.mark.parametrize(("verb", "way"), [each for each in EVERY if each[0] in LOOP_STAGES])
def test_each_way_has_exactly_one_public_function_named_after_its_verb(verb: str, way: str) -> None:
    defined = [node.name for node in opened(verb, way).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert [name for name in defined if not name.startswith("_")] == [STAGES[verb][0]]


@pytest.mark.parametrize(("verb", "way"), EVERY, ids=IDS)
def test_each_way_can_be_named_in_a_recipe_and_its_knobs_have_types_and_defaults(verb: str, way: str) -> None:
    function = find(verb, way)
    needed = NEEDED.get(f"{verb}.{way}", {})
    assert step(verb, way, needed).dump() == ({way: needed} if needed else way)
    for name, knob in options(verb, function).items():
        assert knob.annotation is not knob.empty, name
        assert knob.default is not knob.empty or name in needed
        if knob.default is not knob.empty:
            assert step(verb, way, {**needed, name: knob.default}).options[name] == knob.default


@pytest.mark.parametrize(("verb", "way"), [each for each in EVERY if each[0] in LOOP_STAGES])
def test_a_method_declares_that_it_streams_where_it_takes_rows_one_at_a_time(verb: str, way: str) -> None:
    rows, method = parameters(find(verb, way)).get("rows"), step(verb, way, NEEDED.get(f"{verb}.{way}"))
    annotation = str(rows.annotation) if rows else ""
    assert method.streams == ("Iterable" in annotation)
    assert method.rereads == ("Collection" in annotation)


def refused_without_prompts(verb: str, way: str, roles: dict[str, Any]) -> bool:
    """Answers, votes and new tasks need prompts: on documents these ways say so."""
    asking = ("sample", "solve", "multi_turn", "self_consistency", "self_instruct", "evol_instruct")
    if way not in asking or any(row.prompt for row in roles["real"]):
        return False
    with pytest.raises(SelfsownError, match="prompt"):
        list(step(verb, way)(**roles | {"rows": roles["real"]}))
    return True


@of("prepare")
def test_a_method_of_prepare_gives_every_row_in_order_or_a_reason(way: str, roles: dict[str, Any]) -> None:
    rows = [replace(row, source=f"f:{at}", sample_index=at) for at, row in enumerate(roles["real"])]
    rows += [
        row.replace_fields(sample_index=at)
        for at, row in enumerate([*rows[:5], Row("", " "), Row("<p>ada@posteo.de</p>", "")], 99)
    ]
    out, again = (list(step("prepare", way)(rows=iter(rows))) for _ in range(2))
    assert out == again
    assert [(row.source, row.sample_index) for row in out] == [(row.source, row.sample_index) for row in rows]
    for before, row in zip(rows, out, strict=True):
        assert row.status in ("", "rejected")
        assert bool(row.reason) == (row.status == "rejected")
        assert before.replace_fields(status=row.status, reason=row.reason) == row or not row.status, (
            "it is changed or set aside"
        )
    assert list(step("prepare", way)(rows=iter([]))) == []


@of("generate")
def test_a_generator_gives_new_rows_and_the_same_seed_the_same(way: str, roles: dict[str, Any]) -> None:
    if refused_without_prompts("generate", way, roles):
        return
    if way == "episodes":  # tests/test_episodes.py plays in an environment with tools
        with pytest.raises(SelfsownError, match="has no environment to act in"):
            list(step("generate", way)(**roles | {"rows": roles["real"]}))
        return
    generating = step("generate", way, NEEDED.get(f"generate.{way}"))
    yielded, again = (list(generating(**roles | {"rows": roles["real"]})) for _ in range(2))
    assert yielded == again
    made = list(as_synthetic(yielded, generating, roles["generation"], roles["teacher"]))
    assert len({row.id for row in made}) == len(made)
    known = {row.id for row in roles["real"]}
    for row in made:
        assert (row.origin, row.source, row.method, row.generation) == ("synthetic", "parrot", way, 2)
        assert row.status in ("", "failed")
        assert bool(row.reason) == (row.status == "failed")
        assert set(row.parents) <= known
        assert row.grades == ()


@of("grade")
def test_a_grader_gives_one_grade_a_row_in_order_between_nought_and_one(
    way: str, roles: dict[str, Any], tmp_path: Path
) -> None:
    if refused_without_prompts("grade", way, roles):
        return
    if way == "inspect_scorer":
        pytest.importorskip("inspect_ai")
    needed = NEEDED.get(f"grade.{way}", {})
    grading = step("grade", way, {"folder": str(classifier(tmp_path))} if "folder" in needed else needed)
    grades = list(grading(**roles))
    assert len(grades) == len(roles["rows"])
    for grade in grades:
        assert 0 <= grade.score <= 1
        assert grade.grader == way
        assert grade.reason
    backwards = list(grading(**{**roles, "rows": roles["rows"][::-1]}))
    assert backwards[::-1] == grades
    assert list(grading(**{**roles, "rows": []})) == []


@of("curate")
def test_a_curator_loses_no_row_and_gives_its_reasons(way: str, roles: dict[str, Any]) -> None:
    rows = roles["rows"]
    out, again = (list(step("curate", way, NEEDED.get(f"curate.{way}"))(**roles)) for _ in range(2))
    assert out == again
    before = {row.id: row for row in rows}
    assert [row.id for row in out if row.id in before] == [row.id for row in rows]
    for row in out:
        assert row.status in ("", "rejected")
        assert bool(row.reason) == (row.status == "rejected")
        if row.id in before and way == "shuffle_grades":  # a control: the grades change places, and nothing else
            assert replace(row, grades=before[row.id].grades) == before[row.id]
        elif row.id in before:
            assert replace(row, status="", reason="") == before[row.id]
        else:
            assert row.parents
            assert set(row.parents) <= set(before)
            assert (row.origin, row.generation) == ("synthetic", 2)
    assert len({row.id for row in out}) == len(out)
    assert list(step("curate", way, NEEDED.get(f"curate.{way}"))(**{**roles, "rows": []})) == []


@of("mix")
def test_a_mixture_has_a_weight_for_each_row_and_only_real_rows_where_there_are_no_others(
    way: str, roles: dict[str, Any]
) -> None:
    real, synthetic = roles["real"], [row.kept() for row in roles["rows"]]
    mixture = step("mix", way)(real=real, synthetic=synthetic)
    assert len(mixture.weights) == len(mixture.rows) > 0
    assert (mixture.weights >= 0).all()
    assert mixture.weights.sum() > 0
    assert {row.id for row in mixture.rows} <= {row.id for row in [*real, *synthetic]}
    assert 0 <= mixture.real_share <= 1
    alone = step("mix", way)(real=real, synthetic=[])
    assert (list(alone.rows), alone.real_share) == (real, 1.0)


@of("evaluate")
def test_a_measure_lies_within_its_interval_and_the_same_seed_gives_the_same(way: str, roles: dict[str, Any]) -> None:
    if way == "instructions":  # tests/evaluate/test_measuring_instructions.py measures rows that have constraints
        with pytest.raises(SelfsownError, match="no held-out row has constraints"):
            list(step("evaluate", way)(**roles))
        return
    if way == "lm_eval":  # tests/evaluate/test_lm_eval.py runs it
        with pytest.raises(SelfsownError, match="needs a model of the transformers library"):
            list(step("evaluate", way, NEEDED["evaluate.lm_eval"])(**roles))
        return
    if way == "episodes":  # tests/test_episodes.py plays in an environment with tools
        with pytest.raises(SelfsownError, match="has no environment to act in"):
            list(step("evaluate", way)(**roles))
        return
    scores, again = (list(step("evaluate", way)(**roles)) for _ in range(2))
    assert scores == again
    assert len({score.key for score in scores}) == len(scores)
    for score in scores:
        assert score.low <= score.value <= score.high
        assert 0 <= score.n <= (len(roles["held_out"]) if way != "retention" else 120)


def flat(number: int) -> Generation:
    """A generation like every other."""
    scores = tuple(Score(name, 0.8, 100, 0.7, 0.9) for name in ("goal", "diversity"))
    return Generation(number, max(0, number - 1), 1, {}, 0.5, scores)


@of("guard")
@pytest.mark.parametrize("length", [2, 6])
def test_a_guard_passes_a_flat_history(way: str, length: int, roles: dict[str, Any]) -> None:
    guarding = step("guard", way, NEEDED.get(f"guard.{way}"))
    roles = {**roles, "history": [flat(number) for number in range(length)]}
    if way == "bias" and not any("style" in row.metadata for row in roles["real"]):
        with pytest.raises(SelfsownError, match="no real row has the attribute"):
            guarding(**roles)
        return
    verdict = guarding(**roles)
    assert verdict.passed
    assert verdict.guard == way
    assert verdict.reason


def _by_turns(rows: Sequence[Row]) -> list[Row]:
    """Every other row is right."""
    return [row if row.status else row.graded(Grade(float(at % 2))) for at, row in enumerate(rows)]


@of("train")
def test_a_trainer_tells_how_far_it_is_and_leaves_the_parent_untouched(way: str, roles: dict[str, Any]) -> None:
    pytest.importorskip("torch")
    parent, teacher = (
        step("models", "tiny", {"layers": 1, "width": 16, "heads": 2})(rows=roles["real"], seed=at) for at in (0, 1)
    )
    mixture: Mixture = step("mix", "accumulate")(real=roles["real"], synthetic=[])
    if way == "grpo" and not any(row.prompt for row in roles["real"]):
        with pytest.raises(SelfsownError, match="no row has a prompt"):
            step("train", way)(**roles | {"mixture": mixture, "parent": parent, "grader": list})
        return
    before, told = parent.bits(roles["real"]), list[tuple[int, int]]()
    if way == "dpo":
        mixture = replace(mixture, rows=[replace(row, metadata={"rejected": row.answer[::-1]}) for row in mixture.rows])
    child = step("train", way, {"steps": 3, "batch_size": 8})(
        **roles
        | {
            "mixture": mixture,
            "parent": parent,
            "teacher": teacher,
            "grader": _by_turns,
            "tick": lambda done, of: told.append((done, of)),
        }
    )
    assert parent.bits(roles["real"]) == before != child.bits(roles["real"])
    assert told == [(1, 3), (2, 3), (3, 3)]


@of("models")
def test_a_model_replies_n_times_to_each_prompt_in_order(way: str, roles: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    knobs, journal = dict[str, Any](), Journal(tmp_path / "replies.sqlite")
    prompts = [row.prompt or row.answer for row in roles["real"][:5]]
    with Server() as server:
        if way in SERVERS:
            key_option = "api_key" if "api_key" in options("models", find("models", way)) else "key"
            (tmp_path / "key").write_text("sk-0123456789", encoding="utf-8")
            knobs = {"url": server.url, "model": "m", key_option: str(tmp_path / "key")}
        if way == "hf":
            knobs = NEEDED["models.hf"] | {"model": str(write_checkpoint(tmp_path / "checkpoint"))}
        model = step("models", way, knobs)(rows=roles["real"], seed=0, journal=journal)
        replies = model.complete(prompts, SamplingParams(n=3, seed=1))
        assert [[reply.prompt for reply in each] for each in replies] == [[prompt] * 3 for prompt in prompts]
        assert replies == model.complete(prompts, SamplingParams(n=3, seed=1))
        assert model.complete([]) == []
    journal.close()
    if way in SERVERS:
        with pytest.raises(SelfsownError, match="it can be the teacher or the judge, but not the student"):
            model.bits(roles["real"])
    else:
        assert len(model.bits(roles["real"])) == len(roles["real"])


@of("tasks")
def test_a_world_poses_the_same_rows_for_the_same_seed_and_reads_its_own(way: str, tmp_path: Path) -> None:
    (tmp_path / "sums.csv").write_text("prompt,answer\n" + "".join(f"{at} + 1?,{at + 1}\n" for at in range(50)))
    paths = dict.fromkeys(("file", "documents", "instructions"), tmp_path / "sums.csv") | {"dataset": tmp_path}
    path = paths.get(way)
    if way in ("nemo_gym", "openenv", "reasoning_core", "verifiers"):
        pytest.skip(f"tests/tasks/test_{way}.py poses its rows, where its package or server is")
    world = step("tasks", way, {"path": str(path)} if path else NEEDED.get(f"tasks.{way}", {}))()
    rows = list(world.pose(3))
    assert rows == list(world.pose(3))
    assert len({row.id for row in rows}) == len(rows)
    for row in checkable(rows, world)[:200] if way == "instructions" else rows[:200]:
        if not row.answered:  # a posed prompt, which has no known answer
            continue
        assert isinstance(world.read(row.prompt, row.answer), Row)
        assert 0 <= row.level <= world.top_level
        assert world.check(row, row.answer).score == 1.0
        assert all(twin.key == row.key for twin in world.restate(row))
