"""NExT-GPT (Wu et al., "NExT-GPT: Any-to-Any Multimodal LLM", arXiv 2309.05519)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def next_gpt(
    joint: str | None = "imagebind_huge.pth",
    llm: str = "lmsys/vicuna-7b-v1.5",
    text_encoder: str = "openai/clip-vit-large-patch14",
    painter: str | None = "stable-diffusion-v1-5/stable-diffusion-v1-5",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    paintings: str = "samples:text_to_image.jsonl",
    dialogues: str = "samples:mosit.jsonl",
) -> Recipe:
    """ImageBind's one vector of a picture, film or sound in; signal tokens as Stable Diffusion's condition out (section 3).

    Stage 1 teaches the way in on captions; stage 2 the way out: from a caption to the signal tokens, drawn to what the
    painter's text encoder makes of it; stage 3 LoRA of rank 32 and both ways on MosIT's dialogues (section 4).
    """
    chain = ["vision", "clips", "connector"]
    both = {"kind": "mixture", "sources": [{"data": f"world:?task={task}&size=600"} for task in ("instructions", "paint")]}
    return Recipe(
        name="next_gpt",
        paper="arXiv 2309.05519",
        model=ModelSpec(
            vision={"kind": "imagebind", "path": joint},
            connector="linear",
            parts={"clips": "frame_pooling"},
            modalities={"image": chain, "video": chain, "audio": chain},
            llm=llm,
            heads={"image": {"kind": "signal_tokens", "text_encoder": text_encoder, "painter": painter}},
            adapt={"llm": {"kind": "lora", "rank": 32, "alpha": 32, "new_tokens": True}},
        ),
        stages=(
            Stage(name="encode", data=captions, train={"connector": 4e-4}, batch=128),
            Stage(name="decode", data=paintings, train={"heads.image.project": 4e-4, "llm.adapter": 4e-4}, batch=128),
            Stage(
                name="tune", data=dialogues, batch=128,
                train={"connector": 4e-4, "heads.image.project": 4e-4, "llm.adapter": 4e-4},
            ),
        ),
        deviations=(
            "pictures alone are made: films and sounds are further heads",
            "in stage 2 the rows of the signal tokens learn through LoRA's part, which the released code leaves to the library",
        ),
        published={"coco_fid": 11.0},
        nano={
            "model.vision": {"kind": "huggingface", "path": "builtin:clip", "layer": -1, "fit": "resize"},
            "model.parts": {}, "model.modalities": {},
            "model.heads.image": {
                "kind": "signal_tokens", "text_encoder": "builtin:clip", "inner": 64, "layers": 2, "length": 32
            },
            "stages.1.data": "world:?task=paint&size=2400",
            "stages.2.data": both,
        },
    )  # fmt: skip
