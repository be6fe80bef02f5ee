"""Vision towers: the chosen layer of every family, geometry, resolution, pairs; broken directories are one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers as hf
from families import TOWERS, tower
from PIL import Image

from vistune.errors import InputError
from vistune.model.encoders.base import Encoder
from vistune.model.encoders.convnext import Convnext
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.encoders.pair import Pair
from vistune.spec import build

PICTURE = Image.linear_gradient("L").resize((48, 30)).convert("RGB")
PREFIX = {"clip": 1, "siglip": 0, "siglip2": 0, "dinov2": 1, "dinov2_registers": 4, "vit": 1}


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {name: tower(name, tmp_path_factory.mktemp(name)) for name in TOWERS}


def spec(name: str, path: str) -> dict[str, object]:
    return {"kind": "convnext", "path": path, "size": 32} if name == "convnext" else {"kind": "huggingface", "path": path}


@pytest.mark.parametrize("name", TOWERS)
def test_every_family_prepares_sees_and_learns(name: str, towers: dict[str, str]) -> None:
    encoder: Encoder = build("vistune.model.encoders", spec(name, towers[name]), Encoder)
    prepared = encoder.prepare(PICTURE)
    features = encoder(prepared.inputs)
    assert features.x.shape == (1, encoder.num_tokens(PICTURE.size), encoder.width)
    assert features.grid == encoder.grid(PICTURE.size)
    features.x.sum().backward()
    assert len(encoder.blocks) in (3, 4) and next(encoder.blocks[0].parameters()).grad is not None
    corner = prepared.geometry.to_input((0.0, 0.0)), prepared.geometry.to_input((1.0, 1.0))
    assert corner[0] == pytest.approx((0, 9 / 48)) and corner[1] == pytest.approx((1, 39 / 48))  # padded above and below


@pytest.mark.parametrize("name", PREFIX)
def test_layers_and_the_tokens_in_front_are_those_of_transformers(name: str, towers: dict[str, str]) -> None:
    encoder = Huggingface(towers[name], layer=[1, -2], cls="keep").eval()
    front = PREFIX[name]
    pixels = encoder.prepare(PICTURE).inputs
    with torch.no_grad():
        x = encoder(pixels).x
        alone = Huggingface(towers[name], layer=-2).eval()(pixels).x
        if name != "siglip2":
            seen = hf.AutoModel.from_pretrained(towers[name]).eval()(pixels, output_hidden_states=True)
            assert torch.equal(x, torch.cat([seen.hidden_states[1], seen.hidden_states[-2]], dim=-1))
    assert x.shape == (1, front + 16, 64) and encoder.num_tokens((1, 1)) == front + 16
    assert torch.equal(x[:, front:, 32:], alone)


def test_patches_of_siglip2_are_those_of_its_processor(towers: dict[str, str]) -> None:
    processor = hf.Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    processor.save_pretrained(towers["siglip2"])
    encoder = Huggingface(towers["siglip2"], layer=-1, fit="resize").eval()
    square = PICTURE.resize((32, 32))
    with torch.no_grad():
        inputs = processor(square, return_tensors="pt")
        expected = hf.AutoModel.from_pretrained(towers["siglip2"]).eval()(**inputs, output_hidden_states=True).hidden_states[-1]
        torch.testing.assert_close(encoder(encoder.prepare(square).inputs).x, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", PREFIX)
def test_positions_are_interpolated_for_another_size(name: str, towers: dict[str, str]) -> None:
    encoder = Huggingface(towers[name], size=48)
    assert encoder(encoder.prepare(PICTURE).inputs).x.shape == (1, 36, 32)
    assert encoder.grid((1, 1)) == (6, 6) and encoder.num_tokens((1, 1)) == 36


def test_an_earlier_stage_of_a_convnext_is_finer(towers: dict[str, str]) -> None:
    encoder = Convnext(towers["convnext"], size=64, stage=3)
    assert encoder(encoder.prepare(PICTURE).inputs).x.shape == (1, 16, 24)


def test_two_towers_stand_side_by_side(towers: dict[str, str]) -> None:
    clip, dino = ({"kind": "huggingface", "path": towers[name]} for name in ("clip", "dinov2"))
    channel, token = Pair(clip, dino, "channel").eval(), Pair(clip, dino, "token").eval()
    pixels = channel.prepare(PICTURE).inputs.expand(2, -1)
    with torch.no_grad():
        first, second = (Huggingface(towers[name]).eval() for name in ("clip", "dinov2"))
        seen = [encoder(encoder.prepare(PICTURE).inputs).x for encoder in (first, second)]
        torch.testing.assert_close(channel(pixels).x[1:], torch.cat(seen, dim=-1))
        torch.testing.assert_close(token(pixels).x[1:], torch.cat(seen, dim=1))
    assert channel.num_tokens((1, 1)) == 16 and token.num_tokens((1, 1)) == 32 and channel.width == 64


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layer": 9}, "has the hidden states 0 to 3"),
        ({"size": 30}, "expected a multiple of the patch, 8"),
        ({"fit": "stretch"}, "expected one of"),
        ({"lyer": 1}, "did you mean 'layer'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(towers: dict[str, str], change: dict[str, object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        build("vistune.model.encoders", spec("clip", towers["clip"]) | change, Encoder)


def test_pairs_that_do_not_fit_are_refused(towers: dict[str, str]) -> None:
    clip = {"kind": "huggingface", "path": towers["clip"]}
    with pytest.raises(InputError, match=r"the grids are \(4, 4\) and \(6, 6\)"):
        Pair(clip, clip | {"size": 48})
    with pytest.raises(InputError, match="the widths are 32 and 64"):
        Pair(clip, clip | {"layer": [1, 2]}, "token")


def broken(folder: Path) -> dict[str, object]:
    """What can be wrong with a directory: how it is broken, and what is said."""
    weights = folder / "model.safetensors"

    def cut() -> None:
        weights.write_bytes(weights.read_bytes()[:-100])

    def pickle() -> None:
        weights.unlink()
        (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n(S'touch EXECUTED'\ntR.")

    def shard() -> None:
        weights.unlink()
        names = {"post_layernorm.weight": "model-00001-of-00002.safetensors"}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))

    def future() -> None:
        (folder / "config.json").write_text(json.dumps({"model_type": "clip_9000"}))

    def lacking() -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(weights)
        tensors.pop("post_layernorm.weight")
        save_file(tensors, weights, metadata={"format": "pt"})

    return {"cut": cut, "pickle": pickle, "shard": shard, "future": future, "lacking": lacking}


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("cut", "weights of .* cannot be read"),
        ("pickle", "weights of .* cannot be read"),
        ("shard", "model-00001-of-00002"),
        ("future", "clip_9000"),
        ("lacking", "lacks 1 tensors of a clip_vision_model, such as 'post_layernorm.weight'"),
    ],
)
def test_a_broken_directory_is_one_sentence(
    tmp_path: Path, fault: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "clip"
    tower("clip", folder)
    broken(folder)[fault]()  # type: ignore[operator]
    with pytest.raises(InputError, match=complaint) as caught:
        Huggingface(str(folder))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "EXECUTED").exists()
