"""A checkpoint made ready for others, and sent: the same bytes into a folder or to a hub.

README.md         the card                      config.json, model*.safetensors, processor   what transformers loads,
vistune/          the checkpoint as it is       where an architecture of it expresses the model; else the checkpoint alone
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from vistune.errors import InputError
from vistune.files import atomic_open, kept
from vistune.model.answering.opening import load
from vistune.model.interchange.export import export
from vistune.model.interchange.merge import merge
from vistune.model.weights import checkpoint
from vistune.model.weights.checkpoint import checkpoint_of
from vistune.sharing.card import card


def prepared(source: Path, folder: Path, results: Sequence[Path] = ()) -> str | None:
    """Write `folder`, which must not be there; returns why no exported form is in it, None where one is.

    Adapters are folded into a copy for the exported form; the checkpoint keeps them.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --to, or remove it")
    source = checkpoint_of(source)
    for path in source.rglob("*"):
        kept(source, path)  # a copy follows links: a file of its owner's would be shared with everybody
    spec = checkpoint.read_config(source)["model"]
    temporary, merged = folder.with_name(f".{folder.name}.tmp"), folder.with_name(f".{folder.name}.merged")
    for left in (temporary, merged):
        shutil.rmtree(left, ignore_errors=True)
    reason: str | None = None
    try:
        try:
            if spec.get("adapt"):
                merge(source, merged)
            export(load(merged if merged.exists() else source, device="cpu", dtype="float32"), temporary)
        except InputError as error:
            reason = str(error)
            temporary.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, temporary / "vistune" if reason is None else temporary, dirs_exist_ok=True)
        with atomic_open(temporary / "README.md") as file:
            file.write(card(source, reason is None, results))
        temporary.rename(folder)
    finally:
        for left in (temporary, merged):
            shutil.rmtree(left, ignore_errors=True)
    return reason


def upload(folder: Path, name: str, private: bool = False, revision: str | None = None) -> str:
    """Send a prepared folder to the hub as `owner/name`; returns its address. The token is the one that the hub's tools keep.

    Raises `InputError` for a name that is none, and for what the hub refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if name.count("/") != 1 or not all(name.split("/")):
        raise InputError(f"{name!r} is no name on a hub: expected owner/name")
    api = HfApi()
    try:
        api.create_repo(name, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=name, folder_path=folder, revision=revision, commit_message="Model and card by vistune"
        )
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise InputError(f"{name} could not be sent: {' '.join(str(error).split())}") from error
    return str(done.commit_url)
