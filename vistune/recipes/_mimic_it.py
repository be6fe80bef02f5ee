"""MIMIC-IT (Li et al., arXiv 2306.05425) as data of a stage."""

from __future__ import annotations

from typing import Any

PARTS = ("LACONV", "LADD", "LACR_I2I", "LACR_T2T")
"""The parts of MIMIC-IT that are made of LLaVA's pictures and instructions, whose pictures are in one file."""


def mimic_it(folder: str) -> dict[str, Any]:
    """MIMIC-IT's parts on pictures, each instruction behind its related ones."""
    common = {
        "kind": "instructions",
        "at": "data",
        "input": None,
        "output": "answer",
        "image": "image_ids",
        "related": "rel_ins_ids?",
    }
    files = [{"path": f"{folder}/LA/{part}_instructions.json", "store": f"{folder}/LA/LA.json"} for part in PARTS]
    return {"kind": "mixture", "sources": [{"data": {**common, **file}} for file in files]}
