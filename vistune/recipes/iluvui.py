"""ILuvUI (Jiang et al., "Instruction-tuned Language-Vision modeling of UIs from Machine Conversations", arXiv 2310.04869)."""

from __future__ import annotations

from dataclasses import replace

from vistune.recipe import Recipe
from vistune.recipes.llava import llava


def iluvui(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-13b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    instructions: str = "conversations:iluvui.json?images=data/iluvui",
) -> Recipe:
    """LLaVA tuned on 335K conversations about screens, which are padded to squares (section 4). No code is published."""
    base = llava(vision, llm, captions, instructions).override({"model.vision.fit": "pad"})
    return replace(
        base,
        name="iluvui",
        paper="arXiv 2310.04869",
        deviations=(
            "the data are not published: `vistune build` has a pipeline that makes such",
            "Vicuna 1.5 instead of Vicuna 0",
        ),
        published={},
    )
