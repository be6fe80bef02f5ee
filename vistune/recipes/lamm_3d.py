"""LAMM on point clouds (Yin et al., arXiv 2306.06687): the method of `lamm` with an encoder of shapes."""

from __future__ import annotations

from dataclasses import replace

from vistune.nano import senses
from vistune.recipe import Recipe
from vistune.recipes.lamm import lamm


def lamm_3d(
    points: str = "builtin:point_bert",
    llm: str = "lmsys/vicuna-13b-v1.5",
    instructions: str = "catalogue:lamm?path=data/lamm&part=LAMM_3dinstruct_10k",
) -> Recipe:
    """A frozen encoder of clouds, a linear layer, LoRA of rank 32 (section 4; code: lr 5e-4, batch 64, 2 epochs)."""
    changed = lamm(llm=llm).override(
        {
            "model.vision": None,
            "model.parts": {"cloud": {"kind": "point_bert", "path": points}},
            "model.modalities": {"points": ["cloud", "connector"]},
            "model.template.media_prefix": "<Pcl>",
            "model.template.media_suffix": "</Pcl> ",
            "stages.0.data": instructions,
        }
    )
    return replace(
        changed,
        name="lamm_3d",
        deviations=(*changed.deviations, "PointBERT in the place of EPCL, whose sampling is a kernel of its own"),
        nano=senses("solids", ("connector", "llm.adapter")),
    )
