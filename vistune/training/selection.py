"""Which parameters a stage trains: patterns over part names, and the table that is printed of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import nn

from vistune.errors import InputError, nearest
from vistune.model.adapters.adapt import adapter_parameters
from vistune.model.part import stacks
from vistune.model.weights.sharding import local

_BLOCKS = re.compile(r"(\w+)\[(\d+):\]")


@dataclass(frozen=True, slots=True)
class Selection:
    """The learning rate of each parameter that a stage trains, by the parameter's name; and those parameters by rate."""

    rates: dict[str, float]
    groups: dict[float, list[nn.Parameter]]

    @property
    def names(self) -> frozenset[str]:
        """Of the parameters that are trained."""
        return frozenset(self.rates)

    def switch_on(self, model: nn.Module) -> None:
        """Gradients for the trained parameters of `model`, and for no other."""
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in self.rates)


def select(model: nn.Module, train: Mapping[str, float], where: str) -> Selection:
    """What `train`'s patterns match; the first matching pattern gives the rate. Changes nothing (`Selection.switch_on` does).

    Raises `InputError` for a pattern that matches nothing.
    """
    matchers = {pattern: _matcher(model, pattern, where) for pattern in train}
    used: set[str] = set()
    groups: dict[float, list[nn.Parameter]] = {}
    rates: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        # A table is read from top to bottom: a part of a part stands above the part (`connector.norm`, `connector`).
        pattern = next((pattern for pattern, matches in matchers.items() if matches(name)), None)
        if pattern is not None:
            used.add(pattern)
            rates[name] = train[pattern]
            groups.setdefault(train[pattern], []).append(parameter)
    for pattern in train:
        if pattern not in used:
            known = [name for name, _ in model.named_children()]
            raise InputError(f"{where}: the pattern {pattern!r} matches no parameter{nearest(pattern.split('.')[0], known)}")
    return Selection(rates, groups)


def _matcher(model: nn.Module, pattern: str, where: str) -> Callable[[str], bool]:
    """A test on parameter names."""
    blocks = _BLOCKS.fullmatch(pattern)
    if blocks:
        part = stacks(model).get(blocks[1])
        if part is None:
            raise InputError(f"{where}: {pattern!r} names blocks, which only encoders and language models have")
        chosen = {id(parameter) for block in list(part.blocks)[int(blocks[2]) :] for parameter in block.parameters()}
        # By identity: blocks may be reached under several module paths, and only the model's own names count.
        named = {name for name, parameter in model.named_parameters() if id(parameter) in chosen}
        return named.__contains__
    if pattern.endswith(".adapter"):
        owner = pattern.removesuffix("adapter")
        # `peft` scatters its parameters over the wrapped layers, so no prefix names them; the set does.
        return {name for name in adapter_parameters(model) if name.startswith(owner)}.__contains__
    if "*" not in pattern:
        return lambda name: name == pattern or name.startswith(pattern + ".")
    return lambda name: fnmatchcase(name, pattern)


def table(model: nn.Module, selection: Selection) -> list[tuple[str, int, int, str]]:
    """Rows (part, parameters, of them trained, learning rates) in the order of the parts."""
    rows = []
    for name, part in model.named_children():
        sizes = {f"{name}.{inner}": parameter.numel() for inner, parameter in part.named_parameters()}
        if not sizes:
            continue
        trained = {inner: size for inner, size in sizes.items() if inner in selection.rates}
        rates = sorted({selection.rates[inner] for inner in trained})
        rows.append((name, sum(sizes.values()), sum(trained.values()), ", ".join(f"{rate:g}" for rate in rates)))
    return rows


def fingerprint(model: nn.Module) -> dict[str, int]:
    """A checksum of each parameter's bits on this process: equal weights, equal number; one changed bit, another number."""
    sums = {}
    for name, parameter in model.named_parameters():
        bits = local(parameter.detach()).contiguous().view(torch.uint8).flatten()
        # Eight bytes at once where they are whole: a model of billions is summed before and after every stage.
        if len(bits) % 8 == 0:
            bits = bits.view(torch.int64)
        place = torch.arange(1, len(bits) + 1, device=bits.device, dtype=torch.int64)
        sums[name] = int((bits.to(torch.int64) * place).sum())  # weighted by place, so that a swap shows, too
    return sums
