"""The stages of the loop, in order, and the function that a method of each has."""

from __future__ import annotations

from pathlib import Path

STAGE_FUNCTIONS = {
    "tasks": "Task",
    "prepare": "prepare",
    "models": "create",
    "generate": "generate",
    "grade": "grade",
    "curate": "curate",
    "mix": "mix",
    "train": "train",
    "evaluate": "evaluate",
    "guard": "guard",
    "engines": "process_chunks",
}
RECIPE_KEYS = {  # the keys of a recipe under which the methods of a stage stand, where they are not named as the stage
    "tasks": ("real",),
    "models": ("student", "teacher", "judge"),
    "train": ("train", "base_train"),
    "engines": ("engine",),
}
STUDENT_OBJECTIVES = {  # of students with trainers of their own, the folder of their training objectives
    folder.parent.name: folder for folder in sorted(Path(__file__).parent.glob("models/*/objectives"))
}
