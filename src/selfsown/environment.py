"""What decides whether a run gives the same bytes again: versions, machine, threads."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec

from selfsown.version import __version__

LIBRARIES = ("transformers", "trl", "peft", "accelerate")  # of a model of the transformers library


def environment() -> str:
    """What decides whether the same bytes come out, as JSON: versions, machine, threads."""
    torch = sys.modules.get("torch")
    versions = {"selfsown": __version__, "python": platform.python_version(), "machine": platform.machine()}
    if torch:
        versions |= {"torch": str(torch.__version__), "threads": str(torch.get_num_threads())}
        if torch.cuda.is_available():
            versions["gpu"] = str(torch.cuda.get_device_name(0))
    if "transformers" in sys.modules:
        versions |= {name: version(name) for name in LIBRARIES if find_spec(name)}
    return json.dumps(versions, indent=1) + "\n"
