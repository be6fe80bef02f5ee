"""What a frozen encoder, or encoder and connectors, makes of a medium, kept on disk: computed once, then mapped into memory.

FOLDER/
    3f0c...          one folder for all that decides the numbers: specs, weights, preparing, number format, device, torch
        a1/          media by the SHA-256 of their bytes
            a1b7....safetensors       x [T, L, D] (or tokens [K, H]); the geometry in the header

A file appears whole, by a rename, so that runs may share a folder, be killed and go on. A file that is not whole is made again.
Numbers are those of the encoder, bit for bit, where it gives a medium the same bits whatever stands beside it in a batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vistune.data.media.image import content_hash
from vistune.files import atomic_path
from vistune.model.features import Features, Geometry, Layout, Prepared
from vistune.model.weights.sharding import whole
from vistune.sample import Media
from vistune.spec import Spec

Level: TypeAlias = Literal["encoder", "connector"]


class MediaCache(Protocol):
    """What a chain asks of whatever keeps its media: on disk for training, in memory for serving."""

    @property
    def level(self) -> Level:
        """Whose numbers are kept."""
        ...

    def prepare(
        self, medium: Media, where: str, read: Callable[[Media, str], Prepared], layout: Callable[[Media, str], Layout]
    ) -> Prepared:
        """A medium ready for `features` or `tokens`."""
        ...

    def features(
        self, media: Sequence[Prepared], see: Callable[[Sequence[Prepared]], list[Features]], device: torch.device
    ) -> list[Features]:
        """Features of each of `media`."""
        ...

    def tokens(
        self, media: Sequence[Prepared], connect: Callable[[Sequence[Prepared]], list[Tensor]], device: torch.device
    ) -> list[Tensor]:
        """Tokens `[K, H]` of each of `media`."""
        ...


class FeatureCache:
    """Features of an encoder (`level` "encoder"), or tokens of the connectors behind it ("connector"), in `folder`.

    `parts` compute them; `probe` is a medium as they are shown it, since scaling and normalisation may stand in a file that has
    changed. `identity` is whatever else decides the numbers: specs, number format, device.
    """

    def __init__(
        self, folder: Path, level: Level, parts: Sequence[nn.Module], probe: Tensor, identity: Sequence[str | Spec]
    ) -> None:
        self.level: Level = level
        shown = hashlib.sha256(probe.contiguous().numpy().tobytes()).hexdigest()
        # One folder per state of the parts: entries of other weights, settings or versions are simply not found, and nothing
        # has to be invalidated.
        self.folder = folder / fingerprint(parts, [level, torch.__version__, shown, *identity])[:32]
        self.found = self.made = 0

    def prepare(
        self, medium: Media, where: str, read: Callable[[Media, str], Prepared], layout: Callable[[Media, str], Layout]
    ) -> Prepared:
        """A medium ready for `features` or `tokens`: what is kept of it, without decoding it, or as `read`.

        Its `layout` is a function of the header and is not kept.
        """
        # By content, not by path: a picture that is replaced under its old name gets a new entry.
        key = content_hash(medium, where)
        try:
            with safe_open(self._file(key), "pt") as file:
                metadata = file.metadata()
                kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        # A damaged entry (a full disk, a copy that was cut) counts as missing; it is written again by the rename below.
        except (FileNotFoundError, SafetensorError):
            return replace(read(medium, where), key=key)
        scale, offset = json.loads(metadata["geometry"])
        # The number of inputs is kept in the shape, since packing budgets and `split` count with it; the pixels are not
        # needed any more.
        empty = torch.empty(int(metadata["inputs"]), 0)
        return Prepared(empty, Geometry(tuple(scale), tuple(offset)), layout(medium, where), key, kept)

    def features(
        self, media: Sequence[Prepared], see: Callable[[Sequence[Prepared]], list[Features]], device: torch.device
    ) -> list[Features]:
        """Features of each of `media`; features that are missing are computed by `see`, and kept."""
        # Features are asked once for each distinct medium (the chain sees to it), so identity is a safe key here.
        new = [medium for medium in media if medium.kept is None]
        fresh = dict(zip(map(id, new), see(new) if new else [], strict=True))
        for medium in new:
            self._write(medium, _tensors(fresh[id(medium)]))
        self._count(media, new)
        return [fresh[id(medium)] if medium.kept is None else _features(medium.kept, medium.layout, device) for medium in media]

    def tokens(
        self, media: Sequence[Prepared], connect: Callable[[Sequence[Prepared]], list[Tensor]], device: torch.device
    ) -> list[Tensor]:
        """Tokens `[K, H]` of each of `media`; tokens that are missing are computed by `connect`, and kept."""
        # Tokens are asked for by place, so a medium that is shown twice comes twice and must be computed once.
        new = list({id(medium): medium for medium in media if medium.kept is None}.values())
        fresh: dict[int, Tensor] = {}
        if new:
            with torch.no_grad():
                # Without gradients: tokens are cached only where encoder and connectors are frozen.
                fresh = dict(zip(map(id, new), connect(new), strict=True))
            for medium in new:
                self._write(medium, {"tokens": fresh[id(medium)]})
        self._count(media, new)
        return [fresh[id(medium)] if medium.kept is None else medium.kept["tokens"].to(device) for medium in media]

    def _count(self, media: Sequence[Prepared], new: Sequence[Prepared]) -> None:
        self.made += len(new)
        self.found += len(media) - len(new)

    def _file(self, key: str) -> Path:
        # Two letters of the hash as a folder, so that no folder holds hundreds of thousands of files.
        return self.folder / key[:2] / f"{key}.safetensors"

    def _write(self, medium: Prepared, tensors: dict[str, Tensor]) -> None:
        if not medium.key:  # made without a medium: a filler of a distributed step
            return
        geometry = json.dumps([medium.geometry.scale, medium.geometry.offset])
        metadata = {"geometry": geometry, "inputs": str(len(medium.inputs))}
        # Copies: a summary may be a view of the tokens (ImageBind's vector is both), which safetensors does not write twice.
        own = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
        contents = save(own, metadata)
        with atomic_path(self._file(medium.key)) as temporary:
            temporary.write_bytes(contents)


def fingerprint(parts: Sequence[nn.Module], identity: Sequence[str | Spec]) -> str:
    """SHA-256 of the parts' weights and of what else decides their numbers."""
    digest = hashlib.sha256(json.dumps(list(identity), sort_keys=True, default=str).encode())
    for part in parts:
        for name, tensor in part.state_dict().items():
            # Name, type and shape stand before the bytes: without them two tensors could trade bytes at their border unseen.
            digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
            # As raw bytes, since numpy has no bfloat16; `whole` gathers what FSDP2 has cut, whose shards differ by rank.
            bits = whole(tensor.detach()).cpu().contiguous().flatten().view(torch.uint8)
            digest.update(bits.numpy().data)
    return digest.hexdigest()


def _tensors(features: Features) -> dict[str, Tensor]:
    """Features as named tensors."""
    named = {"x": features.x, **({} if features.pooled is None else {"pooled": features.pooled})}
    return named | {f"layers.{number}": layer for number, layer in (features.layers or {}).items()}


def _features(kept: dict[str, Tensor], layout: Layout, device: torch.device) -> Features:
    """The inverse of `_tensors`."""
    tensors = {name: tensor.to(device) for name, tensor in kept.items()}
    layers = {int(name.removeprefix("layers.")): tensor for name, tensor in tensors.items() if name.startswith("layers.")}
    return Features(tensors["x"], layout.grid, tensors.get("pooled"), layers or None)
