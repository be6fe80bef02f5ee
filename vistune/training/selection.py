"""Which parameters a stage trains: patterns over part names, and the table that is printed of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import nn

from vistune.errors import InputError, nearest
from vistune.model.adapters.adapt import Part, adapter_parameters
from vistune.model.weights.sharding import local

_BLOCKS = re.compile(r"(\w+)\[(\d+):\]")


@dataclass(frozen=True, slots=True)
class Selection:
    """Trainable parameters by learning rate, and by name."""

    groups: dict[float, list[nn.Parameter]]
    names: frozenset[str]


def select(model: nn.Module, train: Mapping[str, float], where: str) -> Selection:
    """Switch gradients on for what `train`'s patterns match and off for all else; the first matching pattern gives the rate.

    Raises `InputError` for a pattern that matches nothing.
    """
    matchers = {pattern: _matcher(model, pattern, where) for pattern in train}
    used: set[str] = set()
    groups: dict[float, list[nn.Parameter]] = {}
    names: set[str] = set()
    for name, parameter in model.named_parameters():
        pattern = next((pattern for pattern, matches in matchers.items() if matches(name)), None)
        parameter.requires_grad_(pattern is not None)
        if pattern is not None:
            used.add(pattern)
            names.add(name)
            groups.setdefault(train[pattern], []).append(parameter)
    for pattern in train:
        if pattern not in used:
            known = [name for name, _ in model.named_children()]
            raise InputError(f"{where}: the pattern {pattern!r} matches no parameter{nearest(pattern.split('.')[0], known)}")
    return Selection(groups, frozenset(names))


def _matcher(model: nn.Module, pattern: str, where: str) -> Callable[[str], bool]:
    """A test on parameter names."""
    blocks = _BLOCKS.fullmatch(pattern)
    if blocks:
        part = dict(model.named_children()).get(blocks[1])
        if not isinstance(part, Part):
            raise InputError(f"{where}: {pattern!r} names blocks, which only encoders and language models have")
        chosen = {id(parameter) for block in list(part.blocks)[int(blocks[2]) :] for parameter in block.parameters()}
        named = {name for name, parameter in model.named_parameters() if id(parameter) in chosen}
        return named.__contains__
    if pattern.endswith(".adapter"):
        owner = pattern.removesuffix("adapter")
        return {name for name in adapter_parameters(model) if name.startswith(owner)}.__contains__
    if "*" not in pattern:
        return lambda name: name == pattern or name.startswith(pattern + ".")
    return lambda name: fnmatchcase(name, pattern)


def table(model: nn.Module, train: Mapping[str, float]) -> list[tuple[str, int, int, str]]:
    """Rows (part, parameters, of them trained, learning rates) in the order of the parts."""
    rows = []
    for name, part in model.named_children():
        parameters = list(part.parameters())
        if not parameters:
            continue
        trained = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
        rates = {rate for pattern, rate in train.items() if pattern.split(".")[0].split("[")[0].rstrip("*") in (name, "")}
        rows.append((name, sum(map(torch.numel, parameters)), trained, ", ".join(f"{rate:g}" for rate in sorted(rates))))
    return rows


def fingerprint(model: nn.Module) -> dict[str, int]:
    """A checksum of each parameter's bits on this process: equal weights, equal number; one changed bit, another number."""
    sums = {}
    for name, parameter in model.named_parameters():
        bits = local(parameter.detach()).contiguous().view(torch.uint8).flatten()
        if len(bits) % 8 == 0:
            bits = bits.view(torch.int64)
        place = torch.arange(1, len(bits) + 1, device=bits.device, dtype=torch.int64)
        sums[name] = int((bits.to(torch.int64) * place).sum())  # weighted by place, so that a swap shows, too
    return sums
