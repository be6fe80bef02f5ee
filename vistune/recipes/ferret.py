"""Ferret (You et al., "Refer and Ground Anything Anywhere at Any Granularity", arXiv 2310.07704)."""

from __future__ import annotations

from vistune.model.spec import ModelSpec
from vistune.recipe import Recipe, Stage


def ferret(
    vision: str = "openai/clip-vit-large-patch14-336",
    llm: str = "lmsys/vicuna-7b-v1.3",
    data: str = "mixture:grit.yaml",
    official: bool = False,
) -> Recipe:
    """Regions of any shape as coordinates and a token: points of the region, gathered around anchors (section 3.2).

    One stage on GRIT from LLaVA's aligned connector (section 5.1: lr 2e-5, batch 128, 3 epochs): everything but the encoder.
    `official` reads features as the released weights were taught to, with x and y exchanged.
    """
    region = {"chain": ["region"], "words": "before"}
    return Recipe(
        name="ferret",
        paper="arXiv 2310.07704",
        model=ModelSpec(
            vision={"kind": "huggingface", "path": vision, "layer": -2, "fit": "resize"},
            connector="linear",
            llm=llm,
            parts={"region": {"kind": "geo_sampler", "transposed": official}},
            modalities={"box": region, "point": region, "mask": region},
            codec={"kind": "integers", "box": "[{x1}, {y1}, {x2}, {y2}]", "point": "[{x}, {y}]", "scale": 1000},
        ),
        stages=(Stage(name="tune", data=data, train={"region": 2e-5, "connector": 2e-5, "llm": 2e-5}, batch=128, epochs=3.0),),
        deviations=(
            "the places inside a region and the first anchor are the same in every epoch, where Ferret draws them anew",
            "features are read at their own place unless `official`: the released code exchanges x and y",
        ),
        published={"refcoco_val": 87.5, "lvis_point_13b": 68.4, "lvis_box_13b": 80.5, "lvis_free_form_13b": 71.0},
        nano={
            "model.parts.region": {"kind": "geo_sampler", "points": 64, "anchors": [16, 4], "neighbours": [8, 8]},
            "stages.0.data": "world:?task=describe_region&size=2400",
        },
    )
