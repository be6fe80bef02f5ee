"""DreamLLM (Dong et al., "DreamLLM: Synergistic Multimodal Comprehension and Creation", arXiv 2309.11499)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def dream_llm(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.1",
    painter: str = "stabilityai/stable-diffusion-2-1-base",
    captions: str = "samples:captions_and_paintings.jsonl",
    interleaved: str = "samples:mmc4.jsonl",
    instructions: str = "samples:instructions.jsonl",
) -> Recipe:
    """64 dream queries whose states condition a frozen Stable Diffusion; its gradient teaches them (section 3).

    Stage 1 aligns connector, queries and projection on captions, both ways (lr 2e-3); stage 2 teaches the language model
    too, on interleaved documents (2e-5); stage 3 follows instructions (4e-5). The denoising loss weighs ten times the words'.
    """
    both = {"kind": "mixture", "sources": [{"data": f"world:?task={task}&size=900"} for task in ("captions", "paint")]}
    new = {"connector": 2e-3, "heads.dream.queries": 2e-3, "heads.dream.project": 2e-3}
    return Recipe(
        name="dream_llm",
        paper="arXiv 2309.11499",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "crop"},
            connector="linear",
            llm=llm,
            heads={"dream": {"kind": "dream_queries", "painter": painter, "drop": 0.1}},
        ),
        stages=(
            Stage(name="align", data=captions, train=new, batch=1024),
            Stage(name="interleave", data=interleaved, train={**dict.fromkeys(new, 2e-5), "llm": 2e-5}, batch=1024),
            Stage(name="tune", data=instructions, train={**dict.fromkeys(new, 4e-5), "llm": 4e-5}, batch=128),
        ),
        deviations=(
            "comprehension and creation are mixed in stage 1, where the paper runs them apart",
            "the empty prompt of guidance holds the dream queries in training as in painting; batches are assumed",
        ),
        published={"coco_fid": 8.46, "vqav2_tuned": 72.9, "mm_vet": 35.9},
        nano={
            "model.heads.dream": {"kind": "dream_queries", "painter": "builtin:painter", "queries": 8, "drop": 0.1},
            "stages.0.data": both,
            "stages.1.data": both,
            "stages.2.data": both,
        },
    )
