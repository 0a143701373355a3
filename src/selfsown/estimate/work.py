"""The chunks of work that `make` would do, and how one of them runs with other models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from selfsown.chunks import Chunk, StepCounts
from selfsown.models import Model
from selfsown.pipeline import DatasetPipeline
from selfsown.records import Row


def chunks_by_method(pipeline: DatasetPipeline) -> Iterator[tuple[int, int, Chunk]]:
    """All chunks, each with the index of its generate step in the recipe and the position of its first row."""
    position, previous = 0, -1
    for chunk in pipeline.chunks(0):
        index = next(index for index, step in enumerate(pipeline.recipe.generate) if step is chunk.step)
        position = position if index == previous else 0
        yield index, position, chunk
        position, previous = position + chunk.size, index


def rows_by_method(pipeline: DatasetPipeline) -> dict[int, int]:
    """How many rows each generate step works on, or makes, by its index in the recipe."""
    rows = Counter[int]()
    for index, _, chunk in chunks_by_method(pipeline):
        rows[index] += chunk.size
    return dict(rows)


def run_chunk(
    pipeline: DatasetPipeline, chunk: Chunk, replace_model: Callable[[Model], Model]
) -> tuple[list[Row], StepCounts]:
    """Generate and grade the rows of a chunk with replaced models; graders that ask no model may be left out."""
    other = pipeline.with_models(replace_model(pipeline.teacher), replace_model(pipeline.judge))
    _, rows, counts = other.generate_and_grade(chunk)
    for index, grader in enumerate(pipeline.recipe.grade):
        if grader.streams and grader.takes("judge"):
            rows = list(other.graded(index, rows))
    return rows, counts
