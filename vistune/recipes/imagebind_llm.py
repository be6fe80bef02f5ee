"""ImageBind-LLM (Han et al., "ImageBind-LLM: Multi-modality Instruction Tuning", arXiv 2309.03905)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import NANO_JOINT, senses
from vistune.recipe import Recipe, Stage


def imagebind_llm(
    joint: str | None = "imagebind_huge.pth",
    llm: str = "huggyllama/llama-7b",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    language: str = "catalogue:alpaca?path=data/alpaca",
    pictures: str = "catalogue:llava_instruct_150k?path=data/llava",
) -> Recipe:
    """ImageBind's vector, through a bind network, is added to every layer behind a zero gate; taught on pictures.

    Stage 1: linear layer, bind network, rows and gates on captions (section 3.2; script: rate 1e-4 at batch 256, batch 32,
    150 passes); stage 2: biases, norms and LoRA of rank 16 on text and pictures (1e-3 at 256, batch 32, 4 epochs). The
    published cache of neighbours is `neighbour_cache` in front of `connector`, once a file of embeddings is at hand.
    """
    chain = ["joint", "clips", "connector"]
    tuned = ("llm.adapter", "fusion")
    return Recipe(
        name="imagebind_llm",
        paper="arXiv 2309.03905",
        model=ModelSpec(
            connector="unit_linear",
            parts={"joint": {"kind": "imagebind", "path": joint}, "clips": "frame_pooling"},
            modalities={"image": chain, "video": chain, "audio": chain},
            fusion={"kind": "bind_attention", "depth": 3, "tune": "bias"},
            llm=llm,
            template="alpaca",
            adapt={"llm": {"kind": "lora", "rank": 16}},
        ),
        stages=(
            Stage(name="align", data=captions, train=dict.fromkeys(("connector", "fusion"), 1.25e-5), batch=32, epochs=150.0),
            Stage(
                name="tune",
                data={"kind": "mixture", "sources": [{"data": language}, {"data": pictures}]},
                train=dict.fromkeys(tuned, 1.25e-4),
                batch=32,
                epochs=4.0,
                weight_decay=0.02,
            ),
        ),
        deviations=(
            "the bind network goes on learning in stage 2, where the published code freezes it; captions of CC3M alone",
            "a pass over the data is counted as an epoch, where the published code splits one into fifty",
        ),
        nano={
            **senses(("films", "sounds"), ("joint", "connector", "fusion"), ("joint", "connector", "fusion", "llm")),
            "model.parts.joint": NANO_JOINT,
            "model.adapt": {},
            "stages.1.train": {"joint": 1e-2, "connector": 1e-2, "fusion": 1e-2, "llm": 2e-3},
        },
    )
