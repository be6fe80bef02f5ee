"""Otter on films (Li et al., "MIMIC-IT: Multi-Modal In-Context Instruction Tuning", arXiv 2306.05425)."""

from __future__ import annotations

from dataclasses import replace

from vistune.nano import senses
from vistune.recipe import Recipe
from vistune.recipes.otter import otter


def otter_video(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    frames: int = 128,
    instructions: str = "conversations:mimic_it/DC_instructions.json?images=mimic_it/videos",
) -> Recipe:
    """The frames of a film, each with its learned place, are read by one perceiver resampler, as Flamingo's are.

    Everything else is Otter's: what learns, the template, the rates.
    """
    trained = ("places", "connector", "fusion", "llm.*embed_tokens*")
    pictures = otter(vision=vision, llm=llm)
    changed = pictures.override(
        {
            "model.parts": {"places": {"kind": "frame_concat", "positions": frames}},
            "model.modalities": {
                "image": ["vision", "connector"],
                "video": {"chain": ["vision", "places", "connector"], "frames": frames},
            },
            "stages.1.data": instructions,
            "stages.1.train": dict.fromkeys(trained, 1e-5),
        }
    )
    return replace(
        changed,
        name="otter_video",
        paper="arXiv 2306.05425",
        published={},
        nano={
            **pictures.nano,
            **senses("films", ("places", "connector", "fusion"), (*trained[:3], "llm")),
            "model.parts.places.positions": 8,
            "model.modalities.video.frames": 8,
        },
    )
