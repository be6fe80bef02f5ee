"""Any vision-language model of `transformers`, tuned as it is: low-rank updates of its text part's attention.

The family's own form, picture processor and weights are kept; the loss is over answers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistune.model.native.spec import NativeSpec
from vistune.recipe import Recipe, Stage


def native(
    model: str = "HuggingFaceTB/SmolVLM-256M-Instruct", data: str | Mapping[str, Any] = "world:?task=instructions"
) -> Recipe:
    """LoRA (arXiv 2106.09685) of `model`, a directory or hub id, on `data`."""
    return Recipe(
        name="native",
        paper="2106.09685",
        model=NativeSpec(native=model, adapt={"native": {"kind": "lora", "rank": 16, "targets": "attention"}}),
        stages=(Stage(name="tune", train={"native.adapter": 1e-4}, data=data, batch=16, micro=1),),
        deviations=("LoRA's paper adapts queries and values; here all linear layers of the attention learn, as is common now",),
    )
