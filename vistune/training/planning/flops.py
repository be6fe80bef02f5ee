"""How many floating-point operations a training step takes, part by part: what it needs, not what a machine happens to run.

A multiplication and an addition are two operations; only matrix products and convolutions count. Backward, a product costs
once more where the gradient goes on to its input and once more where its weight is trained. What is computed again (activation
checkpointing) does not count, so that utilisation is model FLOPs utilisation (PaLM, arXiv 2204.02311, appendix B).

    encoders    the forward pass on a small medium, counted once an input, times the inputs       frozen: no backward
    connectors  likewise
    regions     the forward pass on one region, times the regions; heads the loss of one artefact, times the artefacts
    fusion      gated layers; experts, which the language model is spared
    llm         linear layers x tokens + attention over the squares of the samples' lengths + vocabulary x supervised tokens

Attention counts whole squares, as papers do, though half of a causal one is masked. Not counted: experts chosen token by
token inside a language model (mixtures of experts), the prompts of zero-initialised attention, norms, and on the meta device
(plans) heads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from vistune.model.fusion.base import Added
from vistune.model.packing import Batch
from vistune.model.vlm import VisionLanguageModel
from vistune.training.planning.counting import counted_parts


@dataclass(frozen=True, slots=True)
class Load:
    """What a packed row asks for: samples' `lengths`, `supervised` tokens, `visual` places of media, `context` tokens of media
    that are looked at beside the row, encoder `inputs` by kind of medium, and `things` (regions, artefacts) by kind."""

    lengths: tuple[int, ...]
    supervised: int
    visual: int = 0
    context: int = 0
    inputs: Mapping[str, int] = field(default_factory=dict)
    things: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, batch: Batch, model: VisionLanguageModel) -> Load:
        """That of a batch; what a feature cache gives is not computed."""
        visual = sum(slot.length for kind in model.fusion.carries for slot in batch.slots.get(kind, []))
        context, inputs = 0, dict[str, int]()
        for kind, chain in model.chains.items():
            media = [thing.ready for thing in batch.things.get(kind, ())]
            context += sum(chain.connected(medium.layout).total for medium in media)
            # Kept features cost nothing, or the utilisation of a cached stage would exceed the peak.
            inputs[kind] = sum(medium.layout.inputs for medium in media if medium.kept is None)
        things = {kind: len(those) for kind, those in batch.things.items() if kind not in inputs}
        return cls(batch.lengths, batch.supervised, visual, context, inputs, things)


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

    Encoders, connectors, region encoders and heads are run once, on one thing, to be counted; on the meta device that costs
    nothing.
    """

    def __init__(self, model: VisionLanguageModel) -> None:
        self.model = model
        media, things = counted_parts(model)
        self.inputs: dict[str, dict[str, Flops]] = {}
        reached = _trains(model.fusion)
        for kind, forward in media.items():
            seen, costs = False, {}
            for name in model.routes[kind].chain:
                # `seen`: whether something before it in the chain trains, so that a gradient must pass through to it.
                costs[name] = _both(forward[name], model.parts[name], reached=seen)
                seen = seen or _trains(model.parts[name])
            self.inputs[kind] = costs
            # Tokens of media reach the language model through the fusion: at its first layer, or at a gated one.
            reached = reached or seen
        self.things = {kind: (name, _both(cost, part, reached=True)) for kind, (name, cost, part) in things.items()}
        self.reached = reached
        self.enters = model.fusion.begins_gradient(self.reached)
        self.added = model.fusion.added()

    def step(self, loads: Iterable[Load]) -> dict[str, Flops]:
        """The operations of an optimizer step over packed rows, by part."""
        total: defaultdict[str, Flops] = defaultdict(Flops)
        for load in loads:
            for kind, count in load.inputs.items():
                for name, cost in self.inputs[kind].items():
                    total[name] += cost * count
            for kind, count in load.things.items():
                if kind in self.things:
                    name, cost = self.things[kind]
                    total[name] += cost * count
            total["fusion"] += self._fusion(load)
            total["llm"] += self._language(load)
        return dict(total)

    def _language(self, load: Load) -> Flops:
        llm = self.model.llm
        # Attention is within samples, so squares are summed; the row's own square would count the neighbours in.
        tokens, squares = sum(load.lengths), sum(length**2 for length in load.lengths)
        config = llm.model.config.get_text_config()
        head_width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        # Scores and their product with the values, each two operations a number. Causal masks are not credited, as is the
        # field's custom (PaLM, appendix B).
        attention = 4.0 * config.num_attention_heads * head_width * squares
        fusion, sums = self.model.fusion, Flops()
        gated = {work.before for work in self.added}
        reached = self.enters or llm.embeddings.requires_grad
        for number, block in enumerate(llm.blocks):
            reached = reached or _trains(block) or (number in gated and self.reached)
            sums += Flops(attention, 2 * attention if reached else 0)
            for name, module in block.named_modules():
                if isinstance(module, nn.Linear):
                    # Visual tokens go through the expert instead, which `_fusion` counts.
                    rows = tokens - (load.visual if fusion.replaces(number, name) else 0)
                    sums += _product(2.0 * rows * module.weight.numel(), module.weight.requires_grad, reached)
        head = llm.model.get_output_embeddings().weight
        return sums + _product(2.0 * load.supervised * head.numel(), head.requires_grad, reached)

    def _fusion(self, load: Load) -> Flops:
        sums = Flops()
        hidden = self.enters or self.model.llm.embeddings.requires_grad
        for work in self.added:
            if work.before is not None:
                hidden = hidden or any(map(_trains, self.model.llm.blocks[: work.before]))
            sums += self._added(work, load, hidden)
            hidden = hidden or (work.before is not None and self.reached)
        return sums

    def _added(self, work: Added, load: Load, hidden: bool) -> Flops:
        """`hidden`: a gradient goes on from what queries are read off to what lies before it."""
        places = {"tokens": sum(load.lengths), "visual": load.visual, "context": load.context}
        sums = Flops()
        for product in work.products:
            # Inside of layers it always passes: before them lie modules of earlier layers that train as they do.
            reached = True if work.before is None else hidden if product.queries else self.reached
            weight = product.layer.weight
            sums += _product(2.0 * places[product.over] * weight.numel(), weight.requires_grad, reached)
        attention = 4.0 * work.attends * places["tokens"] * load.context
        return sums + Flops(attention, 2 * attention if self.reached else 0)


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
