"""Macaw-LLM (Lyu et al., "Macaw-LLM: Multi-Modal Language Modeling with Image, Audio, Video, and Text", arXiv 2306.09093)."""

from __future__ import annotations

from typing import Any

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage, marks


def macaw_llm(
    vision: str = "openai/clip-vit-base-patch16",
    listener: str = "openai/whisper-base",
    llm: str = "huggyllama/llama-7b",
    instructions: str = "catalogue:macaw_llm?path=data/macaw",
) -> Recipe:
    """Every modality becomes a mixture of the language model's own words: convolution, linear layer, attention to its table.

    One stage (section 3.3; script: lr 3e-5, batch 4 x 8 devices x 3, 3 epochs, 512 tokens): all but the encoders. Six
    frames of a film attend to each other first; pictures, films and sounds stand between marks of their own.
    """

    def words(kernel: int, stride: int) -> dict[str, Any]:
        return {"kind": "embedding_table_attention", "kernel": kernel, "stride": stride}

    parts = ("image_words", "video_words", "frames", "audio_words")
    return Recipe(
        name="macaw_llm",
        paper="arXiv 2306.09093",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "fit": "crop"},
            parts={
                "image_words": words(48, 36),
                "frames": "frame_attention",
                "video_words": words(36, 30),
                "listener": {"kind": "whisper", "path": listener, "windows": 1},
                "audio_words": words(240, 220),
            },
            modalities={
                "image": {"chain": ["vision", "image_words"], **marks("image")},
                "video": {"chain": ["vision", "frames", "video_words"], "frames": 6, **marks("video")},
                "audio": {"chain": ["listener", "audio_words"], **marks("audio")},
            },
            llm=llm,
            template={"kind": "alpaca", "media_first": "all"},
            max_length=512,
        ),
        stages=(Stage(name="tune", data=instructions, train=dict.fromkeys((*parts, "llm"), 3e-5), batch=96, epochs=3.0),),
        deviations=(
            "media stand in front of the instruction, not behind the first token; features are those before CLIP's projection",
        ),
        nano={
            **senses(("films", "sounds"), (*parts, "llm")),
            "model.parts.listener.path": "builtin:whisper",
            "model.parts.image_words": words(8, 4),
            "model.parts.video_words": words(16, 8),
            "model.parts.audio_words": words(6, 4),
        },
    )
