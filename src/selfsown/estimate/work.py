"""The chunks of work that `make` would do, and how one of them runs with other models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from selfsown.make import Chunk, Line
from selfsown.recipe.steps import parameters
from selfsown.records import Row
from selfsown.stages import graded, streams

StepCounts = list[tuple[str, int, int]]  # a step, the rows that came out of it, and how many of them it failed


def chunks_by_method(pipeline: Line) -> Iterator[tuple[int, int, Chunk]]:
    """All chunks, each with the index of its generate step in the recipe and the position of its first row."""
    position, previous = 0, -1
    for chunk in pipeline.chunks(0):
        index = next(index for index, step in enumerate(pipeline.recipe.generate) if step is chunk.step)
        position = position if index == previous else 0
        yield index, position, chunk
        position, previous = position + chunk.size, index


def rows_by_method(pipeline: Line) -> dict[int, int]:
    """How many rows each generate step works on, or makes, by its index in the recipe."""
    rows = Counter[int]()
    for index, _, chunk in chunks_by_method(pipeline):
        rows[index] += chunk.size
    return dict(rows)


def run_chunk(pipeline: Line, chunk: Chunk, replace_model: Callable[[Any], Any]) -> tuple[list[Row], StepCounts]:
    """Generate and grade the rows of a chunk with replaced models; graders that ask no model may be left out."""
    other = pipeline.with_models(replace_model(pipeline.teacher), replace_model(pipeline.judge))
    _, rows, counts = other.worked(chunk)
    for index, grader in enumerate(pipeline.recipe.grade):
        if streams(grader) and "judge" in parameters(grader.function):
            rows = list(graded(grader, rows, **other.roles, seed=pipeline.seed("grade", index)))
    return rows, counts
