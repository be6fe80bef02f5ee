"""Orthogonal updates shared out among processes are, to the bit, those that each would make."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from vistune.training.distributed import Ranks
from vistune.training.steps.shared_muon import SharedMuon, owners
from vistune.training.steps.summing import GradientSums

SETTINGS = {"lr": 1e-2, "weight_decay": 0.1, "adjust_lr_fn": "match_rms_adamw"}


def matrices() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((8, 8), (4, 16), (16, 4), (6, 5))]


def descend(optimizer: torch.optim.Optimizer, moved: list[nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for number, matrix in enumerate(moved):
        gradient = torch.randn(matrix.shape, generator=generator)
        matrix.grad = None if number == 3 and step == 1 else gradient  # one that no sample reached in a step
    optimizer.step()


def process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    ranks = Ranks(rank, 2)
    alone, shared = matrices(), matrices()
    one, two = torch.optim.Muon(alone, **SETTINGS), SharedMuon(shared, ranks, **SETTINGS)
    for step in range(4):
        descend(one, alone, step)
        descend(two, shared, step)
    kept, expected = two.state_dict()["state"], one.state_dict()["state"]
    same = [torch.equal(left, right) for left, right in zip(alone, shared, strict=True)]
    same += [torch.equal(kept[key]["momentum_buffer"], expected[key]["momentum_buffer"]) for key in expected]
    unreached = sums_of_two(rank, ranks)
    Path(folder, f"said.{rank}").write_text(f"{all(same) and kept.keys() == expected.keys()} {unreached}")
    dist.destroy_process_group()


def sums_of_two(rank: int, ranks: Ranks) -> bool:
    """Each process reaches a weight of its own and one that both do; nobody reaches the last."""
    own, both, nobody = (nn.ParameterDict({name: nn.Parameter(torch.ones(3)) for name in names}) for names in ("01", "b", "n"))
    sums = GradientSums([own["0"], own["1"], both["b"], nobody["n"]], ranks)
    for _ in range(2):
        for parameter in (*own.values(), *both.values(), *nobody.values()):
            parameter.grad = None
        with sums.going(last=False):
            (own[str(rank)] * 5).sum().backward()
        with sums.going(last=True):
            (both["b"] * (rank + 1)).sum().backward()
        sums.finish()
    reached = [own["0"].grad, own["1"].grad, both["b"].grad]
    right = [
        gradient is not None and gradient.tolist() == [value] * 3 for gradient, value in zip(reached, (5, 5, 3), strict=True)
    ]
    return all(right) and nobody["n"].grad is None


def test_each_matrix_has_an_owner_and_all_have_like_much_to_do() -> None:
    square, *flat = [nn.Parameter(torch.empty(64, 64)), *(nn.Parameter(torch.empty(32, 64)) for _ in range(4))]
    assert owners([flat[0], square, *flat[1:]], 2) == [1, 0, 1, 1, 1], "a square one costs as much as five halves"


@pytest.mark.slow
def test_two_processes_move_weights_as_one_does(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(process, (str(tmp_path),), nprocs=2)
    assert [(tmp_path / f"said.{rank}").read_text() for rank in range(2)] == ["True True"] * 2
