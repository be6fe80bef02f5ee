"""What each sample of a stage costs, found from headers and words by all processes together, and a process's share of a step.

The table is made once, before the first step, and kept beside the log: 665 thousand samples are rendered, not decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vistune.data.order.epochs import sample_at
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.files import atomic_path
from vistune.model.trainable import AnyTrainable
from vistune.model.vlm import VisionLanguageModel
from vistune.progress import track
from vistune.recipe import Stage
from vistune.training.distributed import Ranks
from vistune.training.kinds import of_parts
from vistune.training.steps.dealing import Room, Size, dealt

_COLUMNS = 4  # of the table: tokens, encoder inputs, and the two costs


class Shares:
    """This process's rows of each step: `table` `[samples, 4]` has what `Size` names, in its order."""

    def __init__(self, table: NDArray[np.float64], stage: Stage, seed: int, ranks: Ranks) -> None:
        self._table, self._batch, self._seed, self._ranks = table, stage.batch, seed, ranks
        self._room = Room(stage.row, stage.max_tokens, stage.max_images)

    def rows(self, step: int) -> list[list[int]]:
        """Places in the run of the samples in each row."""
        first = step * self._batch
        asked = [self._table[sample_at(first + place, len(self._table), self._seed)] for place in range(self._batch)]
        sizes = [Size(int(tokens), int(inputs), language, seeing) for tokens, inputs, language, seeing in asked]
        given = dealt(sizes, self._ranks.size, self._room, rounds=self._ranks.sharded)[self._ranks.rank]
        return [[first + place for place in row] for row in given]


def shares_of(
    model: AnyTrainable, samples: Samples, stage: Stage, seed: int, steps: int, ranks: Ranks, file: Path
) -> Shares | None:
    """How the steps of a stage are dealt; None where a process takes neighbours: alone, by the stage's word, or where only
    preparing a sample tells what it costs (models taken whole, pairs of answers)."""
    parts = of_parts(model)
    if ranks.size == 1 or not stage.balance or stage.preference is not None or parts is None:
        return None
    wanted = range(len(samples))
    # A short run looks only at the headers of samples that it will meet; the others stay zero in the table.
    if steps * stage.batch < len(samples):
        wanted = sorted(sample_at(place, len(samples), seed) for place in range(steps * stage.batch))  # type: ignore[assignment]
    table = ranks.decide(lambda: _read(file, len(samples)))
    if table is None:
        with ranks.together():
            mine = [wanted[place] for place in ranks.part(len(wanted))]
            found = _measured(parts, samples, stage, mine, ranks.first)
        table = np.zeros((len(samples), _COLUMNS))
        for indices, costs in ranks.gather((mine, found)):
            table[indices] = costs
        if ranks.first:
            with atomic_path(file) as path, path.open("wb") as handle:
                np.save(handle, table)
    return Shares(table, stage, seed, ranks)


def _read(file: Path, size: int) -> NDArray[np.float64] | None:
    """The table that an earlier run of the stage kept; None where there is none, or none of these samples."""
    try:
        table: NDArray[np.float64] = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    good = table.shape == (size, _COLUMNS) and table.dtype == np.float64 and bool(np.isfinite(table).all())
    return table if good and bool((table >= 0).all()) else None


def _measured(
    model: VisionLanguageModel, samples: Samples, stage: Stage, indices: Sequence[int], report: bool
) -> NDArray[np.float64]:
    """The rows of the table for some samples. One that cannot be rendered costs nothing here: its step will say why."""
    renderer = model.renderer_of(stage.template)
    weights = {kind: _weight(model, kind) for kind, chain in model.chains.items() if chain.cache is None}
    language = 3 * sum(parameter.numel() for block in model.llm.blocks for parameter in block.parameters())
    head = 3 * model.llm.model.get_output_embeddings().weight.numel()
    wide = 6 * model.llm.width  # tokens at which attention to all of them costs as much as the linear layers

    def costs() -> Iterator[tuple[float, float, float, float]]:
        for index in track(indices, f"stage {stage.name}: lengths", len(indices)) if report else indices:
            try:
                extent = model.extent(samples[index], renderer)
            except InputError:
                yield (0.0, 0.0, 0.0, 0.0)
                continue
            seeing = sum(weights[kind] * extent.seen[kind] for kind in weights if kind in extent.seen)
            # A layer's linear parts take 12 H^2 products a token, attention over n tokens 2 n H: they meet at 6 H tokens.
            said = language * extent.tokens * (1 + extent.tokens / wide) + head * extent.taught
            yield float(extent.tokens), float(extent.inputs), said, float(seeing)

    return np.array(list(costs()), dtype=np.float64).reshape(-1, _COLUMNS)


def _weight(model: VisionLanguageModel, kind: str) -> int:
    """What a token costs in the parts of a chain: a product with each weight, and two more going backward."""
    return sum(
        parameter.numel() * (3 if parameter.requires_grad else 1)
        for name in model.routes[kind].chain
        for parameter in model.parts[name].parameters()
    )
