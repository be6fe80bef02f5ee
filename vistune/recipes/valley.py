"""Valley (Luo et al., "Valley: Video Assistant with Large Language model Enhanced abilitY", arXiv 2306.07207)."""

from __future__ import annotations

from typing import Literal

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage


def valley(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.5",
    pooling: Literal["mean", "importance", "delta"] = "mean",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    films: str = "conversations:webvid_703k/chat.json?images=webvid_703k/videos",
    pictures: str = "catalogue:llava_instruct_150k?path=data/llava",
    instructions: str = "catalogue:valley_73k?path=data/valley&part=Valley_instruct_73k",
) -> Recipe:
    """A linear layer, patches pooled over eight frames (section 3.1: v1 mean, v2 importance, v3 delta), a token a frame.

    Stage 1: the layer on captions of pictures and of WebVid (script: lr 2e-3, batch 16 a device, 1 epoch); stage 2: layer
    and language model on LLaVA's and its own instructions (lr 2e-5, batch 1 a device, 3 epochs). A picture is one frame.
    """
    chain = ["vision", "connector", "pooling"]
    first, second = ("connector", "pooling"), ("connector", "pooling", "llm")
    return Recipe(
        name="valley",
        paper="arXiv 2306.07207",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "cls": "keep", "fit": "crop"},
            connector="linear",
            parts={"pooling": {"kind": "frame_pooling", "how": pooling, "cls": True, "marks": True}},
            modalities={"image": chain, "video": {"chain": chain, "frames": 8, "sample": "ends"}},
            llm=llm,
            template="vicuna_v1",
        ),
        stages=(
            Stage(
                name="align",
                data={"kind": "mixture", "sources": [{"data": captions}, {"data": films}]},
                train=dict.fromkeys(first, 2e-3),
                batch=128,
            ),
            Stage(
                name="tune",
                data={"kind": "mixture", "sources": [{"data": pictures}, {"data": instructions}]},
                train=dict.fromkeys(second, 2e-5),
                batch=8,
                epochs=3.0,
            ),
        ),
        deviations=(
            "vectors of the pooling stand around patches and frames, not rows of the vocabulary; batches are of 8 devices",
            "Vicuna 1.5 instead of 1.1; the paper's third source, VideoChat's 11 k instructions, is not in the script",
        ),
        nano=senses("films", first, second) | {"model.parts.pooling.patches": 64},
    )
