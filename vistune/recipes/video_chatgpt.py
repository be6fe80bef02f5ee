"""Video-ChatGPT (Maaz et al., "Video-ChatGPT: Towards Detailed Video Understanding", arXiv 2306.05424)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage


def video_chatgpt(
    vision: str = "openai/clip-vit-large-patch14",
    llm: str = "lmsys/vicuna-7b-v1.5",
    captions: str = "catalogue:llava_cc3m_595k?path=data/llava_cc3m",
    pictures: str = "catalogue:llava_instruct_150k?path=data/llava",
    instructions: str = "catalogue:video_chatgpt?path=data/video_instruct",
) -> Recipe:
    """A hundred frames become a token a frame and a token a patch (section 3.2), which LLaVA's linear layer projects.

    It begins with LLaVA, which the first two stages make: the layer on captions, layer and language model on instructions
    (arXiv 2304.08485, section 4.2). Then the layer alone, and the two vectors around a film, learn from 100,000 questions
    (script: lr 2e-5, batch 32, 3 epochs).
    """
    layer = "connector.inner"
    return Recipe(
        name="video_chatgpt",
        paper="arXiv 2306.05424",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "resize"},
            connector={"kind": "bracket", "inner": "linear"},
            parts={"pooling": {"kind": "spatial_temporal_pooling", "frames": 100}},
            modalities={
                "image": ["vision", "connector"],
                "video": {"chain": ["vision", "pooling", "connector"], "frames": 100, "sample": "segments"},
            },
            llm=llm,
            template="vicuna_v1",
        ),
        stages=(
            Stage(name="align", data=captions, train={layer: 2e-3}, template="plain", batch=128),
            Stage(name="llava", data=pictures, train={layer: 2e-5, "llm": 2e-5}, batch=32, epochs=3.0),
            Stage(name="tune", data=instructions, train={"connector": 2e-5}, batch=32, epochs=3.0),
        ),
        deviations=(
            "vectors that begin at zero stand around films, not rows of the vocabulary, and around pictures, too",
            "LLaVA's stages with Vicuna 1.5 instead of LLaVA-Lightning's weights on Vicuna 1.1",
        ),
        published={"msvd_qa": 64.9, "msrvtt_qa": 49.3, "tgif_qa": 51.4, "activitynet_qa": 35.2},
        nano={
            **senses("films", (layer,), (layer, "llm"), ("connector",)),
            "model.parts.pooling.frames": 16,
            "model.modalities.video.frames": 16,
            "stages.1.data": "world:?task=films&size=4800",
            "stages.2.data": "world:?task=films&size=320",
        },
    )
