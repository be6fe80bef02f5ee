"""Video-LLaMA (Zhang et al., "Video-LLaMA: An Instruction-tuned Audio-Visual Language Model", arXiv 2306.02858)."""

from __future__ import annotations

from typing import Any

from vistune.model.spec import ModelSpec
from vistune.nano import NANO_JOINT, senses
from vistune.recipe import Recipe, Stage, marks

FORMER, SMALL = {"kind": "q_former", "layers": 2, "cross_every": 1, "norm": False}, {"hidden": 128, "heads": 4}
TURNS = {"user_prefix": "###Human: ", "user_suffix": "###", "assistant_prefix": "Assistant: ", "answer_suffix": "###"}
VIDEO, AUDIO, TAKEN = ("frame_places", "video_former"), ("segment_places", "audio_former"), {"video": "audio", "image": "audio"}


def video_llama(
    vision: str = "Salesforce/blip2-opt-2.7b",
    joint: str | None = "imagebind_huge.pth",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "mixture:webvid_and_cc595k.yaml",
    instructions: str = "catalogue:videochat?path=data/videochat",
) -> Recipe:
    """A Q-Former a frame, places of frames, a second Q-Former over all of them (section 2.1.1); beside it one over ImageBind.

    Stage 1: places, second Q-Former and its linear layer on WebVid and CC595K (100 : 24; script: lr 1e-4, batch 32, 12,500
    steps); stage 2: on instructions (3e-5, batch 4, 3,000 steps). Stages 3 and 4 teach the branch of sounds on films, too.
    """
    parts: dict[str, Any] = {
        "frame_former": {"kind": "q_former", "queries": 32, "norm_eps": 1e-5, "project": False, "out_width": 768},
        "frame_places": {"kind": "frame_concat", "positions": 32}, "video_former": {**FORMER, "queries": 32},
        "joint": {"kind": "imagebind", "path": joint, "clips": 8, "heard": 8},
        "segment_places": {"kind": "frame_concat", "positions": 8}, "audio_former": {**FORMER, "queries": 8},
    }  # fmt: skip
    film: dict[str, Any] = {"chain": ["vision", "frame_former", *VIDEO], "frames": 8, "sample": "starts", **marks("Video")}
    first: dict[str, Any] = {"data": captions, "batch": 32, "weight_decay": 0.05}
    second: dict[str, Any] = {"data": instructions, "batch": 4, "steps": 3_000, "weight_decay": 0.05}
    return Recipe(
        name="video_llama", paper="arXiv 2306.02858",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"}, parts=parts,
            modalities={"image": film["chain"], "video": film, "audio": {"chain": ["joint", *AUDIO], **marks("Audio")}},
            llm=llm, template={"kind": "minigpt4", "begin": "{bos}", "media_prefix": "", "media_suffix": " ", **TURNS},
        ),
        stages=(
            Stage(name="align", steps=12_500, train=dict.fromkeys(VIDEO, 1e-4), **first),
            Stage(name="tune", train=dict.fromkeys(VIDEO, 3e-5), **second),
            Stage(name="align_sounds", steps=25_000, train=dict.fromkeys(AUDIO, 1e-4), encode_as=TAKEN, **first),
            Stage(name="tune_sounds", train=dict.fromkeys(AUDIO, 3e-5), encode_as=TAKEN, **second),
        ),
        deviations=("a segment is two neighbouring frames; Vicuna 1.5 instead of 0; instructions about films alone",),
        nano={
            **senses("films", VIDEO, ("frame_former", *VIDEO, "llm"), ("joint", *AUDIO), ("joint", *AUDIO)),
            "model.parts": parts | {
                "frame_former": parts["frame_former"] | SMALL | {"queries": 8, "out_width": 128, "layers": 2},
                "video_former": {**FORMER, **SMALL, "queries": 24}, "audio_former": {**FORMER, **SMALL, "queries": 8},
                "joint": NANO_JOINT | {"clips": 8, "heard": 8},
            },
            "stages.1.data": "world:?task=films&size=4800", "stages.3.data": "world:?task=films&size=320",
        },
    )  # fmt: skip
