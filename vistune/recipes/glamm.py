"""GLaMM (Rasheed et al., "GLaMM: Pixel Grounding Large Multimodal Model", arXiv 2311.03356)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def glamm(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.5",
    segmenter: str = "facebook/sam-vit-huge",
    data: str = "mixture:glamm.yaml",
) -> Recipe:
    """Phrases of an answer with masks behind them, and regions in a question: LISA's head and GPT4RoI's encoder (section 3.1).

    One stage on grounded captions, regions and segmentation, .15 : .40 : .45 (lr 3e-4, batch 160): LoRA of rank 8, the region
    encoder, the projection and the mask decoder.
    """
    lora = {"kind": "lora", "rank": 8, "alpha": 16, "dropout": 0.05, "targets": ["q_proj", "v_proj"], "new_tokens": True}
    new, tasks = ("roi", "heads.mask.project", "heads.mask.segmenter.decoder"), ("segment", "describe_region")
    both = {"kind": "mixture", "sources": [{"data": f"world:?task={task}&size=1200"} for task in tasks]}
    return Recipe(
        name="glamm",
        paper="arXiv 2311.03356",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "resize", "keep": [-11, -8, -5, -2]},
            connector={"kind": "mlp", "depth": 2},
            llm=llm,
            parts={"roi": {"kind": "multi_level_roi", "coordinate_scale": 224 / 336}},
            modalities={"box": {"chain": ["roi"], "before": "region{n} "}},
            heads={"mask": {"kind": "promptable_mask", "path": segmenter, "phrases": True}},
            adapt={"llm": lora},
        ),
        stages=(
            Stage(
                name="tune",
                data=data,
                train=dict.fromkeys((*new, "llm.adapter", "connector"), 3e-4),
                batch=160,
                steps=5000,
                warmup=0.02,
            ),
        ),
        deviations=(
            "CLIP-L at 336 pixels as in the code, not the paper's ViT-H; boxes cover two thirds of the map, as there",
            "the whole picture is resized to a square, so that boxes and patches agree; the code crops the centre",
        ),
        published={"refcoco_val_ciou": 79.5, "refcocog_val_ciou": 74.2, "gcg_test_miou": 64.6, "gcg_test_ap50": 27.2},
        nano={
            "model.vision": {"kind": "huggingface", "path": "builtin:clip", "layer": -2, "fit": "resize", "keep": [2, 3, 4, 5]},
            "model.parts.roi": {"kind": "multi_level_roi", "layers": [2, 3, 4, 5], "rounds": 2, "size": 4, "middle": 128},
            "model.heads.mask.path": "builtin:sam",
            "stages.0.data": both,
        },
    )
