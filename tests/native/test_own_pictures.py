"""Pixtral's and Molmo 2's pictures, prepared without torchvision, are those that transformers prepares with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import native_families
import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from safetensors.torch import load_file

from vistune.errors import InputError
from vistune.model.native.molmo2 import Molmo2
from vistune.model.native.molmo2_pictures import Cropping, prepared
from vistune.model.native.pixtral import Pixtral

GOLDEN = Path(__file__).parents[1] / "golden"
TOLD: dict[str, Any] = json.loads((GOLDEN / "native_pictures.json").read_text())
RECORDED = load_file(GOLDEN / "mechanisms/molmo2_pictures.safetensors")
TINY = ("wide", "tall", "small", "pair", "odd_windows", "large")


def picture(height: int, width: int, seed: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def cropping(**changes: Any) -> Cropping:
    return Cropping.of(TOLD["wide"]["arguments"] | changes, "x")


@pytest.mark.parametrize("case", TINY)
def test_crops_windows_and_grids_are_the_recorded_ones(case: str) -> None:
    images = [picture(height, width, 7 + number) for number, (height, width) in enumerate(TOLD[case]["sizes"])]
    made = prepared(images, Cropping.of(TOLD[case]["arguments"], case))
    for name in ("image_token_pooling", "image_grids", "image_num_crops"):
        assert made[name].tolist() == RECORDED[f"{case}.{name}"].tolist()
    whole = (made["pixel_values"] * 127.5 + 127.5).double()
    assert (whole - RECORDED[f"{case}.pixel_values"].double()).abs().max() < 1e-4, "the same whole numbers, pixel by pixel"


@pytest.mark.parametrize("size", list(TOLD["released"]))
def test_released_settings_give_the_recorded_pictures(size: str) -> None:
    wanted = TOLD["released"][size]
    height, width = map(int, size.split("x"))
    made = prepared([picture(height, width, 1)], Cropping())
    assert made["image_grids"].tolist() == wanted["grid"] and made["image_num_crops"].tolist() == wanted["crops"]
    assert hashlib.md5(made["image_token_pooling"].numpy().tobytes()).hexdigest() == wanted["pooling_md5"]
    pixels = made["pixel_values"].double()
    # torch rounds a few halves otherwise with one thread than with two, in transformers' preparation as in ours.
    assert float(pixels.mean()) == pytest.approx(wanted["pixels_mean"], abs=1e-7)
    assert float(pixels.square().mean()) == pytest.approx(wanted["pixels_square"], abs=1e-7)


def test_tilings_of_pictures_of_any_size_are_the_recorded_ones() -> None:
    plan = Cropping()
    for size, (_, _, high, broad, crops) in TOLD["tilings"].items():
        rows, columns = plan.tiling(*map(int, size.split("x")))
        assert rows * columns + 1 == crops, size
        windows = [-(-plan.canvas(count) // plan.patch_size // 2) for count in (rows, columns)]
        assert windows == [high, broad], size


@pytest.mark.parametrize("settings", list(TOLD["molmo2_prompts"]))
def test_molmo2_prompts_are_the_recorded_tokens(settings: str) -> None:
    inside = (
        "<im_patch>",
        "<im_col>",
        "<im_start>",
        "<low_res_im_start>",
        "<frame_start>",
        "<im_end>",
        "<frame_end>",
        "<im_low>",
    )
    tokenizer = native_families.tokenizer_of(
        native_families.NAMED | {"image_token": "<|image|>", "video_token": "<|video|>"}, inside
    )
    processor = Molmo2(cropping(), tokenizer, json.loads(settings), None)
    made = processor(["What? <|image|> and <|image|>."], [[picture(64, 64, 7), picture(30, 90, 8)]])
    wanted = TOLD["molmo2_prompts"][settings]
    assert made["input_ids"][0].tolist() == wanted["ids"] and made["mm_token_type_ids"][0].tolist() == wanted["types"]


@pytest.mark.parametrize("settings", list(TOLD["pixtral_prompts"]))
def test_pixtral_prompts_are_the_recorded_tokens(settings: str) -> None:
    tokenizer = native_families.tokenizer_of(native_families.NAMED | {"image_token": "[IMG]"}, ("[IMG_BREAK]", "[IMG_END]"))
    images = hf.PixtralImageProcessorPil(size={"longest_edge": 64}, patch_size={"height": 8, "width": 8})
    made = Pixtral(images, tokenizer, json.loads(settings), None)(
        ["What? [IMG] and [IMG]."], [[picture(64, 64, 7), picture(30, 90, 8)]]
    )
    wanted = TOLD["pixtral_prompts"][settings]
    assert made["input_ids"][0].tolist() == wanted["ids"] and made["image_sizes"].tolist() == wanted["sizes"]


@pytest.mark.parametrize("case", list(TOLD["pixtral"]))
def test_pixtral_pictures_have_the_recorded_sizes_and_pixels(case: str) -> None:
    """Pillow's bicubic filter and torchvision's round differently in the last of 255 steps, so pixels are held by moments."""
    size, patch = case.split("/")
    height, width = map(int, size.split("x"))
    tokenizer = native_families.tokenizer_of(native_families.NAMED | {"image_token": "[IMG]"}, ("[IMG_BREAK]", "[IMG_END]"))
    processor = Pixtral(hf.PixtralImageProcessorPil(), tokenizer, {"patch_size": int(patch)}, None)
    image = picture(height, width, 1)
    made = processor.prepared([image])
    wanted = TOLD["pixtral"][case]
    assert made["image_sizes"].tolist() == wanted["sizes"]
    pixels = made["pixel_values"].double()
    assert float(pixels.mean()) == pytest.approx(wanted["mean"], abs=2e-3)
    assert float(pixels.square().mean()) == pytest.approx(wanted["square"], rel=5e-3)


REFUSED = {
    "another filter": ({"resample": 3}, "resized bilinearly"),
    "oblong crops": ({"size": {"height": 32, "width": 40}}, "reads square crops"),
    "no normalising": ({"do_normalize": False}, "which this directory switches off"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_settings_that_the_preparation_does_not_know_are_refused(name: str) -> None:
    settings, complaint = REFUSED[name]
    with pytest.raises(InputError, match=complaint):
        cropping(**settings)


def test_pictures_and_their_places_are_counted() -> None:
    tokenizer = native_families.tokenizer_of(native_families.NAMED | {"image_token": "[IMG]"}, ("[IMG_BREAK]", "[IMG_END]"))
    processor = Pixtral(hf.PixtralImageProcessorPil(), tokenizer, {}, None)
    with pytest.raises(ValueError, match="shows 2 pictures, but 1 are given"):
        processor(["[IMG] [IMG]"], [[picture(4, 4, 0)]])
    assert torch.equal(processor(["a"])["attention_mask"], torch.ones(1, 2))
