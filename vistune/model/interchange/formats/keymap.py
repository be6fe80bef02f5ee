"""Explicit maps from the names of our tensors to those of an official checkpoint.

    "layers.{}.query.": "encoder.layers.{}.crossattention.attention.query."     prefixes; `{}` is a number, the same in both
    "qkv.bias":         Of(("q_bias", "v_bias"), join)                          made of several, or laid out otherwise
    "norm.":            None                                                    not in theirs: stays as it begins

The longest prefix that fits one of our names counts; what stands behind it is appended to theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from torch import Tensor

from vistune.errors import InputError


@dataclass(frozen=True, slots=True)
class Of:
    """`make` of their tensors called `names` (prefixes, as in a map) gives ours."""

    names: tuple[str, ...]
    make: Callable[..., Tensor]


KeyMap: TypeAlias = Mapping[str, str | Of | None]


def read(
    theirs: Mapping[str, Tensor],
    ours: Mapping[str, Tensor],
    names: KeyMap,
    ignored: Sequence[str] = (),
    source: str = "the checkpoint",
) -> dict[str, Tensor]:
    """The tensors of `source` under our names, shaped as those of the state dict `ours`.

    Raises `InputError` naming the tensor that is missing, has another shape, or belongs nowhere and fits no glob of `ignored`.
    """
    taken: set[str] = set()
    state: dict[str, Tensor] = {}
    for name, like in ours.items():
        found = origin(name, names)
        if found is None:
            continue
        for key in found.names:
            if key not in theirs:
                raise InputError(f"{source} lacks the tensor {key!r}, which becomes {name!r}")
        taken.update(found.names)
        state[name] = _fitted(found.make(*(theirs[key] for key in found.names)), like, found.names[0], source)
    for key in theirs:
        if key not in taken and not any(fnmatchcase(key, pattern) for pattern in ignored):
            raise InputError(f"the tensor {key!r} of {source} belongs to no part of this model")
    return state


def origin(name: str, names: KeyMap) -> Of | None:
    """Whole names of the tensors that ours called `name` is made of; None for one that stays as it begins."""
    for prefix in sorted(names, key=len, reverse=True):
        matched = re.match(re.escape(prefix).replace(r"\{\}", r"(\d+)"), name)
        if matched is None:
            continue
        their = names[prefix]
        if their is None:
            return None
        made = their if isinstance(their, Of) else Of((their,), _same)
        rest = name[matched.end() :]
        return Of(tuple(key.format(*matched.groups()) + rest for key in made.names), made.make)
    raise InputError(f"no rule says where {name!r} comes from")


def prefixed(ours: str, theirs: str, names: KeyMap) -> dict[str, str | Of | None]:
    """The map of a module that is called `ours` here and `theirs` there."""

    def inside(their: str | Of | None) -> str | Of | None:
        if their is None:
            return None
        return Of(tuple(theirs + key for key in their.names), their.make) if isinstance(their, Of) else theirs + their

    return {ours + prefix: inside(their) for prefix, their in names.items()}


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _fitted(tensor: Tensor, like: Tensor, key: str, source: str) -> Tensor:
    """`tensor` in the shape of ours, which may leave out or add axes of length one."""
    if [size for size in tensor.shape if size != 1] != [size for size in like.shape if size != 1]:
        raise InputError(f"the tensor {key!r} of {source} has the shape {list(tensor.shape)}, expected {list(like.shape)}")
    return tensor.reshape(like.shape)
