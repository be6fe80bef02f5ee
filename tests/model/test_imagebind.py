"""One space for pictures, films and sounds: the numbers of ImageBind, from its published file, and any medium at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mechanisms import Golden, close
from safetensors.torch import save_file
from torch import Tensor

from vistune.errors import InputError
from vistune.model.encoders.imagebind import Imagebind
from vistune.model.interchange.formats.imagebind import TOWERS
from vistune.sample import Media

SIZES: dict[str, Any] = {"joint": 10, "size": 12, "patch": 4, "vision_width": 16, "vision_depth": 2, "vision_heads": 2}
SIZES |= {"audio_width": 12, "audio_depth": 2, "audio_heads": 2, "mels": 16, "frames": 20, "audio_patch": 6, "audio_stride": 4}
RANDOM = np.random.default_rng(0)
MEDIA = {
    "image": Media("image", data=RANDOM.integers(0, 256, (30, 40, 3), dtype=np.uint8)),
    "video": Media("video", data=RANDOM.integers(0, 256, (7, 30, 40, 3), dtype=np.uint8)),
    "audio": Media("audio", data=RANDOM.normal(size=(50_000, 2)).astype(np.float32) * 0.1),
}


def clips(encoder: Imagebind, inputs: Tensor, kind: str) -> Tensor:
    """`[N, T, ...]` -> the mean of the clips' embeddings `[N, joint]`."""
    joint = encoder.see(inputs.flatten(0, 1), kind).pooled
    assert joint is not None
    return joint.unflatten(0, inputs.shape[:2]).mean(dim=1)


def test_embeddings_tokens_and_gradients_are_imagebinds(tmp_path: Path) -> None:
    golden = Golden("imagebind_encoder")
    published = {name.removeprefix("param/"): tensor for name, tensor in golden.tensors.items() if name.startswith("param/")}
    save_file(published, tmp_path / "imagebind.safetensors")
    ours = Imagebind(str(tmp_path / "imagebind.safetensors"), **SIZES).eval()
    picture = golden["in/image"][:, None, :, None].expand(-1, -1, -1, 2, -1, -1)
    image, film = clips(ours, picture, "image"), clips(ours, golden["in/film"], "video")
    sound = clips(ours, golden["in/sound"], "audio")
    close(image, golden["out/image"], 2e-5, 2e-4)
    close(film, golden["out/film"], 2e-5, 2e-4)
    close(sound, golden["out/sound"], 5e-5, 2e-4)
    ours.out = "tokens"
    close(ours.see(picture.flatten(0, 1), "image").x, golden["out/image_tokens"], 2e-5, 2e-4)
    close(ours.see(golden["in/sound"].flatten(0, 1), "audio").x, golden["out/sound_tokens"], 2e-5, 2e-4)
    weights = golden["in/w_loss"]
    ((image * weights[0]).sum() + (film * weights[1]).sum() + (sound * weights[2]).sum()).backward()
    golden.gradients(ours, TOWERS)


@pytest.mark.parametrize("out", ["pooled", "tokens"])
@pytest.mark.parametrize("kind", MEDIA)
def test_every_kind_gives_what_its_header_promises(kind: Any, out: Any) -> None:
    ours = Imagebind(kinds=[kind], out=out, **SIZES)
    prepared, layout = ours.read(MEDIA[kind]), ours.layout(MEDIA[kind])
    features = ours.see(prepared.inputs, kind)
    assert layout.inputs == {"image": 1, "video": 4, "audio": 3}[kind] and prepared.layout == layout
    assert features.x.shape == (layout.inputs, layout.tokens, ours.width)
    length = features.pooled.norm(dim=-1) if features.pooled is not None else torch.zeros(1)
    close(length, torch.full_like(length, 20.0 if kind == "audio" else 1.0), 1e-4)
    features.x.sum().backward()
    assert len(ours.blocks) == 2


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="towers differ in width"):
        Imagebind(out="tokens", **SIZES)
    with pytest.raises(InputError, match="kinds are audio, not image"):
        Imagebind(kinds=["audio"], **SIZES).layout(MEDIA["image"])
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"broken\.pth cannot be read as weights"):
        Imagebind(str(tmp_path / "broken.pth"), **SIZES)
