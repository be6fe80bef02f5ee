"""InstructBLIP on FLAN-T5 (Dai et al., "Towards General-purpose Vision-Language Models ...", arXiv 2305.06500)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.instructblip import instructblip


def instructblip_t5(
    vision: str = "Salesforce/blip2-flan-t5-xl",
    llm: str = "google/flan-t5-xl",
    words: str = "google-bert/bert-base-uncased",
    captions: str = "catalogue:llava_pretrain_558k?path=data/llava_pretrain",
    instructions: str = "catalogue:llava_mix_665k?path=data/llava",
) -> Recipe:
    """InstructBLIP whose picture and question stand in the encoder of FLAN-T5, its answer in the decoder (section 2.6)."""
    reads = {"kind": "plain", "begin": "", "question_text": True, "media_first": True, "user_suffix": "{eos}"}
    base = instructblip(vision, llm, words, captions, instructions).override(
        {"model.template": {**reads, "answer_suffix": "{eos}"}, "stages.0.template": reads}
    )
    return replace(
        base,
        name="instructblip_t5",
        published={"scienceqa_image_xxl": 70.6},
    )
