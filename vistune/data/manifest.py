"""What exactly a run was trained on: every data file by content hash, every picture, film and sound by what it holds."""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from vistune.data.readers.base import told
from vistune.data.records.file_patterns import expand
from vistune.data.records.shard_records import shard_files
from vistune.data.samples import Samples, parse, read
from vistune.errors import InputError
from vistune.files import read_yaml, regular, sha256

Json = dict[str, Any]
MARK = 8  # digits of a medium's mark
_MARKED = 1 << 16  # bytes that are read for it at either end


def manifest(spec: str | Mapping[str, Any]) -> Json:
    """`{"spec": ..., "samples": n, "unused_keys": {...}, "files": {path: {...}}, "media": {...}}` for a data spec.

    A file is hashed (SHA-256 of its content), those of nested specs as well. A folder, which may hold a million pictures, is
    listed: number of files, bytes, and the SHA-256 of all names and sizes. `media` has the number of media in files beside
    those, and the `mark` of each, one behind the other, in the order in which they are first shown. Raises `InputError` for a
    spec that cannot be read.
    """
    resolved = parse(spec) if isinstance(spec, str) else dict(spec)
    samples = read(resolved)
    files = named(resolved)
    media = media_files(samples, files)
    return {
        "spec": resolved,
        "samples": len(samples),
        "unused_keys": unused_keys(samples),
        "files": {path: _state(path) for path in files},
        "media": {"count": len(media), "marks": "".join(map(mark, media))},
    }


def media_files(samples: Samples, files: Sequence[str]) -> list[str]:
    """The files of media that samples show, in the order in which they do; none for data that names no `files`: it is made.

    Samples that cannot be read are passed over: training names them.
    """
    if not files:
        return []
    known, found = set(files), dict[str, None]()
    for index in range(len(samples)):
        with suppress(InputError):
            found |= {medium.path: None for medium in samples[index].media if medium.path is not None}
    return [path for path in found if path not in known]


def mark(path: str) -> str:
    """Eight hexadecimal digits of a file's content: of its length, its beginning and its end, 64 KB of each.

    A set of a million pictures is marked in minutes, where reading all of it takes hours; another picture in a file's place
    differs in these as good as always. A file that is not there has a mark, too.
    """
    digest = hashlib.sha256()
    with suppress(OSError), open(regular(path), "rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest.update(size.to_bytes(8))
        for place in sorted({0, max(0, size - _MARKED)}):
            file.seek(place)
            digest.update(file.read(_MARKED))
    return digest.hexdigest()[:MARK]


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
