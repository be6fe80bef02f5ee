"""Dividing data into parts that share no picture, the same way every time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from vistune.data.samples import Samples
from vistune.data.writers.samples import write
from vistune.errors import InputError
from vistune.files import atomic_path
from vistune.progress import track
from vistune.sample import Media, Sample

By: TypeAlias = Literal["media", "sample"]


def parse_parts(text: str) -> dict[str, float]:
    """`train=0.9,val=0.1` to shares that sum to 1. Raises `InputError` for anything else."""
    parts: dict[str, float] = {}
    for item in text.split(","):
        name, equals, share = item.strip().partition("=")
        try:
            value = float(share)
        except ValueError:
            value = -1.0
        if not equals or not name.isidentifier() or name in parts or not 0 < value <= 1:
            raise InputError(f"parts {text!r}: expected names with shares between 0 and 1, such as train=0.9,val=0.1")
        parts[name] = value
    if abs(sum(parts.values()) - 1) > 1e-9:
        raise InputError(f"parts {text!r}: the shares sum to {sum(parts.values()):g}, not to 1")
    return parts


def assign(data: Samples, parts: Mapping[str, float], by: str = "media", seed: int = 0) -> dict[str, list[int]]:
    """Sample numbers of each part.

    by:  "media": samples that share a medium stay together, also through others; "sample": each alone; "meta.KEY": samples with
         the same value of a meta key stay together

    The part follows from a hash of the group's name and the seed alone: data that is added later moves nothing from one part to
    another (unless it ties two groups together). Shares are therefore met on average, not exactly. Raises `InputError` for a
    sample that cannot be read or lacks the key.
    """
    key_of = _keys(by)
    groups = _Groups()
    owner: list[str] = []
    for index in track(range(len(data)), "grouping", len(data)):
        keys = key_of(data[index])
        owner.append(keys[0])
        groups.join(keys)
    result: dict[str, list[int]] = {name: [] for name in parts}
    for index, key in enumerate(owner):
        result[_part(groups.name(key), parts, seed)].append(index)
    return result


def write_parts(
    data: Samples, parts: Mapping[str, Sequence[int]], out: Path, images: Path, sources: Sequence[str] = ()
) -> dict[str, Path]:
    """Write each part to `out/NAME.jsonl`; all appear at the end, or none.

    Raises `InputError` when a part would take the place of one of `sources`, the files that the data is read from.
    """
    targets = {name: out / f"{name}.jsonl" for name in parts}
    for target in targets.values():
        if target.exists() and any(os.path.samefile(target, source) for source in sources):
            raise InputError(f"{target} is what the data is read from: choose another folder, or other names for the parts")
    with ExitStack() as stack:
        for name, target in targets.items():
            temporary = stack.enter_context(atomic_path(target))
            write((data[index] for index in parts[name]), str(temporary), images)
    return targets


def _keys(by: str) -> Callable[[Sample], list[str]]:
    if by == "sample":
        return lambda sample: [sample.id]
    if by == "media":
        return lambda sample: [medium.name if medium.path else _content(medium) for medium in sample.media] or [sample.id]
    head, dot, key = by.partition(".")
    if head != "meta" or not dot or not key:
        raise InputError(f"by {by!r}: expected media, sample or meta.KEY")

    def of_meta(sample: Sample) -> list[str]:
        if key not in sample.meta:
            raise InputError(f"{sample.where}: has no meta key {key!r} to keep together by")
        return [str(sample.meta[key])]

    return of_meta


def _content(medium: Media) -> str:
    data = medium.data.tobytes() if isinstance(medium.data, np.ndarray) else medium.read_bytes()
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _part(name: str, parts: Mapping[str, float], seed: int) -> str:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8, key=str(seed).encode()).digest()
    place = int.from_bytes(digest) / 2**64
    for part, share in parts.items():
        place -= share
        if place < 0:
            return part
    return list(parts)[-1]


class _Groups:
    """Sets of keys that belong together (union-find); a group is named by its smallest key."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def name(self, key: str) -> str:
        root = key
        while (above := self._parent.setdefault(root, root)) != root:
            root = above
        while key != root:
            self._parent[key], key = root, self._parent[key]
        return root

    def join(self, keys: list[str]) -> None:
        roots = {self.name(key) for key in keys}
        smallest = min(roots)
        for root in roots:
            self._parent[root] = smallest
