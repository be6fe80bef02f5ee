"""Many processes, one run: who they are, how they agree, how a model is replicated or sharded over them.

    torchrun --nproc_per_node 8 -m vistune train ...        every process runs the same command

                    ddp                                     fsdp
    weights         whole on each process                   each layer's cut in as many shares, gathered while it runs
    gradients       summed in the last pass of a step       summed and cut layer by layer, while going backward
    optimizer       whole on each process                   the share's

A step's samples are the same for any number of processes; process r takes the r-th share of them. The loss is divided by the
number of supervised tokens of all, and gradients are summed, never averaged: numbers are those of one process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

import torch
import torch.distributed as dist
from torch import nn

from vistune.errors import InputError
from vistune.model.part import stacks

Parallel: TypeAlias = Literal["ddp", "fsdp"]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Ranks:
    """The processes of a run, seen from one of them.

    `sharded` says that weights are cut in shares; `control` carries words and counts, whatever carries tensors.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    sharded: bool = False
    control: dist.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Is this the process that writes, prints and shows progress?"""
        return self.rank == 0

    def gather(self, value: Value) -> list[Value]:
        """The value of each process, on each process; also the point at which all wait for all."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        # Over Gloo, also between GPUs: pickled objects through NCCL would need a device buffer and a synchronisation.
        dist.all_gather_object(values, value, group=self.control)
        return values

    def decide(self, choose: Callable[[], Value]) -> Value:
        """What the first process chooses, on all of them."""
        with self.together():
            chosen = choose() if self.first else None
        made: Any = self.gather(chosen)[0]
        return made  # type: ignore[no-any-return]

    @contextmanager
    def together(self) -> Iterator[None]:
        """An `InputError` of one process inside becomes, at the end, the same one on all: none is left waiting."""
        if self.size == 1:
            yield
            return
        complaint = None
        try:
            yield
        except InputError as error:
            complaint = str(error)
        # The first complaint by rank, so that all processes end with the same sentence.
        first = next(filter(None, self.gather(complaint)), None)
        if first is not None:
            raise InputError(first)

    def seed(self, seed: int, step: int) -> None:
        """Begin a step's dropout: one process goes on with its random state, many begin anew, each in its own way."""
        if self.size > 1:
            # Seed, step and rank decide the draw, so a run that is resumed with as many processes draws the same again.
            digest = hashlib.blake2b(f"{seed}/{step}/{self.rank}".encode(), digest_size=8).digest()
            torch.manual_seed(int.from_bytes(digest, "little"))

    def part(self, count: int) -> range:
        """This process's share of `count` things: shares are neighbours and differ by one at most."""
        # Cut by whole products and not by `count // size`: the remainder is spread, and no rank has two more than another.
        return range(count * self.rank // self.size, count * (self.rank + 1) // self.size)


ALONE = Ranks()


@contextmanager
def joined(parallel: Parallel = "ddp") -> Iterator[Ranks]:
    """The processes a launcher (`torchrun`, `accelerate launch`) started this one among; without a launcher, it alone.

    Tensors travel by NCCL between GPUs and by Gloo between CPUs; processes that are joined already stay so. Raises
    `InputError` for `fsdp` without a launcher.
    """
    cuda = torch.cuda.is_available()
    if not launched():
        if parallel == "fsdp":
            raise InputError("fsdp cuts a model over processes: start them with  torchrun --nproc_per_node N -m vistune train")
        yield Ranks(device=torch.device("cuda" if cuda else "cpu"))
        return
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    ours = not dist.is_initialized()
    if ours:
        # Both backends: gradients travel between GPUs, whole weights for checkpoints between CPUs.
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    yield Ranks(dist.get_rank(), dist.get_world_size(), device, parallel == "fsdp", dist.new_group(backend="gloo"))
    if ours:
        dist.destroy_process_group()  # not after an error: the others may be waiting for what this one never sends


def launched() -> bool:
    """Did a launcher start this process as one of several?"""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def place(model: nn.Module, ranks: Ranks, precision: Literal["fp32", "bf16"]) -> None:
    """Bring the model to the ranks's devices: whole, or cut in shares."""
    if ranks.sharded:
        shard(model, ranks, precision)
        return
    model.to(ranks.device)
    if ranks.size > 1:
        for tensor in model.state_dict().values():  # what began at random begins alike
            dist.broadcast(tensor, 0)


def shard(model: nn.Module, ranks: Ranks, precision: Literal["fp32", "bf16"]) -> None:
    """Cut the model's weights in shares (FSDP2, arXiv 2304.11277): each block of its parts alone, all else together.

    In bf16 weights are gathered as bf16, the number format they are multiplied in, while shares and sums stay fp32.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

    mesh = init_device_mesh(ranks.device.type, (ranks.size,))
    policy = MixedPrecisionPolicy(
        param_dtype=torch.bfloat16 if precision == "bf16" else None, reduce_dtype=torch.float32, cast_forward_inputs=False
    )
    # Blocks first, then the rest: `fully_shard` of the model takes what no inner call has claimed.
    for part in stacks(model).values():
        for block in part.blocks:
            fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy, reshard_after_forward=True)  # even where no backward pass follows
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # Losses are divided by what all ranks count together, so gradients are summed; FSDP2 would take their mean.
            module.set_gradient_divide_factor(1.0)
            # A factor of one alone still goes through a pre-multiplied sum, which Gloo does not have.
            module.set_force_sum_reduction_for_comms(True)


def buckets(parameters: Sequence[nn.Parameter], size: int = 1 << 25) -> Iterator[list[nn.Parameter]]:
    """Neighbours of one number format, together at most about `size` numbers: what travels between processes at once."""
    bucket: list[nn.Parameter] = []
    for parameter in parameters:
        full = sum(map(torch.numel, bucket)) + parameter.numel() > size
        if bucket and (full or bucket[0].dtype != parameter.dtype):
            yield bucket
            bucket = []
        bucket.append(parameter)
    if bucket:
        yield bucket
