"""Uploads an export to the Hugging Face hub."""

from __future__ import annotations

import os
from pathlib import Path

from selfsown.errors import one_line
from selfsown.export.destination import check_export
from selfsown.records import SelfsownError

MAX_ERROR_CHARS = 300


def push(folder: Path, repo: str, *, public: bool = False) -> str:
    """Upload the export as a dataset and return its URL.

    repo: OWNER/NAME. public: whether everybody may see it. Raises SelfsownError where the folder is not an export, the
    dataset exists with the other visibility, or the hub refuses.
    """
    check_export(folder)
    owner, _, name = repo.partition("/")
    if not owner or not name or "/" in name:
        raise SelfsownError(f"{repo!r} is not a dataset on the hub; expected OWNER/NAME")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when its client is imported
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise SelfsownError("push needs huggingface_hub; pip install 'selfsown[hub]'") from error
    if not huggingface_hub.get_token():
        raise SelfsownError("push needs a hub token with write access; put it in HF_TOKEN, or run `hf auth login`")
    api = huggingface_hub.HfApi()
    try:
        api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        is_public = not api.dataset_info(repo).private
        if is_public == public:
            api.upload_folder(
                repo_id=repo,
                repo_type="dataset",
                folder_path=folder,
                delete_patterns="data/*",  # files of an earlier, larger export
                commit_message="selfsown push",
            )
    except Exception as error:  # of the hub client, the HTTP client or the system
        raise SelfsownError(f"{folder} was not uploaded to the hub: {one_line(error)[:MAX_ERROR_CHARS]}") from error
    if is_public != public:
        visibility = "public" if is_public else "private"
        raise SelfsownError(
            f"{repo} exists and is {visibility}; nothing was uploaded: add --{visibility}, or name another dataset"
        )
    return f"{api.endpoint}/datasets/{repo}"
