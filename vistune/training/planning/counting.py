"""Operations of encoders, connectors, region encoders and heads, counted by running each once on a small thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from vistune.model.assembly import REGION_KINDS
from vistune.model.connectors.base import TextContext
from vistune.model.features import Features, Prepared, Sight, Thing
from vistune.model.heads.base import Head
from vistune.model.modalities.base import probe
from vistune.model.modalities.region import Regions
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.writer import MADE, Aside, Places, Stretch, Trigger
from vistune.sample import Media, MediaKind, MediaRef, Part, Produce, Region, Sample, Text, Turn

Cost: TypeAlias = tuple[str, float, nn.Module]


def counted_parts(model: VisionLanguageModel) -> tuple[dict[MediaKind, dict[str, float]], dict[str, Cost]]:
    """Forward operations: of each kind of medium those of its parts by name, for one input; of each kind of region or artefact
    the name of its part, its operations for one thing, and the part.

    Losses of heads are not run on the meta device, where numbers have no values. Dropout draws random numbers.
    """
    meta = model.device.type == "meta"
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # fused kernels are not counted
        media: dict[MediaKind, dict[str, float]] = {}
        seen: dict[str, list[Sight]] = {}
        for kind in model.chains:
            media[kind], seen[kind] = _chain(model, kind)
        things: dict[str, Cost] = {}
        for region, modality in model.modalities.items():
            if isinstance(modality, Regions):
                things[region] = (model.routes[region].chain[0], _region(modality, region, seen), modality.encoder)
        for head in model.heads.values():
            if isinstance(head, Head) and not meta:
                things |= {kind: ("heads", _head(model, head, kind, seen), head) for kind in head.makes}
    return media, things


def _chain(model: VisionLanguageModel, kind: MediaKind) -> tuple[dict[str, float], list[Sight]]:
    chain, costs = model.chains[kind], {}
    medium = chain.read(probe(kind))
    inputs = len(medium.inputs)
    first, *rest = model.routes[kind].chain
    with FlopCounterMode(display=False) as counter:
        # Counted while it runs: formulas for every encoder that anybody writes would be wrong for the next one.
        features = chain.encoder.see(medium.inputs.to(model.device), kind)
    costs[first] = counter.get_total_flops() / inputs
    state, layout = features, medium.layout
    for name, connector in zip(rest, chain.connectors, strict=True):
        with FlopCounterMode(display=False) as counter:
            tokens = connector(state, TextContext(("",) * len(state.x), kind))
            after = connector.layout_after(layout)
            state = Features(connector.join(tokens, layout), after.grid)
        layout = after
        # Added, since a chain may name one connector twice (a shared trunk).
        costs[name] = costs.get(name, 0.0) + counter.get_total_flops() / inputs
    return costs, [Sight(medium, features)]


def _example(kind: str) -> Region:
    """A region of a kind on the probe."""
    if kind == "mask":
        mask = np.zeros((48, 64), dtype=bool)
        mask[12:36, 16:48] = True
        return Region(mask=mask, label="thing")
    return Region(box=(0.25, 0.25, 0.75, 0.75), label="thing") if kind == "box" else Region(point=(0.5, 0.5))


def _sample(seen: Mapping[str, list[Sight]]) -> tuple[Sample, tuple[str, int]]:
    kinds: tuple[MediaKind, ...] = ("image", "video", "audio", "points")
    kind: MediaKind = next((kind for kind in kinds if kind in seen), "image")
    return Sample("probe", (probe(kind),), ()), (kind, 0)


def _region(modality: Regions, kind: str, seen: Mapping[str, list[Sight]]) -> float:
    sample, on = _sample(seen)
    view = modality.encoder.view(sample.media[0])
    thing = Thing(modality.prepare(_example(kind), sample), on=on, view=view)
    with FlopCounterMode(display=False) as counter:
        modality.tokens([thing], seen)
    return float(counter.get_total_flops())


def _head(model: VisionLanguageModel, head: Head, kind: str, seen: Mapping[str, list[Sight]]) -> float:
    made = kind.removeprefix(MADE)
    sample, on = _sample(seen)
    part: Part
    view: Prepared | None = None
    if made in REGION_KINDS:
        part, view = _example(made), head.view(sample.media[0])
    else:
        target: Media = probe(made)  # type: ignore[arg-type]
        sample, part = Sample("probe", (*sample.media, target), ()), Produce(1)
    turns = (Turn("user", (MediaRef(0), Text("Where is it?"))), Turn("assistant", (part,)))
    sample = replace(sample, turns=turns)
    places = _places(head.write(part, sample))
    if not places:  # words alone
        return 0.0
    states = torch.zeros(places, model.llm.width, device=model.device)
    with FlopCounterMode(display=False) as counter:
        head.loss([states], [Thing(head.prepare(part, sample), on=on, view=view)], seen)
    return float(counter.get_total_flops())


def _places(stretches: Sequence[Stretch]) -> int:
    """States that a head reads of a thing: those of its places and triggers, aside as well."""
    aside = sum(_places(stretch.stretches) for stretch in stretches if isinstance(stretch, Aside))
    filled = sum(stretch.count for stretch in stretches if isinstance(stretch, Places))
    return aside + filled + sum(isinstance(stretch, Trigger) for stretch in stretches)
