"""TextBind (Li et al., "TextBind: Multi-turn Interleaved Multimodal Instruction-following in the Wild", arXiv 2309.08637)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def textbind(
    vision: str = "Salesforce/blip2-opt-2.7b",
    llm: str = "meta-llama/Llama-2-7b-chat-hf",
    captions: str = "captions:coco/annotations/captions_train2017.json?images=coco/train2017",
    dialogues: str = "samples:textbind.jsonl",
) -> Recipe:
    """Answers with pictures by way of captions that branch off (MIM, section 4): Q-Former, linear layer, Llama 2.

    Stage 1 teaches Q-Former and layer on captions (2 epochs, lr 1e-4, batch 256), stage 2 the language model as well, on
    TextBind's dialogues and five other sets (3 epochs, lr 1e-5).
    """
    tasks = ("instructions", "paint")
    both = {"kind": "mixture", "sources": [{"data": f"world:?task={task}&size=600"} for task in tasks]}
    return Recipe(
        name="textbind",
        paper="arXiv 2309.08637",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -1, "cls": "keep", "fit": "resize"},
            connector={"kind": "q_former", "queries": 32},
            llm=llm,
            template="llava_llama_2",
            heads={"image": "caption_branches"},
        ),
        stages=(
            Stage(name="align", data=captions, train={"connector": 1e-4}, batch=256, epochs=2.0),
            Stage(name="tune", data=dialogues, train={"connector": 1e-5, "llm": 1e-5}, batch=256, epochs=3.0),
        ),
        deviations=(
            "a caption does not see the captions before it in the row, as when answering; TextBind's training code lets it",
            "a Q-Former from random weights; samples that are too long lose whole turns, not the captions at their end",
        ),
        nano={
            "model.connector": {"kind": "q_former", "queries": 24, "hidden": 128, "layers": 3, "heads": 4},
            "stages.1.data": both,
        },
    )
