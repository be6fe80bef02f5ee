"""Second copies of modules for visual tokens, beside the language model's own for text: `route` at work.

x    t t v v v t      t: text, through the module        y    t t v v v t
                      v: visual, through its expert
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.language.hooks import Hooks, Run


class Expert(nn.Module):
    """A copy of `module`, weights included, that takes its place for visual tokens. Generated tokens are text."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = copy.deepcopy(module)

    def forward(self, base: Callable[[Tensor], Tensor], x: Tensor, run: Run) -> Tensor:
        """A `route` hook: `x [B, T, ...]`. Each token goes through one of the two."""
        visual = run.visual(x.shape[1])
        if visual is None:
            return base(x)
        text, seen = base(x[~visual]), self.module(x[visual])
        # Each token is computed by one module alone: running both over all tokens and choosing afterwards would double the
        # work.
        y = text.new_empty((*x.shape[:2], *text.shape[1:]))
        y = y.index_put((~visual,), text)
        return y.index_put((visual,), seen.to(y.dtype))


def add_experts(hooks: Hooks, patterns: Sequence[str]) -> nn.ModuleList:
    """An expert for every module of every block whose name a pattern matches; returns them, by block, for who is to own them.

    Raises `InputError` for a pattern that matches nothing.
    """
    experts = nn.ModuleList()
    for number, block in enumerate(hooks.blocks):
        # Leaves only: an expert of a container would take its children's hooks with it.
        names = [name for name, module in block.named_modules() if name and not list(module.children())]
        chosen = nn.ModuleDict()
        for name in matching(names, patterns):
            # A `ModuleDict` takes no dots in its keys.
            chosen[name.replace(".", "_")] = Expert(hooks.module(number, name))
        for name in names:
            if name.replace(".", "_") in chosen:
                hooks.route(number, name, chosen[name.replace(".", "_")])
        experts.append(chosen)
    return experts


def has_expert(experts: nn.ModuleList, layer: int, name: str) -> bool:
    """Whether a module of a layer has an expert among those that `add_experts` gave."""
    chosen = experts[layer]
    assert isinstance(chosen, nn.ModuleDict)
    return name.replace(".", "_") in chosen


def matching(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Names of a layer's modules that a glob matches. Raises `InputError` for a glob that matches none."""
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise InputError(f"no module of the language model's layers matches {pattern!r}; they hold {', '.join(names)}")
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def visual_places(length: int, spans: Sequence[tuple[int, int]], device: torch.device) -> Tensor:
    """`[length]` bool, True from each span's start to its end."""
    places = torch.zeros(length, dtype=torch.bool)
    for start, end in spans:
        places[start:end] = True
    return places.to(device)
