"""Tensors that are spread over processes: the whole of one, this process's share, and a share cut from a whole.

A `DTensor` is cut by rows, a share a process; any other tensor is its own share and its own whole.
"""

from __future__ import annotations

from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor


def whole(tensor: Tensor) -> Tensor:
    """All of it; what is gathered lies in main memory. Every process must ask, in the same order."""
    return tensor.full_tensor().cpu() if isinstance(tensor, DTensor) else tensor


def local(tensor: Tensor) -> Tensor:
    """What lies on this process."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def shard_like(whole: Tensor, pattern: Tensor) -> Tensor:
    """`whole`, which every process holds, spread as `pattern` of the same shape is."""
    if not isinstance(pattern, DTensor):
        return whole
    # `src_data_rank=None`: each process cuts its share from its own copy, where the default would broadcast the first
    # process's.
    return distribute_tensor(whole.to(pattern.device), pattern.device_mesh, pattern.placements, src_data_rank=None)
