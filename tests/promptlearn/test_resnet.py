"""CLIP with a ResNet image tower: the recorded official tower, methods that work on it, and those that say why they cannot."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from tests.promptlearn.golden import FOLDER
from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.build import build, is_plugin, methods
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.method import Call
from vistune.promptlearn.pictures.images import Bank, Images
from vistune.promptlearn.towers.openai_weights import from_openai

RECORDED = load_file(FOLDER / "clip_resnet.safetensors")
WEIGHTS = {name.removeprefix("weights/"): value for name, value in RECORDED.items() if name.startswith("weights/")}
# the recorded ids read as words: start 58, end 59
CLASSES = Classes(("w5 w7", "w5 w9 w11", "w3", "w21 w22 w23 w24"), template="{}")
BLOCKS = {
    "vpt", "ivlp", "maple", "promptsrc", "rpo", "mma", "mmrl", "hpt", "coprompt", "promptkd", "twosfs", "tac", "clip_lora",
    "instruction_vit", "lasp", "caspl", "textrefiner",
}  # fmt: skip


def tokenize(text):
    return [int(word[1:]) if word[0] == "w" and word[1:].isdigit() else 40 + sum(map(ord, word)) % 15 for word in text.split()]


@pytest.fixture(scope="module")
def clip():
    return DualEncoder(from_openai(WEIGHTS), tokenize, identity="resnet")


def test_recorded_tower(clip):
    call = Call(Engine(clip), CLASSES, Images(RECORDED["in/image"].float()))
    image, text = call.frozen_image(), call.frozen_text()
    close = {"atol": 2e-5, "rtol": 1e-4}
    torch.testing.assert_close(image, RECORDED["out/image_features"], **close)
    torch.testing.assert_close(text, RECORDED["out/text_features"], **close)
    torch.testing.assert_close(clip.logits(image, text), RECORDED["out/logits"], **close)


def test_features_are_kept_in_a_bank(clip):
    pixels = RECORDED["in/image"].float()
    bank = Bank(lambda ids: pixels[list(ids)], 3)
    call = Call(Engine(clip), CLASSES, Images(bank=bank, ids=torch.tensor([2, 0])))
    torch.testing.assert_close(call.frozen_image(), RECORDED["out/image_features"][[2, 0]], atol=2e-5, rtol=1e-4)
    assert list(bank._kept) == ["features"]


@pytest.mark.parametrize("name", methods())
def test_methods_of_the_text_and_the_features_run_and_others_say_why_not(clip, name):
    if name in BLOCKS:
        with pytest.raises(InputError, match="and resnet has a ResNet"):
            build(name, clip, CLASSES)
        return
    small = {"coop": {"n_ctx": 2}, "proda": {"n_prompts": 4, "n_ctx": 2}, "prograd": {"n_ctx": 4}, "damvp": {"border": 8}}
    method = build("coop" if is_plugin(name) else name, clip, CLASSES, small.get(name, {"n_ctx": 2} if is_plugin(name) else {}))
    call = Call(Engine(clip), CLASSES, Images(RECORDED["in/image"].float()), torch.tensor([0, 1, 2]))
    assert method.eval().predict(call).shape == (3, 4)


def test_a_state_dict_that_lacks_a_tensor_is_refused():
    without = {name: value for name, value in WEIGHTS.items() if name != "visual.layer2.0.bn1.weight"}
    with pytest.raises(InputError, match=r"ResNet tower is incomplete: .*layer2\.0\.bn1\.weight"):
        from_openai(without)
