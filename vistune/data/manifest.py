"""What exactly a run was trained on: every data file by content hash."""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vistune.data.readers.base import told
from vistune.data.records.file_patterns import expand
from vistune.data.records.shard_records import shard_files
from vistune.data.samples import Samples, parse, read
from vistune.errors import InputError
from vistune.files import read_yaml, sha256

Json = dict[str, Any]


def manifest(spec: str | Mapping[str, Any]) -> Json:
    """`{"spec": ..., "samples": n, "unused_keys": {...}, "files": {path: {...}}}` for a data spec, nested ones included.

    A file is hashed (SHA-256 of its content). A folder, which may hold a million pictures, is listed: number of files, bytes,
    and the SHA-256 of all names and sizes. Raises `InputError` for a spec that cannot be read.
    """
    resolved = parse(spec) if isinstance(spec, str) else dict(spec)
    samples = read(resolved)
    return {
        "spec": resolved,
        "samples": len(samples),
        "unused_keys": unused_keys(samples),
        "files": {path: _state(path) for path in named(resolved)},
    }


def unused_keys(samples: Samples, most: int = 1000) -> Json:
    """`{"looked_at": n, "keys": {key: records}}`: what the reader met in evenly spread records and makes no use of.

    Records that cannot be read are passed over: training names them, and `vistune data check` reads all.
    """
    count = min(len(samples), most)
    met: Counter[str] = Counter()
    for place in range(count):
        with suppress(InputError):
            met.update(told(samples, place * len(samples) // count)[1])
    return {"looked_at": count, "keys": dict(met.most_common())}


def named(spec: str | Mapping[str, Any]) -> list[str]:
    """The files and folders that a data spec names, nested ones included, sorted."""
    resolved = parse(spec) if isinstance(spec, str) else dict(spec)
    return sorted({path for text in _texts(resolved) for path in _paths(text)})


def _texts(value: Any) -> Iterator[str]:
    """All texts of a spec; those that are specs themselves, and mixture files, taken apart."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "data" and isinstance(item, str):
                item = parse(item)
            yield from _texts(item)
        if value.get("kind") == "mixture" and isinstance(value.get("path"), str):
            yield from _texts(read_yaml(value["path"]))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts({"data": item} if isinstance(item, str) and ":" in item else item)
    elif isinstance(value, str):
        yield value


def _paths(text: str) -> list[str]:
    """The files or folders that a text of a spec names, if it names any."""
    if os.path.exists(text):
        return [text]
    if "{" in text and ".." not in text and "/" in text:
        return [str(path) for path, _ in expand(text)] if Path(text.partition("{")[0]).parent.is_dir() else []
    if "{" in text and ".." in text and os.path.isdir(os.path.dirname(text) or "."):
        return [path for path in shard_files(text) if os.path.exists(path)]
    if glob.has_magic(text):  # a question mark may also end a question
        return sorted(glob.glob(text))
    return []


def _state(path: str) -> Json:
    if Path(path).is_file():
        return {"bytes": os.stat(path).st_size, "sha256": sha256(path)}
    digest, count, total = hashlib.sha256(), 0, 0
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            size = os.stat(os.path.join(folder, name)).st_size
            relative = os.path.relpath(os.path.join(folder, name), path)
            digest.update(f"{relative}\0{size}\n".encode("utf-8", "surrogateescape"))
            count, total = count + 1, total + size
    return {"files": count, "bytes": total, "names_and_sizes_sha256": digest.hexdigest()}
