"""Where a model's files are: a folder, or a name on the Hugging Face Hub, which is downloaded once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from selfsown.errors import ModelError

ADAPTER = "adapter_config.json"  # of a folder that holds LoRA weights and the name of their base
WEIGHTS = ("*.safetensors", "*.bin")
_BLOCKS, _BLOCK_BYTES = 64, 1 << 16  # of a file that are hashed, from its beginning to its end


def model_folder(model: str, revision: str = "") -> Path:
    """The folder of a model. Raises ModelError where there is none, or it cannot be downloaded."""
    path = Path(model).expanduser()
    if path.is_dir():
        return _complete(path)
    if path.name == "best" or path.exists() or model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise ModelError(
            f"hf: there is no model folder {model}; name a folder with a config.json, or OWNER/NAME on the Hub"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        return _complete(Path(snapshot_download(model, revision=revision or None, allow_patterns=patterns)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        why = "".join(str(error).strip().splitlines()[:1])[:160]
        raise ModelError(
            f"hf: {model!r} is no folder here, and cannot be had from the Hugging Face Hub: {why}; name the folder of "
            "a downloaded model, or check the name and the network"
        ) from error


def _complete(folder: Path) -> Path:
    if not (folder / "config.json").exists() and not (folder / ADAPTER).exists():
        raise ModelError(f"hf: {folder} holds no model: it has neither config.json nor {ADAPTER}; name a saved model")
    return folder


def adapter_base(folder: Path) -> str:
    """The base model of a folder of LoRA weights; "" for a folder of whole weights."""
    path = folder / ADAPTER
    if not path.exists():
        return ""
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return str(config["base_model_name_or_path"])


def weight_bytes(folder: Path) -> int:
    """The size of the folder's weights on disk."""
    return sum(file.stat().st_size for pattern in WEIGHTS for file in folder.glob(pattern))


def weights_hash(folder: Path) -> str:
    """A hash by which other weights are recognised: of small files, and of the size and 64 parts of each large one.

    Parts all through it, since training may leave the first tensors as they were. Hashing a model of 8 billion
    parameters whole takes half a minute at each start.
    """
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".bin", ".json", ".jinja", ".model"):
            size = file.stat().st_size
            digest.update(f"{file.name} {size} ".encode())
            with file.open("rb") as opened:
                for place in range(0, size, max(size // _BLOCKS, _BLOCK_BYTES)):
                    opened.seek(place)
                    digest.update(opened.read(_BLOCK_BYTES))
    return digest.hexdigest()[:16]
