"""BuboGPT's hearing (Zhao et al., "BuboGPT: Enabling Visual Grounding in Multi-Modal LLMs", arXiv 2307.08581)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import NANO_JOINT, senses
from vistune.recipe import Recipe, Stage, marks

FORMER = {"kind": "q_former", "queries": 32, "norm_eps": 1e-5}
SMALL = {"queries": 24, "hidden": 128, "layers": 3, "heads": 4}
TURNS = {"user_prefix": "###Human: ", "user_suffix": " ", "assistant_prefix": "###Assistant: ", "answer_suffix": "###"}


def bubogpt(
    vision: str = "Salesforce/blip2-opt-2.7b",
    joint: str | None = "imagebind_huge.pth",
    llm: str = "lmsys/vicuna-7b-v1.5",
    sounds: str = "samples:wavcaps.jsonl",
    pictures: str = "catalogue:llava_instruct_150k?path=data/llava",
    details: str = "catalogue:minigpt4?path=data/cc_sbu_align",
    clotho: str = "catalogue:clotho_detail?path=data/bubogpt",
    both: str = "catalogue:vggss?path=data/vggss",
) -> Recipe:
    """MiniGPT-4's eyes, and ears: ImageBind's audio tokens of six clips, averaged, a Q-Former and a linear layer.

    Stage 1: Q-Former and layer of sounds on WavCaps (section 3.2; code: lr 1e-4, batch 64, 20,000 steps); stage 2: both linear
    layers on pictures, sounds, and pairs of both (lr 3e-5, batch 12, 50,000 steps; drawn 150 : 3 : 4 : 5).
    """
    seen = {"chain": ["vision", "connector"], **marks("Vision")}
    heard = {"chain": ["ear", "clips", "hearing"], **marks("Audio")}
    weighted = {pictures: 150, details: 3, clotho: 4, both: 5}
    last = {"connector.proj": 3e-5, "hearing.proj": 3e-5}
    sources = [{"data": data, "weight": share} for data, share in weighted.items()]
    mixed = {"kind": "mixture", "sources": sources, "sampling": "weights", "size": 600_000}
    return Recipe(
        name="bubogpt",
        paper="arXiv 2307.08581",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector=FORMER,
            parts={
                "ear": {"kind": "imagebind", "path": joint, "kinds": ["audio"], "out": "tokens", "heard": 6},
                "clips": "frame_pooling",
                "hearing": {**FORMER, "norm": False},
            },
            modalities={"image": seen, "audio": heard},
            llm=llm,
            template={"kind": "minigpt4", "begin": "{bos}", "media_prefix": "", "media_suffix": " ", **TURNS},
        ),
        stages=(
            Stage(name="align", data=sounds, train={"hearing": 1e-4}, batch=64, steps=20_000, weight_decay=0.05),
            Stage(name="tune", data=mixed, train=last, batch=12, steps=50_000, weight_decay=0.05),
        ),
        deviations=("clips of two seconds, not five; Vicuna 1.5 instead of 0; pairs that do not match are a further source",),
        nano={
            **senses(("captions", "sounds"), ("ear", "hearing", "connector"), ("ear", "hearing", "connector", "llm")),
            "model.connector": FORMER | SMALL, "model.parts.hearing": FORMER | SMALL | {"norm": False},
            "model.parts.ear": NANO_JOINT | {"kinds": ["audio"], "out": "tokens", "heard": 3},
        },
    )  # fmt: skip
