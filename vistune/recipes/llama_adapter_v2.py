"""LLaMA-Adapter V2 (Gao et al., "Parameter-Efficient Visual Instruction Model", arXiv 2304.15010), as its code does it."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def llama_adapter_v2(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "huggyllama/llama-7b",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    instructions: str = "conversations:llava_instruct_150k.json?images=coco/train2017",
) -> Recipe:
    """Ten prompts a layer, opened by zero-initialised gates, carry the picture; biases and norms carry the instruction.

    Stage 1 teaches the visual prompt and the gates on captions, stage 2 biases and norms of the frozen language model on
    instructions (disjoint parameters for the two kinds of data).
    """
    return Recipe(
        name="llama_adapter_v2",
        paper="arXiv 2304.15010",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "self_attention_queries", "queries": 10, "depth": 8, "heads": 16, "inner": 768},
            fusion={"kind": "zero_init_attention", "length": 10, "tune": "bias"},
            llm=llm,
            template={
                "kind": "plain",
                "question_text": True,
                "user_prefix": "### Instruction:\n",
                "user_suffix": "\n\n",
                "assistant_prefix": "### Response:",
                "answer_suffix": "{eos}",
            },
        ),
        stages=(
            Stage(
                name="align",
                data=captions,
                train={"connector": 1e-4, "fusion.rows": 1e-4, "fusion.gates": 1e-4},
                batch=256,
                epochs=3,
                weight_decay=0.02,
            ),
            Stage(name="tune", data=instructions, train={"fusion.tuned": 5e-5, "llm.*norm*": 5e-5}, batch=32, epochs=4),
        ),
        deviations=(
            "biases on all matrices, in the code not on keys and values; 'scale_and_bias' gives the paper's scales, too",
            "CLIP's last layer without its final norm and projection; no visual prompt where there is no picture",
        ),
        published={"mme_perception": 1326.0, "coco_caption_cider": 122.2},
        nano={
            "model.connector": {"kind": "self_attention_queries", "queries": 10, "depth": 2, "heads": 4, "inner": 128},
        },
    )
