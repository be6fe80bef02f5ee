"""Pictures looked at again half-way through the language model, guided by what was asked: VPG-C (arXiv 2308.04152, 3.1).

    layer k reads h:    queries = own + W_1 h[last token of the question]      the question has been read by k layers
                        h[places of picture j] += W_2 Q-Former(queries, features of picture j)

W_1 and W_2 begin at zero, so that the model begins as the one it is put into. Generated tokens change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.q_former import QFormer
from vistune.model.fusion.base import Fusion, Tokens
from vistune.model.fusion.splice import splice
from vistune.model.language.causal import LanguageModel
from vistune.model.language.hooks import Run
from vistune.model.language.inputs import Inputs
from vistune.model.modalities.base import Seen
from vistune.prompt.render import Slots


class MidLayerInjection(Fusion):
    """Media are spliced in, and looked at again at the entry of `layer` (None: half-way) by the Q-Former called `through`.

    That part gives the media's tokens, too; here it has queries of its own. `queries` begin as that part's.
    """

    looks = True

    def __init__(self, layer: int | None = None, through: str = "connector") -> None:
        super().__init__()
        self.layer, self.through = layer, through
        self._former: tuple[QFormer, ...] = ()  # in a tuple, since it is a part of the model, not of this one

    def meet(self, parts: Mapping[str, nn.Module]) -> None:
        """Find the Q-Former."""
        former = parts.get(self.through)
        if not isinstance(former, QFormer):
            raise InputError(f"fusion.mid_layer_injection looks through the part {self.through!r}, which is no q_former")
        self._former = (former,)

    def install(self, language_model: LanguageModel) -> None:
        """The two linear layers and the queries; a hook at the layer's entry."""
        blocks = len(language_model.blocks)
        layer = blocks // 2 if self.layer is None else self.layer
        if not 0 <= layer < blocks:
            raise InputError(f"fusion.mid_layer_injection.layer is {layer}, but the language model has {blocks} layers")
        queries = self._former[0].queries.detach().clone()
        self.queries = nn.Parameter(queries)
        self.ask = nn.Linear(language_model.hidden_width, queries.shape[1])
        self.answer = nn.Linear(queries.shape[1], language_model.hidden_width)
        # At zero both ways: the injection adds nothing at first, so training starts from the plain spliced model.
        for linear in (self.ask, self.answer):
            nn.init.zeros_(linear.weight)
            nn.init.zeros_(linear.bias)
        language_model.hooks.pre_layer(layer, self._inject)

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Media in place."""
        return splice(text, tokens, slots)

    def settle(self, language_model: LanguageModel, inputs: Inputs, tokens: Tokens, slots: Slots, seen: Seen) -> Inputs:
        """The features of the media shown, as context. A place of a medium knows its number, and how far its question ends."""
        pairs = [(slot, kind) for kind in tokens for slot in slots.get(kind, [])]
        pairs.sort(key=lambda pair: pair[0].start)
        modality = torch.zeros(len(inputs.embeds), dtype=torch.bool)
        sees = torch.zeros((len(inputs.embeds), 2), dtype=torch.long)
        guide_of = guides(inputs)
        for number, (slot, _) in enumerate(pairs):
            places = torch.arange(slot.start, slot.start + slot.length)
            modality[places] = True
            # A distance instead of a place: with left padding and beams, places move, but the guide stays as far behind.
            sees[places, 0], sees[places, 1] = number, guide_of[slot.start] - places
        # A guide that is itself a visual token would ask about the picture before any word of the question was read.
        if any(bool(modality[guide_of[slot.start]]) for slot, _ in pairs):
            raise InputError("fusion.mid_layer_injection is guided by the end of a question: it needs words behind the picture")
        device = inputs.embeds.device
        inputs = replace(inputs, modality=modality.to(device), sees=sees.to(device))
        if not pairs:
            return inputs
        return replace(inputs, context=torch.stack([self._features(seen, kind, slot.which) for slot, kind in pairs]))

    @staticmethod
    def _features(seen: Seen, kind: str, which: int) -> Tensor:
        if not seen.get(kind):
            raise InputError(
                "fusion.mid_layer_injection looks at features, which a cache of tokens does not keep: cache: encoder"
            )
        x = seen[kind][which].features.x
        if len(x) != 1:
            raise InputError("fusion.mid_layer_injection looks at pictures that are one input: take an encoder without tiles")
        return x[0]

    def _inject(self, hidden: Tensor, run: Run) -> Tensor:
        """The hook, on `hidden [B, T, H]`."""
        if run.modality is None or run.sees is None or run.modality.shape[1] != hidden.shape[1]:
            return hidden
        if run.context is None:
            # In a row without media the parameters still take part, with a gradient of zero: FSDP2 waits for all ranks in the
            # same place.
            return hidden + 0.0 * sum(parameter.sum() for parameter in self.parameters())
        beams, count = len(hidden) // len(run.modality), len(self.queries)
        visual, sees = (field.repeat_interleave(beams, dim=0) for field in (run.modality, run.sees))
        rows, places = visual.nonzero(as_tuple=True)
        if len(rows) % count or len(rows) // count != beams * len(run.context):
            raise InputError(f"fusion.mid_layer_injection has {count} queries, but a medium takes another number of places")
        # A medium fills exactly `count` neighbouring places, so every `count`-th visual place begins one.
        first_rows, first = rows[::count], places[::count]
        number, distance = sees[first_rows, first].unbind(dim=1)
        queries = self.ask(hidden[first_rows, first + distance])[:, None] + self.queries
        read = self._former[0].read(queries.to(run.context.dtype), run.context[number])
        added = self.answer(read).flatten(0, 1)
        return hidden.index_put((rows, places), added.to(hidden.dtype), accumulate=True)


def guides(inputs: Inputs) -> list[int]:
    """For each token of a row, where the first question of its sample ends; in a prompt, the sample's last token."""
    found: list[int] = []
    answers = None if inputs.answers is None else inputs.answers.cpu()
    for length in inputs.lengths:
        start, end = len(found), len(found) + length
        begun = [] if answers is None else answers[start:end].nonzero().flatten().tolist()
        found += [max(start, start + begun[0] - 1) if begun else end - 1] * length
    return found
