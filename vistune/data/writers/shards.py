"""WebDataset tar archives: each sample's JSON and its media under one key, in archives of a bounded number of samples."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from vistune.data.held import encoded_file
from vistune.files import atomic_path
from vistune.sample import Media, Sample

READ: dict[str, object] = {"kind": "shards", "layout": {"kind": "samples"}}
PER_SHARD = 10_000


def write(samples: Iterable[Sample], path: str, images: Path, per_shard: int = PER_SHARD) -> int:
    """Write `NAME-00000.tar`, `NAME-00001.tar`, ... for the path `NAME.tar` and return how many samples there are.

    Media are copied into the archives, so `images` is not looked at. The archives are the same bytes for the same samples.
    """
    stem = path.removesuffix(".tar")
    count = 0
    for number, group in enumerate(_groups(samples, per_shard)):
        with (
            atomic_path(f"{stem}-{number:05d}.tar") as temporary,
            tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            for sample in group:
                _add_sample(tar, f"{count:09d}", sample)
                count += 1
    return count


def _groups(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    iterator = iter(samples)
    while group := list(islice(iterator, size)):
        yield group


def _add_sample(tar: tarfile.TarFile, key: str, sample: Sample) -> None:
    media = []
    for number, medium in enumerate(sample.media):
        data, ending = _content(medium)
        name = f"{number}.{ending}"
        _add(tar, f"{key}.{name}", data)
        media.append(Media.file(medium.kind, name))
    _add(tar, f"{key}.json", json.dumps(replace(sample, media=tuple(media)).to_json(), ensure_ascii=False).encode("utf-8"))


def _content(medium: Media) -> tuple[bytes, str]:
    if medium.path is None or medium.offset is not None:
        return encoded_file(medium)
    return medium.read_bytes(), Path(medium.path).suffix.lower().lstrip(".") or encoded_file(medium)[1]


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)  # the default time, owner and mode: equal samples give equal archives
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
