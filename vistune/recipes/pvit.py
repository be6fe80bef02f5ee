"""PVIT (Chen et al., "Position-Enhanced Visual Instruction Tuning for Multimodal Large Language Models", arXiv 2308.13437)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def pvit(
    vision: str = "openai/clip-vit-large-patch14",
    region_vision: str = "openai/clip-vit-base-patch16",
    llm: str = "lmsys/vicuna-7b-v1.1",
    regions: str = "visual_genome:region_descriptions.json?image_data=image_data.json&images=vg",
    conversations: str = "boxes_in_text:pvit_stage2.json?opening=<Region>[&closing=]</Region>&images=coco/train2017",
) -> Recipe:
    """A second encoder looks at each region and gives it a token between `<Region>` and `</Region>` (section 3.1).

    Stage 1 teaches the region's projection on short texts (lr 2e-3, 1 epoch), stage 2 everything but the encoders, with the
    box's coordinates added to the token (lr 2e-5, 3 epochs; section 3.3). Batches are the released scripts', 128 and 64.
    """
    return Recipe(
        name="pvit",
        paper="arXiv 2308.13437",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "crop"},
            connector="linear",
            llm=llm,
            parts={"region": {"kind": "second_encoder", "encoder": {"kind": "huggingface", "path": region_vision}}},
            modalities={"box": {"chain": ["region"], "before": "<Region>", "after": "</Region>"}},
        ),
        stages=(
            Stage(name="align", data=regions, train={"region.proj": 2e-3}, batch=128),
            Stage(
                name="tune",
                data=conversations,
                train={"region.proj": 2e-5, "region.place": 2e-5, "connector": 2e-5, "llm": 2e-5},
                batch=64,
                epochs=3.0,
            ),
        ),
        deviations=(
            "CLIP's patches, averaged in the box, in the place of RegionCLIP's RoI head, which is not in transformers",
            "the layer of the coordinates is there in stage 1, untrained; `<Region>` is plain text, not tokens of its own",
        ),
        published={"coco_gt_box_accuracy": 64.53},
        nano={
            "model.parts.region.encoder.path": "builtin:clip",
            "stages.0.data": "world:?task=describe_region&size=2400",
            "stages.0.train.connector": 1.5e-3,
        },
    )
