"""ImageBind-LLM (github.com/OpenGVLab/LLaMA-Adapter, imagebind_LLM): names of the bind network, the prompts and their gates."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.model.interchange.formats.keymap import KeyMap, Of

CONNECTOR: KeyMap = {"proj.": "image_bind_proj."}
"""Of `connectors.unit_linear`."""


def fusion(layers: int, prompted: int, blocks: int = 3) -> KeyMap:
    """Of `fusion.bind_attention` in a language model of `layers` layers, the last `prompted` of which have a prompt."""
    gates = tuple(f"llama.layers.{number}.attention.gate" for number in range(layers - prompted, layers))
    names: dict[str, str | Of | None] = {"rows": "prefix_query.weight", "gates": Of(gates, _stacked)}
    for block in range(blocks):
        names[f"network.{block}.norm."] = f"image_bind_norm_{block + 1}."
        for ours, theirs in {"gate": "f1", "down": "f2", "up": "f3"}.items():
            names[f"network.{block}.{ours}."] = f"image_bind_{theirs}_{block + 1}."
    return names


def _stacked(*gates: Tensor) -> Tensor:
    return torch.stack([gate.flatten() for gate in gates])
