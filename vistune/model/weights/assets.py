"""Where a backbone's files are: a local directory, a Hugging Face id, `builtin:NAME` for one that ships with the package, or
`hub:owner/name@revision` for one that is fetched whole, pinned, and held to its checksums."""

from __future__ import annotations

from pathlib import Path

import vistune
from vistune import hub
from vistune.errors import InputError, nearest

BUILTIN = "builtin:"
_NANO = Path(vistune.__file__).parent / "world" / "nano"


def locate(path: str) -> str:
    """What `from_pretrained` takes. Raises `InputError` for an unknown built-in name or a directory that is not there."""
    if path.startswith(BUILTIN):
        name = path.removeprefix(BUILTIN)
        known = sorted(folder.name for folder in _NANO.iterdir() if folder.is_dir()) if _NANO.is_dir() else []
        if name not in known:
            raise InputError(f"there is no built-in model {name!r}{nearest(name, known)}")
        return str(_NANO / name)
    if path.startswith(hub.PREFIX):
        return hub.local_folder(path, "model")
    # A hub id is `owner/name`: more slashes can only be a folder, and one that is not there should not be asked of a hub.
    looks_local = path.startswith((".", "/", "~")) or path.count("/") > 1
    if looks_local and not Path(path).expanduser().is_dir():
        raise InputError(f"model directory {path} does not exist")
    return str(Path(path).expanduser()) if looks_local else path
