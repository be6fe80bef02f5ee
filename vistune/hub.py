"""Repositories on a hub as local folders: `hub:owner/name` or `hub:owner/name@revision`.

Transfers that break off go on where they stopped (by `Range`), a server's own failures are asked again, and what was fetched is
held to the hash that the hub gives: SHA-256 of large files, git's SHA-1 of small ones.
"""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import Literal, TypeAlias

from vistune.errors import InputError
from vistune.files import sha256

PREFIX = "hub:"
Kind: TypeAlias = Literal["model", "dataset"]
WAITS = (0.5, 2.0)  # seconds before a server that failed is asked again
_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


def local_folder(source: str, kind: Kind) -> str:
    """The folder of a snapshot for a name that begins with `hub:`, fetched unless it is there already; others as they are.

    Nothing is fetched that was not asked for by this prefix. Raises `InputError` when the name is malformed, the repository
    cannot be reached, or its files are not what it says they are.
    """
    if not source.startswith(PREFIX):
        return source
    name, _, revision = source.removeprefix(PREFIX).partition("@")
    for _ in range(2):  # what a cache on the way spoilt is not spoilt twice
        begun = time.time()
        folder = _fetched(source, name, revision or None, kind)
        broken = _broken(folder, begun)
        if not broken:
            return str(folder)
        for file in broken:
            file.resolve().unlink()
            file.unlink(missing_ok=True)
    raise InputError(
        f"{source}: {broken[0].relative_to(folder)} is not what its checksum on the hub says, twice: it was removed again"
    )


def model_folder(source: str) -> str:
    """`local_folder` of a model: of one that `vistune push` wrote the checkpoint, which lies behind its exported form."""
    if not source.startswith(PREFIX):
        return source
    folder = Path(local_folder(source, "model"))
    inside = folder / "vistune"
    return str(inside if (inside / "vistune.yaml").is_file() else folder)


def _fetched(source: str, name: str, revision: str | None, kind: Kind) -> Path:
    """Ask for the snapshot; where the server fails (5xx) or breaks off, once more after each of `WAITS`."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    for wait in (*WAITS, None):
        try:
            return Path(snapshot_download(name, repo_type=kind, revision=revision))
        except (OSError, HfHubHTTPError, HFValidationError) as error:
            # A server that is not there is not asked again: offline, the refusal comes at once.
            if wait is None or not _passing(error):
                said = (str(error).splitlines() or [type(error).__name__])[0]
                what = "model" if kind == "model" else "data set"
                raise InputError(f"{source}: the hub gives no {what} of that name: {said}") from error
        time.sleep(wait)
    raise AssertionError("the last round returns or raises")


def _passing(error: BaseException | None) -> bool:
    """Is a failure of the server behind the error, which may pass?"""
    while error is not None:
        response = getattr(error, "response", None)
        if response is not None:
            return int(response.status_code) >= 500
        error = error.__cause__ or error.__context__
    return False


def _broken(folder: Path, since: float) -> list[Path]:
    """Files that this call fetched and whose content is not what their name in the cache says.

    The cache names a content by what the hub calls it: the SHA-256 of a large file, the SHA-1 that git gives a small one.
    """
    found = []
    for file in sorted(folder.rglob("*")):
        content = file.resolve()
        # A file system may keep times in whole seconds.
        if content.is_file() and content.stat().st_mtime >= since - 1 and not _is_itself(content):
            found.append(file)
    return found


def _is_itself(content: Path) -> bool:
    if _SHA256.fullmatch(content.name):
        return sha256(content) == content.name
    if _SHA1.fullmatch(content.name):
        data = content.read_bytes()
        # Git hashes a header with the length before the bytes; SHA-1 is its name for them, no defence.
        return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == content.name
    return True  # copied out of the cache, where the system has no links: nothing to compare with
