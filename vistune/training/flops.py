"""How many floating-point operations a training step takes, part by part: what it needs, not what a machine happens to run.

A multiplication and an addition are two operations; only matrix products and convolutions count. Backward, a product costs
once more where the gradient goes on to its input and once more where its weight is trained. What is computed again (activation
checkpointing) does not count, so that utilisation is model FLOPs utilisation (PaLM, arXiv 2204.02311, appendix B).

    vision      its forward pass on one input, counted once, times the inputs          frozen: no backward
    connector   likewise
    fusion      gated layers; experts, which the language model is spared
    llm         linear layers x tokens + attention over the squares of the samples' lengths + vocabulary x supervised tokens

Attention counts whole squares, as papers do, though half of a causal one is masked. Not counted: experts chosen token by
token inside a language model (mixtures of experts), the prompts of zero-initialised attention, and norms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vistune.model.connectors.base import TextContext
from vistune.model.fusion.base import shown
from vistune.model.fusion.gated_cross_attention import GatedBlock, GatedCrossAttention
from vistune.model.fusion.modality_adaptive import ModalityAdaptive
from vistune.model.fusion.visual_experts import VisualExperts
from vistune.model.packing import Batch
from vistune.model.vlm import VisionLanguageModel


@dataclass(frozen=True, slots=True)
class Load:
    """What a packed row asks for: samples' `lengths`, `supervised` tokens, `visual` places, `media`, and encoder `inputs`."""

    lengths: tuple[int, ...]
    supervised: int
    visual: int = 0
    media: int = 0
    inputs: int = 0

    @classmethod
    def of(cls, batch: Batch) -> Load:
        """That of a batch; what a feature cache gives is not computed."""
        visual = sum(slot.length for slot in shown(batch.slots))
        inputs = sum(len(medium.pixels) for medium in batch.media if medium.kept is None)
        return cls(batch.lengths, batch.supervised, visual, len(batch.media), inputs)


@dataclass(frozen=True, slots=True)
class Flops:
    """Operations of the forward and of the backward pass."""

    forward: float = 0.0
    backward: float = 0.0

    @property
    def total(self) -> float:
        """Both."""
        return self.forward + self.backward

    def __add__(self, other: Flops) -> Flops:
        return Flops(self.forward + other.forward, self.backward + other.backward)

    def __mul__(self, times: float) -> Flops:
        return Flops(self.forward * times, self.backward * times)


