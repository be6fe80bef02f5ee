"""PointLLM (Xu et al., "PointLLM: Empowering Large Language Models to Understand Point Clouds", arXiv 2308.16911)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.nano import senses
from vistune.recipe import Recipe, Stage


def point_llm(
    points: str | None = None,
    llm: str = "lmsys/vicuna-7b-v1.5",
    descriptions: str = "catalogue:pointllm?path=data/pointllm&part=PointLLM_brief_description_660K",
    instructions: str = "catalogue:pointllm?path=data/pointllm&part=PointLLM_complex_instruction_70K",
) -> Recipe:
    """PointBERT's 513 tokens of 8,192 coloured points, three linear layers, Vicuna; vectors mark a cloud's begin and end.

    Stage 1: the layers and the two vectors on 660 k brief descriptions (script: lr 2e-3, batch 128, 3 epochs); stage 2: layers
    and language model on 70 k instructions (lr 2e-5, batch 32, 3 epochs). The encoder stays frozen.
    """
    return Recipe(
        name="point_llm",
        paper="arXiv 2308.16911",
        model=ModelSpec(
            connector={"kind": "bracket", "inner": {"kind": "mlp", "hidden": [1024, 2048]}},
            parts={"cloud": {"kind": "point_bert", "path": points}},
            modalities={"points": ["cloud", "connector"]},
            llm=llm,
            template="vicuna_v1",
        ),
        stages=(
            Stage(name="align", data=descriptions, train={"connector": 2e-3}, batch=128, epochs=3.0),
            Stage(name="tune", data=instructions, train={"connector": 2e-5, "llm": 2e-5}, batch=32, epochs=3.0),
        ),
        deviations=(
            "vectors that begin at zero stand around a cloud, not rows of the vocabulary; Vicuna 1.5 instead of 1.1",
            "PointBERT begins at random until `points` names a directory with its published weights",
        ),
        nano={
            **senses("solids", ("connector",), ("connector", "llm")),
            "model.parts.cloud.path": "builtin:point_bert",
            "model.connector": {"kind": "bracket", "inner": {"kind": "mlp", "hidden": [192, 256]}},
        },
    )
