"""WebDataset tar archives: each sample's JSON and its media under one key, in archives of a bounded number of samples."""

from __future__ import annotations

import io
import itertools
import os
import tarfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from vistune.data.fields.media_files import SUFFIXES
from vistune.data.held import encoded_file, json_line
from vistune.errors import InputError
from vistune.files import atomic_path
from vistune.sample import Media, Sample

READ: dict[str, object] = {"kind": "shards", "layout": {"kind": "samples"}}
PER_SHARD = 10_000


def write(samples: Iterable[Sample], path: str, images: Path, per_shard: int = PER_SHARD) -> int:
    """Write `NAME-00000.tar`, `NAME-00001.tar`, ... for the path `NAME.tar` and return how many samples there are.

    Media are copied into the archives, so `images` is not looked at. The archives are the same bytes for the same samples; all
    appear at the end, or none. Raises `InputError` for what JSON or an archive cannot hold, and when an earlier conversion left
    more archives of this name than there are now: they would be read with the new ones.
    """
    stem = path.removesuffix(".tar")
    count = 0
    iterator = iter(samples)
    with ExitStack() as stack:
        for number in itertools.count():
            group = islice(iterator, per_shard)
            if (first := next(group, None)) is None:
                _refuse_leftovers(stem, number)
                return count
            temporary = stack.enter_context(atomic_path(f"{stem}-{number:05d}.tar"))
            with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
                for sample in chain([first], group):
                    _add_sample(tar, f"{count:09d}", sample)
                    count += 1
    return count


def written(path: str, count: int, per_shard: int = PER_SHARD) -> str:
    """The archives of `count` samples as the shards reader's path: a range, which matches no other data's beside them."""
    return f"{path.removesuffix('.tar')}-{{00000..{max(0, (count - 1) // per_shard):05d}}}.tar"


def _refuse_leftovers(stem: str, number: int) -> None:
    left = f"{stem}-{number:05d}.tar"
    if os.path.exists(left):
        raise InputError(f"{left} is left of an earlier, larger conversion: remove it and what follows, or choose another name")


def _add_sample(tar: tarfile.TarFile, key: str, sample: Sample) -> None:
    media = []
    for number, medium in enumerate(sample.media):
        data, ending = _content(medium, sample)
        name = f"{number}.{ending}"
        _add(tar, f"{key}.{name}", data)
        media.append(Media.file(medium.kind, name))
    record = replace(sample, media=tuple(media)).to_json()
    _add(tar, f"{key}.json", json_line(record, sample.where).encode("utf-8"))


def _content(medium: Media, sample: Sample) -> tuple[bytes, str]:
    """The medium's bytes and an ending that the reader of archives knows; the record says of which kind it is."""
    if medium.path is None or medium.offset is not None:
        return encoded_file(medium)
    ending = Path(medium.path).suffix.lower()
    if ending in SUFFIXES:
        return medium.read_bytes(), ending.lstrip(".")
    if ending and medium.kind != "image":
        raise InputError(f"{sample.where}: shards cannot hold {medium.name}: no {medium.kind} file is known to end in {ending}")
    return encoded_file(medium)  # of a picture, the first bytes tell what it is


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)  # the default time, owner and mode: equal samples give equal archives
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
