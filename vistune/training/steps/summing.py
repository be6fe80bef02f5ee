"""Whole gradients are added up over the processes while the last backward pass of a step still runs.

    backward pass     | layer 4 | layer 3 | layer 2 | layer 1 |
    travels                      [  4  3  ]          [ 2  1  ]

A bucket sets out when the last of its gradients is there. All processes send the same buckets in the same order, last layers
first, whatever parts their own samples reached; what no sample of a process reached travels as zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor, nn

from vistune.training.distributed import Ranks, buckets

_BUCKET = 1 << 23  # numbers: 32 MiB, small enough for several to be on their way


@dataclass(slots=True)
class _Bucket:
    parameters: list[nn.Parameter]
    missing: set[int] = field(default_factory=set)  # the `id` of those whose gradient is not final yet
    flat: Tensor | None = None
    sent: dist.Work | None = None


class GradientSums:
    """Adds up the gradients of `parameters` on all processes that hold them whole. One process, and cut weights, need nothing.

    for batch in batches:
        with sums.going(last=batch is batches[-1]):
            loss(batch).backward()
    sums.finish()
    """

    def __init__(self, parameters: Sequence[nn.Parameter], ranks: Ranks) -> None:
        self._needed = ranks.size > 1 and not ranks.sharded
        self._buckets: list[_Bucket] = []
        self._of: dict[int, _Bucket] = {}
        self._next = 0
        self._watching = False
        if not self._needed:
            return
        # Gradients come about from the last layer to the first, so the first bucket is full soonest this way round.
        self._buckets = [_Bucket(bucket) for bucket in buckets(list(reversed(parameters)), _BUCKET)]
        self._of = {id(parameter): bucket for bucket in self._buckets for parameter in bucket.parameters}
        for parameter in parameters:
            # Sums set out while the backward pass still runs: sending then costs nearly no time of its own.
            parameter.register_post_accumulate_grad_hook(self._arrived)
        self._begin()

    @contextmanager
    def going(self, last: bool) -> Iterator[None]:
        """Around a backward pass: in the `last` of a step gradients become final, and set out."""
        self._watching = last and self._needed
        try:
            yield
        finally:
            self._watching = False

    def finish(self) -> None:
        """Put the sums in the place of the gradients. A parameter that no process reached keeps none, as on one process: zeros
        would let the momentum of an optimizer move it."""
        while self._next < len(self._buckets):
            self._send()
        for bucket in self._buckets:
            assert bucket.sent is not None and bucket.flat is not None
            bucket.sent.wait()
            *summed, reached = bucket.flat.split([*(each.numel() for each in bucket.parameters), len(bucket.parameters)])
            for parameter, values, count in zip(bucket.parameters, summed, reached.tolist(), strict=True):
                parameter.grad = values.view_as(parameter) if count else None
        self._begin()

    def _begin(self) -> None:
        self._next = 0
        for bucket in self._buckets:
            bucket.missing, bucket.flat, bucket.sent = set(map(id, bucket.parameters)), None, None

    def _arrived(self, parameter: nn.Parameter) -> None:
        if not self._watching:
            return
        self._of[id(parameter)].missing.discard(id(parameter))
        # Strictly in order: all ranks must start the same collective next, whatever their own graphs finish first.
        while self._next < len(self._buckets) and not self._buckets[self._next].missing:
            self._send()

    def _send(self) -> None:
        bucket = self._buckets[self._next]
        self._next += 1
        # Zeros stand in for a missing gradient: a rank without pictures still sends its (empty) share of the connector.
        parts = [_gradient(parameter).flatten() for parameter in bucket.parameters]
        # How many processes reached each parameter travels behind the gradients.
        reached = [float(parameter.grad is not None) for parameter in bucket.parameters]
        bucket.flat = torch.cat([*parts, parts[0].new_tensor(reached)])
        bucket.sent = dist.all_reduce(bucket.flat, async_op=True)


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.to(parameter.dtype)
