"""Prompts of several samples as one batch: token rows padded, pictures laid one behind the other.

prompt 0     9 9 9 4 7        prompt 0     9 9 9 4 7
prompt 1     . . . 4 8   or   prompt 1     4 8 . . .        9: a picture's places, .: padding
generation reads from the right, training from the left; training has each answer behind its prompt
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.model.native.families import Family
from vistune.model.native.render import NativeExample
from vistune.prompt.render import IGNORE

# What has one entry a token; behind a prompt an answer's tokens continue with 0, 1 or the last token's entry.
_PER_TOKEN = {
    "input_ids": None,
    "attention_mask": 1,
    "token_type_ids": None,
    "mm_token_type_ids": 0,
    "image_embeds_position_mask": 0,
    "cross_attention_mask": "last",
    "image_attention_mask": "last",
}


@dataclass(frozen=True, slots=True)
class NativeBatch:
    """The model's `inputs`, `labels` `[N, L]` of its tokens (of an encoder-decoder: of what it answers) and what is counted:
    `ids` are all tokens that are read, without padding, `supervised` how many carry a label."""

    names: tuple[str, ...]
    inputs: dict[str, Tensor]
    labels: Tensor
    ids: Tensor
    supervised: int

    @property
    def counts(self) -> dict[str, int]:
        """What its one loss is counted in."""
        return {"text": self.supervised}


def training_batch(examples: Sequence[NativeExample], family: Family, pad: int, encoder_decoder: bool) -> NativeBatch:
    """Prompts with their answers behind them; for an encoder-decoder the answers apart, as labels."""
    if encoder_decoder:
        inputs = collate([example.prompt for example in examples], family, pad, left=False)
        labels = _rows([torch.tensor([example.answer]) for example in examples], IGNORE, left=False)
    else:
        inputs = collate([_answered(example, family) for example in examples], family, pad, left=False)
        # The first label has no token before it to be predicted from.
        labels = _rows([torch.tensor([[IGNORE, *example.rendered.labels[1:]]]) for example in examples], IGNORE, left=False)
    return NativeBatch(
        names=tuple(example.id for example in examples),
        inputs=inputs,
        labels=labels,
        ids=torch.cat([torch.tensor(example.rendered.ids) for example in examples]),
        supervised=sum(example.rendered.supervised for example in examples),
    )


def collate(prompts: Sequence[dict[str, Tensor]], family: Family, pad: int, left: bool) -> dict[str, Tensor]:
    """Several batches of a single sample as one batch, token rows padded on the left or right."""
    names = list(dict.fromkeys(name for prompt in prompts for name in prompt))
    batch = {}
    for name in names:
        if family.indices is not None and name == family.indices[0]:
            batch[name] = torch.cat(list(_shifted(prompts, *family.indices)))
        elif name in _PER_TOKEN:
            tensors = [prompt.get(name, _empty(prompt, name, prompts)) for prompt in prompts]
            batch[name] = _rows(tensors, pad if name == "input_ids" else 0, left)
        # Families of one row a sample need a row also for a sample without pictures; in others its pictures are simply
        # absent.
        elif family.rows:
            tensors = [prompt.get(name, _empty(prompt, name, prompts)) for prompt in prompts]
            batch[name] = torch.cat(_padded(tensors, 1))
        else:
            batch[name] = torch.cat(_padded([prompt[name] for prompt in prompts if name in prompt], 1))
    return batch


def _shifted(prompts: Sequence[dict[str, Tensor]], name: str, among: str) -> Iterator[Tensor]:
    """Places of each prompt's own patches as places among those of all prompts."""
    before = 0
    for prompt in prompts:
        if name in prompt:
            yield torch.where(prompt[name] >= 0, prompt[name] + before, prompt[name])
            before += prompt[among].shape[0] * prompt[among].shape[1]


def _empty(prompt: dict[str, Tensor], name: str, prompts: Sequence[dict[str, Tensor]]) -> Tensor:
    """The row of a sample without pictures, beside others that have some: nothing, or nothing for each token."""
    pattern = next(other[name] for other in prompts if name in other)
    length = prompt["input_ids"].shape[1] if name in _PER_TOKEN else 0
    return pattern.new_zeros((1, length, *(0,) * (pattern.dim() - 2)))


def _answered(example: NativeExample, family: Family) -> dict[str, Tensor]:
    """A prompt with its answer's tokens behind it."""
    answer = torch.tensor([example.answer])
    count = answer.shape[1]
    longer = dict(example.prompt)
    for name, further in _PER_TOKEN.items():
        if name not in longer:
            continue
        tensor = longer[name]
        if name == "input_ids":
            more = answer
        elif further == "last":
            # An answer's tokens see the pictures that the last token of the prompt sees.
            more = tensor[:, -1:].expand(-1, count, *tensor.shape[2:])
        else:
            more = tensor.new_full((1, count, *tensor.shape[2:]), family.suffix if further is None else int(further))
        longer[name] = torch.cat([tensor, more], dim=1)
    return longer


def _rows(tensors: Sequence[Tensor], value: int, left: bool) -> Tensor:
    """`[1, L, ...]` tensors as `[N, longest, ...]`: `value` fills dimension 1 on one side, 0 the others behind."""
    longest = max(tensor.shape[1] for tensor in tensors)
    filled = []
    # Dimension 2 on (pictures, tiles) may differ between samples as well and is filled behind, whatever the side of the
    # tokens.
    for tensor in _padded(tensors, 2):
        missing = longest - tensor.shape[1]
        sides = (missing, 0) if left else (0, missing)
        filled.append(F.pad(tensor, (*(0, 0) * (tensor.dim() - 2), *sides), value=value))
    return torch.cat(filled)


def _padded(tensors: Sequence[Tensor], first: int) -> list[Tensor]:
    """The tensors with their dimensions from `first` on filled with zeros to the largest."""
    sizes = [max(sizes) for sizes in zip(*(tensor.shape[first:] for tensor in tensors), strict=True)]
    filled = []
    for tensor in tensors:
        missing = [size - have for size, have in zip(sizes, tensor.shape[first:], strict=True)]
        # `F.pad` names dimensions from the last to the first, hence reversed.
        filled.append(F.pad(tensor, [side for size in reversed(missing) for side in (0, size)]))
    return filled
