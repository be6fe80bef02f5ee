"""What a frozen encoder, or encoder and connector, makes of a picture, kept on disk: computed once, then mapped into memory.

FOLDER/
    3f0c...          one folder for all that decides the numbers: specs, weights, preparing, number format, device, torch
        a1/          pictures by the SHA-256 of their bytes
            a1b7....safetensors       x [T, L, D] (or tokens [K, H]); the geometry in the header

A file appears whole, by a rename, so that runs may share a folder, be killed and go on. A file that is not whole is made again.
Numbers are those of the encoder, bit for bit, where it gives a picture the same bits whatever stands beside it in a batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vistune.data.media.image import content_hash, image_size, load_image
from vistune.files import atomic_path
from vistune.model.connectors.base import Connector
from vistune.model.encoders.base import Encoder
from vistune.model.features import Features, Geometry, Prepared
from vistune.model.weights.sharding import whole
from vistune.sample import Media
from vistune.spec import Spec

Level: TypeAlias = Literal["encoder", "connector"]


class FeatureCache:
    """Features of `vision` (`level` "encoder"), or tokens of `connector` behind it ("connector"), in `folder`.

    `identity` is whatever else decides the numbers: specs, number format, device.
    """

    def __init__(
        self, folder: Path, level: Level, vision: Encoder, connector: Connector, identity: Sequence[str | Spec]
    ) -> None:
        self.level = level
        self.vision = vision
        parts = [vision, connector] if level == "connector" else [vision]
        self.folder = folder / fingerprint(parts, [level, torch.__version__, _preparing(vision), *identity])[:32]
        self.found = self.made = 0

    def prepare(self, medium: Media, where: str) -> Prepared:
        """A medium ready for `features` or `tokens`: what is kept of it, without decoding it, or its pixels."""
        key = content_hash(medium, where)
        try:
            with safe_open(self._file(key), "pt") as file:
                metadata = file.metadata()
                kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (FileNotFoundError, SafetensorError):
            return replace(self.vision.prepare(load_image(medium, where)), key=key)
        scale, offset = json.loads(metadata["geometry"])
        empty = torch.empty(int(metadata["inputs"]), 0)
        return Prepared(empty, Geometry(tuple(scale), tuple(offset)), self.vision.tiling(image_size(medium, where)), key, kept)

    def features(
        self, media: Sequence[Prepared], see: Callable[[Sequence[Prepared]], Features], device: torch.device
    ) -> Features:
        """Features of all inputs of `media`, in order; `see` computes what is not kept, which then is."""
        new = [medium for medium in media if medium.kept is None]
        fresh: dict[int, dict[str, Tensor]] = {}
        if new:
            seen = see(new)
            start = 0
            for medium in new:
                rows = seen.rows(torch.arange(start, start + len(medium.pixels), device=seen.x.device))
                start += len(medium.pixels)
                fresh[id(medium)] = _tensors(rows)
                self._write(medium, fresh[id(medium)])
        parts = [fresh[id(medium)] if medium.kept is None else medium.kept for medium in media]
        self._count(media, new)
        joined = {name: torch.cat([part[name].to(device) for part in parts]) for name in parts[0]}
        layers = {int(name.removeprefix("layers.")): tensor for name, tensor in joined.items() if name.startswith("layers.")}
        return Features(joined["x"], self.vision.grid((self.vision.size,) * 2), joined.get("pooled"), layers or None)

    def tokens(
        self, media: Sequence[Prepared], connect: Callable[[Sequence[Prepared]], list[Tensor]], device: torch.device
    ) -> list[Tensor]:
        """Visual tokens `[K, H]` of each of `media`; `connect` computes what is not kept, which then is."""
        new = list({id(medium): medium for medium in media if medium.kept is None}.values())
        fresh: dict[int, Tensor] = {}
        if new:
            with torch.no_grad():
                fresh = dict(zip(map(id, new), connect(new), strict=True))
            for medium in new:
                self._write(medium, {"tokens": fresh[id(medium)]})
        self._count(media, new)
        return [fresh[id(medium)] if medium.kept is None else medium.kept["tokens"].to(device) for medium in media]

    def _count(self, media: Sequence[Prepared], new: Sequence[Prepared]) -> None:
        self.made += len(new)
        self.found += len(media) - len(new)

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"

    def _write(self, medium: Prepared, tensors: dict[str, Tensor]) -> None:
        if not medium.key:  # made without a medium: a filler of a distributed step
            return
        geometry = json.dumps([medium.geometry.scale, medium.geometry.offset])
        metadata = {"geometry": geometry, "inputs": str(len(medium.pixels))}
        contents = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata)
        with atomic_path(self._file(medium.key)) as temporary:
            temporary.write_bytes(contents)


def fingerprint(parts: Sequence[nn.Module], identity: Sequence[str | Spec]) -> str:
    """SHA-256 of the parts' weights and of what else decides their numbers."""
    digest = hashlib.sha256(json.dumps(list(identity), sort_keys=True, default=str).encode())
    for part in parts:
        for name, tensor in part.state_dict().items():
            digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
            bits = whole(tensor.detach()).cpu().contiguous().flatten().view(torch.uint8)
            digest.update(bits.numpy().data)
    return digest.hexdigest()


def _preparing(vision: Encoder) -> str:
    """SHA-256 of what the encoder is shown of a picture: its scaling and normalisation may stand in a file that has changed."""
    rows, columns = np.mgrid[0:48, 0:64]
    picture = np.stack([rows * 5, columns * 4, (rows * columns) % 256], axis=-1).astype(np.uint8)
    return hashlib.sha256(vision.prepare(Image.fromarray(picture)).pixels.contiguous().numpy().tobytes()).hexdigest()


def _tensors(features: Features) -> dict[str, Tensor]:
    """Features as named tensors."""
    named = {"x": features.x, **({} if features.pooled is None else {"pooled": features.pooled})}
    return named | {f"layers.{number}": layer for number, layer in (features.layers or {}).items()}
