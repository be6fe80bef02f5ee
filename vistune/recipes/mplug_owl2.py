"""mPLUG-Owl2 (Ye et al., "Revolutionizing Multi-modal Large Language Model with Modality Collaboration", arXiv 2311.04257)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def mplug_owl2(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "meta-llama/Llama-2-7b-hf",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    instructions: str = "conversations:llava_v1_5_mix665k.json?images=data",
) -> Recipe:
    """A visual abstractor to 64 tokens and an end token, and norms, keys and values of their own for them in every layer.

    Stage 1 teaches encoder, abstractor and the visual copies with the language model frozen (lr 1e-4, batch 8,192), stage 2
    everything (lr 2e-5, batch 256).
    """
    return Recipe(
        name="mplug_owl2",
        paper="arXiv 2311.04257",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize", "size": 448},
            connector={"kind": "visual_abstractor", "queries": 64, "depth": 6, "heads": 16, "hidden": 2816},
            fusion="modality_adaptive",
            llm=llm,
            template={"kind": "vicuna_v1", "media_suffix": ""},
        ),
        stages=(
            Stage(
                name="align",
                data=captions,
                train={"vision": 1e-4, "connector": 1e-4, "fusion": 1e-4},
                template="plain",
                batch=8192,
            ),
            Stage(
                name="tune",
                data=instructions,
                train={"vision": 2e-5, "connector": 2e-5, "fusion": 2e-5, "llm": 2e-5},
                batch=256,
            ),
        ),
        deviations=(
            "stage 1 runs at 448 pixels, not 224: a model has one input size; CLIP's last layer without its final norm",
            "COCO captions instead of 348 M pairs from the web",
        ),
        published={"vqav2": 79.4, "gqa": 56.1, "textvqa": 58.2, "mmbench": 64.5, "mm_vet": 36.2, "coco_caption_cider": 137.3},
        nano={
            "model.vision": {"kind": "huggingface", "path": "builtin:clip", "layer": -1, "cls": "keep"},
            "model.connector": {"kind": "visual_abstractor", "queries": 16, "depth": 2, "heads": 4, "hidden": 256},
        },
    )
