"""An exported folder goes to the Hugging Face hub, where the user says so and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from selfsown.export.destination import ours
from selfsown.records import SelfsownError


def push(folder: Path, repo: str, *, public: bool = False) -> str:
    """The address of the dataset, which is private unless the user says otherwise."""
    if not ours(folder):
        raise SelfsownError(f"{folder} is no export; make one with `selfsown export RUN {folder}`")
    owner, _, name = repo.partition("/")
    if not owner or not name or "/" in name:
        raise SelfsownError(f"{repo!r} is no place on the hub; write OWNER/NAME")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when its client is imported
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise SelfsownError("push needs huggingface_hub; pip install 'selfsown[hub]'") from error
    if not huggingface_hub.get_token():
        raise SelfsownError("push needs a token of the hub that may write; put it in HF_TOKEN, or run `hf auth login`")
    api = huggingface_hub.HfApi()
    try:
        api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        seen = not api.dataset_info(repo).private
        if seen == public:
            api.upload_folder(
                repo_id=repo,
                repo_type="dataset",
                folder_path=folder,
                delete_patterns="data/*",  # of an earlier export that had more files
                commit_message="selfsown push",
            )
    except Exception as error:  # of the hub's client, of the one below it, or of the system
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SelfsownError(f"{folder} was not put on the hub: {said[:300]}") from error
    if seen != public:
        kind, wish = ("public", "--public") if seen else ("private", "--private")
        raise SelfsownError(f"{repo} is there and is {kind}; nothing was uploaded: say {wish}, or name another")
    return f"{api.endpoint}/datasets/{repo}"
