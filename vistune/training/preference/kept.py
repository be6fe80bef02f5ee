"""The reference's log-probabilities of all pairs of a stage, computed once before its first step and kept beside its states."""

from __future__ import annotations

from pathlib import Path

import torch

from vistune.data.order.epochs import sample_at
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.files import read_json, write_json
from vistune.model.vlm import VisionLanguageModel
from vistune.progress import track
from vistune.recipe import Stage
from vistune.training.distributed import Ranks
from vistune.training.preference.losses import Preference
from vistune.training.preference.objective import Kept, Objective
from vistune.training.preference.pairs import pair_batch
from vistune.training.steps.precision import Precision, autocast, resolve


def reference_of(
    model: VisionLanguageModel,
    samples: Samples,
    stage: Stage,
    told: Preference,
    seed: int,
    steps: int,
    file: Path,
    precision: Precision,
    ranks: Ranks,
) -> Kept:
    """Log-probabilities of the pairs that the stage will read, from `file` where they are there.

    They are computed from the weights before the first step, so that this is called before a state is restored. Raises
    `InputError` for a file of another stage's.
    """
    # Only the pairs that the stage will meet: a short stage over millions of pairs reads thousands.
    visited = sorted({sample_at(place, len(samples), seed) for place in range(min(steps * stage.batch, len(samples)))})
    if ranks.decide(file.exists):
        kept = {int(number): tuple(values) for number, values in read_json(file).items()}
        if set(visited) - set(kept):
            raise InputError(f"{file} holds the reference of other pairs than stage {stage.name!r} reads: remove it")
        return kept
    renderer = model.renderer_of(stage.template)
    objective, context = Objective(model, told, frozenset()), resolve(precision, model.device)
    objective.how = "now"  # the weights as they are
    rows = [visited[start : start + stage.row] for start in range(0, len(visited), stage.row)]
    mine: Kept = {}
    with ranks.together():
        # Rows by turns over the ranks: no collective runs in between, so unequal lengths cost nobody a wait.
        for row in track(rows[ranks.rank :: ranks.size], f"stage {stage.name}: reference", len(rows) // ranks.size):
            with torch.no_grad(), autocast(context, model.device):
                batch = pair_batch(model, [samples[number] for number in row], row, renderer, told)
                found = objective.reference(batch).T.tolist()
            mine |= {number: (chosen, rejected, unseen) for number, (chosen, rejected, unseen) in zip(row, found, strict=True)}
    kept = {number: values for part in ranks.gather(mine) for number, values in part.items()}
    if ranks.first:
        write_json(file, {str(number): list(values) for number, values in sorted(kept.items())})
    return kept
