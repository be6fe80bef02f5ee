"""Towers that see whole films give the numbers of the published modules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf
from mechanisms import Golden, close

from vistune.model.connectors.class_taps import ClassTaps
from vistune.model.encoders.gmhra import GlobalBlock, Gmhra
from vistune.model.encoders.tubelets import Tubelets
from vistune.model.interchange.formats import embodied_gpt, videochat
from vistune.sample import Media


def eva(folder: Path, depth: int) -> str:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": depth, "num_attention_heads": 2}
    config = hf.Blip2VisionConfig(image_size=12, patch_size=4, **sizes)
    hf.Blip2VisionModel(config).save_pretrained(folder)
    hf.CLIPImageProcessorPil().save_pretrained(folder)
    return str(folder)


def test_a_global_block_is_videochats() -> None:
    golden = Golden("videochat_gmhra")
    block = GlobalBlock(16, 2, 32).eval()
    golden.load(block, videochat.GLOBAL, under="gmhra.", ignored=("*",))
    token = golden["in/token"].transpose(0, 1)
    close(block(token, golden["in/frames"], 3).transpose(0, 1), golden["out/token_out"], 3e-5, 3e-4)


@pytest.mark.parametrize("local", [False, True])
def test_the_tower_is_videochats(local: bool, tmp_path: Path) -> None:
    golden = Golden("videochat_gmhra")
    tower = Gmhra(eva(tmp_path, 1 if local else 3), layers=1 if local else 2, local=local, halve=local).eval()
    names = {**videochat.TOWER, **(videochat.local(1) if local else {})}
    golden.load(tower, names, under="tower_local." if local else "tower.")
    clip = golden["in/video_long" if local else "in/video"].transpose(1, 2)
    seen = tower(clip)
    close(seen.x, golden["out/tower_local_out" if local else "out/tower_out"], 3e-5, 3e-4)
    assert seen.x.shape[1] == tower.tokens(clip.shape[1])
    seen.x.square().sum().backward()
    assert [name for name, parameter in tower.named_parameters() if parameter.grad is None] == []


def test_at_the_beginning_the_frames_are_those_of_the_picture_tower(tmp_path: Path) -> None:
    tower = Gmhra(eva(tmp_path, 2), layers=1).eval()
    film = Media("video", data=torch.randint(0, 256, (5, 20, 30, 3), dtype=torch.uint8).numpy())
    prepared = tower.read(film)
    with torch.no_grad():
        seen = tower(prepared.inputs).x
        alone = hf.Blip2VisionModel.from_pretrained(tmp_path)(prepared.inputs[0], output_hidden_states=True).hidden_states[-1]
    close(seen[0, :-1], alone.flatten(0, 1))
    assert torch.equal(seen[0, -1], torch.zeros(16))
    assert prepared.layout.total == tower.layout(film).total == len(seen[0])


def test_tubelets_and_taps_are_huskys(tmp_path: Path) -> None:
    golden = Golden("husky_film_tower")
    tower = Tubelets(eva(tmp_path, 7), frames=4, keep=(1, 3, 5, 7)).eval()
    taps = ClassTaps(16, 12, (1, 3, 5, 7), hidden=4, norm=True, eps=1e-6)
    golden.load(tower, embodied_gpt.TOWER, ("*",))
    golden.load(taps, embodied_gpt.TAPS, ("*",))
    seen = tower(golden["in/film"].transpose(1, 2))
    assert seen.layers is not None
    for number, state in seen.layers.items():
        close(state, golden["out/states"][number], 3e-5, 3e-4)
    tapped = taps(seen)
    close(seen.x, golden["out/last"], 3e-5, 3e-4)
    close(tapped, golden["out/taps"], 3e-5, 3e-4)
    ((seen.x * golden["in/w_last"]).sum() + (tapped * golden["in/w_taps"]).sum()).backward()
    golden.gradients(tower, embodied_gpt.TOWER)
    golden.gradients(taps, embodied_gpt.TAPS)


def test_a_tubelet_of_equal_frames_begins_as_a_patch(tmp_path: Path) -> None:
    tower = Tubelets(eva(tmp_path, 1), frames=4)
    film = Media("video", data=np.repeat(np.random.default_rng(0).integers(0, 256, (1, 12, 12, 3), dtype=np.uint8), 3, axis=0))
    prepared = tower.read(film)
    assert prepared.inputs.shape == (1, 4, 3, 12, 12) and prepared.layout == tower.layout(film)
    patches = tower.convolution(prepared.inputs.transpose(1, 2)).detach()
    picture = hf.Blip2VisionModel.from_pretrained(tmp_path).embeddings.patch_embedding(prepared.inputs[0, :1]).detach()
    close(patches[0, :, 0], picture[0], 1e-5)
    assert tower(prepared.inputs).x.shape[1] == prepared.layout.total
