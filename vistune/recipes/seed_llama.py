"""SEED-LLaMA (Ge et al., "Making LLaMA SEE and Draw with SEED Tokenizer", arXiv 2310.01218)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def seed_llama(
    encoder: str = "Salesforce/blip2-opt-2.7b",
    image_encoder: str = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    llm: str = "lmsys/vicuna-7b-v1.5",
    images: str = "samples:images.jsonl",
    pretraining: str = "samples:interleaved.jsonl",
    instructions: str = "samples:instructions.jsonl",
) -> Recipe:
    """Pictures as 32 causal codes of 8,192, spoken like words (section 3).

    Stage 1 teaches the tokenizer (section 3.2: codes, rebuilt features and the image embedding, 5 : 2 : 0.5), stage 2 the
    language model on words and codes, stage 3 on instructions; LoRA of rank 16 on all linear layers (section 3.3).
    """
    both = {"kind": "mixture", "sources": [{"data": f"world:?task={task}&size=900"} for task in ("captions", "paint")]}
    tower = {"kind": "huggingface", "path": encoder, "layer": -1, "cls": "keep", "fit": "resize"}
    return Recipe(
        name="seed_llama",
        paper="arXiv 2310.01218",
        model=ModelSpec(
            llm=llm,
            vision=tower,
            connector={"kind": "q_former", "queries": 32},
            heads={"image": {"kind": "visual_codes", "encoder": tower, "image_encoder": image_encoder}},
            adapt={"llm": {"kind": "lora", "rank": 16, "alpha": 16, "dropout": 0.05, "new_tokens": True}},
        ),
        stages=(
            Stage(
                name="tokenizer",
                data=images,
                train={"heads.image.tokenizer": 1e-4, "heads.image.rebuild": 1e-4},
                losses={"text": 0.0},
                batch=1024,
            ),
            Stage(name="pretrain", data=pretraining, train={"llm.adapter": 1e-4, "connector": 1e-4}, batch=1024),
            Stage(name="tune", data=instructions, train={"llm.adapter": 1e-5, "connector": 1e-5}, batch=144),
        ),
        deviations=(
            "pictures in questions come in by a Q-Former of their own, where SEED-LLaMA reads their codes",
            "the tokenizer's Q-Former begins at random and learns with the codes: the contrastive stage before is not there",
            "of embeddings and output rows only those of new tokens learn, and no norms; rates are not all published",
        ),
        published={"coco_caption_cider": 124.0},
        nano={
            "model.connector": {"kind": "q_former", "queries": 16, "hidden": 128, "layers": 2, "heads": 4},
            "model.heads.image": {
                "kind": "visual_codes", "encoder": {"kind": "huggingface", "path": "builtin:clip", "layer": -1},
                "image_encoder": "builtin:clip", "codes": 64, "queries": 8, "hidden": 96, "layers": 2, "heads": 4, "depth": 1,
            },
            "stages.0.data": "world:?task=paint&size=2400",
            **{"stages.1.data": both, "stages.2.data": both},
        },
    )  # fmt: skip
