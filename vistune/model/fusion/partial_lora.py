"""Low-rank updates that serve visual tokens alone: InternLM-XComposer2's partial LoRA (arXiv 2401.16420, section 3.2).

text     y = W x
visual   y = W x + alpha / rank * B A x
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.fusion._visual import over_visual
from vistune.model.fusion.base import Added, Fusion, Tokens, placed
from vistune.model.fusion.splice import splice
from vistune.model.language.causal import LanguageModel
from vistune.model.language.experts import matching, visual_places
from vistune.model.language.hooks import Run
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import Slots


class PartialLora(Fusion):
    """Visual tokens are spliced in; every linear layer that a glob of `modules` matches has an update for them.

    `alpha` is the rank where it is not told. Updates begin at zero.
    """

    def __init__(
        self, rank: int = 256, alpha: float | None = None, dropout: float = 0.05, modules: Sequence[str] = ("*",)
    ) -> None:
        super().__init__()
        if rank < 1:
            raise InputError(f"fusion.partial_lora.rank is {rank}, expected at least 1")
        self.rank, self.scale, self.dropout, self.patterns = rank, (alpha or rank) / rank, dropout, list(modules)

    def install(self, language_model: LanguageModel) -> None:
        """An update for every matching linear layer of every block."""
        hooks = language_model.hooks
        self.updates = nn.ModuleList()
        for number, block in enumerate(language_model.blocks):
            linear = [name for name, module in block.named_modules() if isinstance(module, nn.Linear)]
            updates = nn.ModuleDict()
            for name in matching(linear, self.patterns):
                layer = hooks.module(number, name)
                assert isinstance(layer, nn.Linear)
                update = VisualUpdate(layer.in_features, layer.out_features, self.rank, self.scale, self.dropout)
                updates[name.replace(".", "_")] = update
                hooks.route(number, name, update)
            self.updates.append(updates)

    def added(self) -> list[Added]:
        """The updates' products, over visual places."""
        return [over_visual(self.updates)]

    def prepare(self, text: Inputs, tokens: Tokens, slots: Slots) -> Inputs:
        """Tokens at their slots, which are visual."""
        spans = [(slot.start, slot.start + slot.length) for slot in placed(tokens, slots)[0]]
        modality = visual_places(len(text.embeds), spans, text.embeds.device)
        return replace(splice(text, tokens, slots), modality=modality)


class VisualUpdate(nn.Module):
    """`narrow` is A, `widen` is B."""

    def __init__(self, width: int, out_width: int, rank: int, scale: float, dropout: float) -> None:
        super().__init__()
        self.scale = scale
        self.narrow, self.widen = nn.Linear(width, rank, bias=False), nn.Linear(rank, out_width, bias=False)
        # As LoRA begins: A random, B zero, so that the product is zero and only B has a gradient in the first step.
        nn.init.kaiming_uniform_(self.narrow.weight, a=math.sqrt(5))
        nn.init.zeros_(self.widen.weight)
        self.dropout = nn.Dropout(dropout)

    def forward(self, base: Callable[[Tensor], Tensor], x: Tensor, run: Run) -> Tensor:
        """A `route` hook: `x [B, T, ...]`. Without visual tokens the update has a gradient of zero, so that none is missing."""
        y, visual = base(x), run.visual(x.shape[1])
        if visual is None:
            return y
        added: Tensor = self.scale * self.widen(self.narrow(self.dropout(x[visual])))
        return y.index_put((visual,), added.to(y.dtype), accumulate=True)