class FlopModel:
    """Counts steps of `model` with the parameters that require a gradient when it is made.

    The encoder and the connector are run once, on one input, to be counted; on the meta device that costs nothing.
    """

    def __init__(self, model: VisionLanguageModel) -> None:
        self.model = model
        vision, connector = _media(model)
        seen = _trains(model.vision)
        self.vision = _both(vision, model.vision, reached=False)
        self.connector = _both(connector, model.connector, reached=seen)
        # Visual tokens reach the language model through the connector and the fusion: at its first layer, or at a gated one.
        self.reached = seen or _trains(model.connector) or _trains(model.fusion)
        gated = model.fusion if isinstance(model.fusion, GatedCrossAttention) else None
        self.enters: bool = self.reached if gated is None else gated.marker.requires_grad

    def step(self, loads: Iterable[Load]) -> dict[str, Flops]:
        """The operations of an optimizer step over packed rows, by part."""
        total = {name: Flops() for name in ("vision", "connector", "fusion", "llm")}
        for load in loads:
            total["vision"] += self.vision * load.inputs
            total["connector"] += self.connector * load.inputs
            total["fusion"] += self._fusion(load)
            total["llm"] += self._language(load)
        return total

    def _language(self, load: Load) -> Flops:
        llm = self.model.llm
        tokens, squares = sum(load.lengths), sum(length**2 for length in load.lengths)
        config = llm.model.config.get_text_config()
        head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        attention = 4.0 * config.num_attention_heads * head_width * squares
        fusion, sums = self.model.fusion, Flops()
        gated = set(fusion.blocks) if isinstance(fusion, GatedCrossAttention) else set()
        reached = self.enters or llm.embeddings.requires_grad
        for number, block in enumerate(llm.blocks):
            reached = reached or _trains(block) or (str(number) in gated and self.reached)
            sums += Flops(attention, 2 * attention if reached else 0)
            for name, module in block.named_modules():
                if isinstance(module, nn.Linear):
                    rows = tokens - (load.visual if self._routed(number, name) else 0)
                    sums += _product(2.0 * rows * module.weight.numel(), module.weight.requires_grad, reached)
        head = llm.model.get_output_embeddings().weight
        return sums + _product(2.0 * load.supervised * head.numel(), head.requires_grad, reached)

    def _routed(self, number: int, name: str) -> bool:
        fusion = self.model.fusion
        if not isinstance(fusion, (ModalityAdaptive, VisualExperts)):
            return False
        chosen = fusion.experts[number]
        return isinstance(chosen, nn.ModuleDict) and name.replace(".", "_") in chosen

    def _fusion(self, load: Load) -> Flops:
        fusion, sums = self.model.fusion, Flops()
        if isinstance(fusion, (ModalityAdaptive, VisualExperts)):
            for module in fusion.modules():
                if isinstance(module, nn.Linear):
                    sums += _product(2.0 * load.visual * module.weight.numel(), module.weight.requires_grad, True)
        if isinstance(fusion, GatedCrossAttention):
            hidden = self.enters or self.model.llm.embeddings.requires_grad
            for number, block in fusion.blocks.items():
                assert isinstance(block, GatedBlock)
                hidden = hidden or any(map(_trains, self.model.llm.blocks[: int(number)]))
                sums += self._gated(block, load, hidden)
                hidden = hidden or self.reached
        return sums

    def _gated(self, block: GatedBlock, load: Load, hidden: bool) -> Flops:
        """`hidden`: a gradient goes on from what the block reads to what lies before it."""
        assert self.model.connector is not None and self.model.vision is not None
        size = (self.model.vision.size, self.model.vision.size)
        context = load.media * self.model.connector.count(
            self.model.vision.num_tokens(size), self.model.vision.grid(size), self.model.vision.tiling(size)
        )
        tokens = sum(load.lengths)
        sums = Flops()
        for name, module in block.named_modules():
            if isinstance(module, nn.Linear):
                rows = context if name == "key_and_value" else tokens
                reached = hidden if name == "query" else self.reached
                sums += _product(2.0 * rows * module.weight.numel(), module.weight.requires_grad, reached)
        attention = 4.0 * block.query.out_features * tokens * context
        return sums + Flops(attention, 2 * attention if self.reached else 0)


def _media(model: VisionLanguageModel) -> tuple[float, float]:
    """Forward operations of the encoder and of the connector for one input."""
    if model.vision is None or model.connector is None:
        return 0.0, 0.0
    side = model.vision.size
    device = next(model.vision.parameters()).device
    pixels = model.vision.prepare(Image.new("RGB", (side, side))).pixels[:1].to(device)
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # fused kernels of the CPU are not known to the counter
        with FlopCounterMode(display=False) as vision:
            features = model.vision(pixels)
        with FlopCounterMode(display=False) as connector:
            model.connector(features, TextContext(("",)))
    return float(vision.get_total_flops()), float(connector.get_total_flops())


def _trains(part: nn.Module | None) -> bool:
    return part is not None and any(parameter.requires_grad for parameter in part.parameters())


def _product(forward: float, trained: bool, reached: bool) -> Flops:
    """A matrix product: once more for the gradient of its input, once more for that of its weight."""
    return Flops(forward, forward * (trained + reached))


def _both(forward: float, part: nn.Module | None, reached: bool) -> Flops:
    """Forward and backward of a part counted as a whole, by the shares of its matrices that train and that gradients pass.

    Gradients pass those behind the first trained one, in the order in which they were made.
    """
    if part is None:
        return Flops()
    trained = passed = whole = 0
    for module in part.modules():
        weight: Any = getattr(module, "weight", None)
        if not isinstance(module, (nn.Linear, nn.Conv2d)) or not isinstance(weight, nn.Parameter):
            continue
        whole += weight.numel()
        passed += weight.numel() * reached
        trained += weight.numel() * weight.requires_grad
        reached = reached or weight.requires_grad
    return Flops(forward, forward * (trained + passed) / whole if whole else 0.0)
