"""Several connectors read the same picture; their tokens stand one behind the other (BLIVA, arXiv 2308.09936, section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.model.connectors.base import Connector, TextContext
from vistune.model.features import Features, Grid
from vistune.spec import Spec, build


class Parallel(Connector):
    """The connectors `branches`, in their order. Stages train them by name: `connector.branches.queries`."""

    def __init__(self, width: int, out_width: int, branches: Mapping[str, Spec]) -> None:
        super().__init__()
        if not branches:
            raise InputError("connectors.parallel.branches is empty, expected connectors by name")
        self.branches = nn.ModuleDict(
            {
                name: build("vistune.model.connectors", spec, Connector, width=width, out_width=out_width)
                for name, spec in branches.items()
            }
        )
        self.reads_text = any(branch.reads_text for branch in self._connectors())

    def _connectors(self) -> list[Connector]:
        return [branch for branch in self.branches.values() if isinstance(branch, Connector)]

    def num_tokens(self, n: int, grid: Grid | None) -> int:
        """Those of all branches."""
        return sum(branch.num_tokens(n, grid) for branch in self._connectors())

    def forward(self, features: Features, text: TextContext | None = None) -> Tensor:
        """`[N, L, D]` -> `[N, K1 + K2 + ..., H]`."""
        return torch.cat([branch(features, text) for branch in self._connectors()], dim=1)
