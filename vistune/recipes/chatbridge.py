"""ChatBridge (Zhao et al., "ChatBridge: Bridging Modalities with Large Language Model", arXiv 2305.16103)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage

TRUNK = {"kind": "shared_q_former", "kinds": ["image+video", "audio"], "queries": 32}
SEEN = ["vision", "vision_norm", "frame_places", "trunk"]
HEARD = ["listener", "sound_norm", "sound_linear", "sound_places", "trunk"]
TRAINED = tuple(dict.fromkeys(SEEN[1:] + HEARD[1:]))


def chatbridge(
    vision: str = "Salesforce/blip2-opt-2.7b",
    listener: str = "MIT/ast-finetuned-audioset-10-10-0.4593",
    llm: str = "lmsys/vicuna-13b-v1.5",
    pictures: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    films: str = "captions:webvid/train.json?images=webvid/videos",
    sounds: str = "catalogue:audiocaps?path=data/audiocaps&part=train",
    instructions: str = "samples:multis.jsonl",
) -> Recipe:
    """One Q-Former for pictures, films and sounds, with queries for each sense, and one linear layer into a frozen Vicuna.

    Stage 1: captions of pictures, films and sounds (section 3.2; code: lr 1e-4, batch 256, 200,000 steps); stage 2: MULTIS
    (section 4; lr 1e-5, batch 32, 10,000 steps). Four frames and two stretches of sound have learned places.
    """
    first, second = dict.fromkeys(TRAINED, 1e-4), dict.fromkeys(TRAINED, 1e-5)
    captions = {"kind": "mixture", "sources": [{"data": data} for data in (pictures, films, sounds)]}
    return Recipe(
        name="chatbridge",
        paper="arXiv 2305.16103",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            parts={
                "vision_norm": "norm", "frame_places": {"kind": "frame_concat", "positions": 4},
                "listener": {"kind": "spectrogram_transformer", "path": listener, "windows": 2},
                "sound_norm": "norm", "sound_linear": {"kind": "linear", "out_width": 1408},
                "sound_places": {"kind": "frame_concat", "positions": 2}, "trunk": TRUNK,
            },
            modalities={"image": SEEN, "video": {"chain": SEEN, "frames": 4}, "audio": HEARD},
            llm=llm, template={"kind": "llava_v0", "system": "", "begin": "{bos}###", "media_suffix": " "},
        ),
        stages=(
            Stage(name="align", data=captions, train=first, template="plain", batch=256, steps=200_000, weight_decay=0.05),
            Stage(name="tune", data=instructions, train=second, batch=32, steps=10_000, weight_decay=0.05),
        ),
        deviations=(
            "the audio spectrogram transformer instead of BEATs, which transformers lacks; Vicuna 1.5 instead of 0",
            "CC3M, WebVid and AudioCaps in stage 1; CC12M, LAION, AudioSet and FreeSound are further sources",
        ),
        nano={
            **senses(("films", "sounds"), TRAINED, (*TRAINED, "llm")),
            "model.parts.frame_places.positions": 8, "model.modalities.video.frames": 8,
            "model.parts.listener": {"kind": "whisper", "path": "builtin:whisper", "windows": 2},
            "model.parts.sound_linear.out_width": 192,
            "model.parts.trunk": TRUNK | {"queries": 24, "hidden": 128, "layers": 3, "heads": 4},
        },
    )  # fmt: skip
