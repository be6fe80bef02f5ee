"""From format to format, through samples; fields that the target cannot hold are refused, or left out by name."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vistune.data.held import extracted
from vistune.data.rejects import Rejects
from vistune.data.samples import Samples
from vistune.errors import InputError, nearest
from vistune.progress import track
from vistune.sample import Sample
from vistune.spec import kinds

_ENDINGS = (".json", ".jsonl")
DROPPABLE = ("regions", "answers", "choices", "meta", "turns")


def convert(
    source: Samples,
    kind: str,
    path: str,
    *,
    images: str | None = None,
    drop: Sequence[str] = (),
    extract: str | None = None,
    rejects: Rejects | None = None,
) -> tuple[int, dict[str, Any]]:
    """Write `source` as `kind` to `path`; gives the number of samples and the spec that reads them back.

    images:   the folder media paths are written relative to (default: the file's own)
    drop:     parts of every sample to leave out, of `DROPPABLE`
    extract:  a folder for media that are no files of their own (bytes in memory, parts of archives)
    rejects:  where samples that cannot be read go; without it the first one stops the conversion

    Raises `InputError` for an unknown kind and for the first sample that the format cannot hold; nothing is then written.
    """
    known = kinds("vistune.data.writers")
    if kind not in known:
        raise InputError(f"there is no writer for {kind!r}{nearest(kind, known)}")
    if strange := [name for name in drop if name not in DROPPABLE]:
        raise InputError(
            f"drop: {strange[0]!r} is no part of a sample that can be left out{nearest(strange[0], list(DROPPABLE))}"
        )
    if kind not in ("shards", "samples") and Path(path).suffix not in _ENDINGS:  # readers go by it
        raise InputError(f"{kind} is JSON, but {path} ends in {Path(path).suffix!r}: choose a name in {' or '.join(_ENDINGS)}")
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder: name the file to write")
    writer = importlib.import_module(f"vistune.data.writers.{kind}")
    folder = Path(images) if images is not None else Path(path).parent
    samples: Iterable[Sample] = _without(readable(source, rejects), drop)
    if extract is not None:
        samples = extracted(samples, Path(extract))
    count = writer.write(track(samples, f"writing {path}", len(source)), path, folder)
    back = {**writer.READ, "path": writer.written(path, count) if kind == "shards" else path}
    if kind != "shards" and images is not None:
        back["images"] = images
    return count, back


def readable(source: Samples, rejects: Rejects | None) -> Iterator[Sample]:
    """The samples in order; one that cannot be read goes to `rejects`, or raises its `InputError` when there are none."""
    for index in range(len(source)):
        try:
            sample = source[index]
        except InputError as error:
            if rejects is None:
                raise
            rejects.add(index, str(error))
            continue
        yield sample


def _without(samples: Iterable[Sample], drop: Sequence[str]) -> Iterator[Sample]:
    nothing: dict[str, Any] = {name: {} if name == "meta" else () for name in drop}
    for sample in samples:
        yield replace(sample, **nothing) if nothing else sample
