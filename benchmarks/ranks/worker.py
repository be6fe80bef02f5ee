"""One of the processes: the steps of a stage, its rows' processor time, neighbours and dealt by turns.

torchrun --nproc_per_node 2 -m benchmarks.ranks.worker FOLDER STEPS BATCH    ->  FOLDER/said.RANK.json
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks import small_llava
from vistune.data.samples import read
from vistune.model.packing import Batch
from vistune.recipe import Stage
from vistune.training.distributed import Ranks, joined
from vistune.training.steps.shares import shares_of
from vistune.training.steps.work import Work, work_of_steps

MICRO = 4


def main(folder: Path, steps: int, batch: int) -> None:
    """Train nothing but run it all: forward and backward of each row."""
    torch.set_num_threads(1)
    own = folder / f"model.{os.environ['RANK']}"
    own.mkdir()
    model = small_llava.build(own)  # before processes are joined: of joined ones `transformers` lets the first alone write
    with joined("ddp") as ranks:
        samples = read(f"conversations:{folder / 'data.json'}?images={folder}")
        said: dict[str, Any] = {}
        for balance in (False, True):
            stage = Stage(
                name="s", train={"llm": 1e-3, "vision": 1e-3}, data="", batch=batch, micro=MICRO, balance=balance, cache="off"
            )
            shares = shares_of(model, samples, stage, 0, steps, ranks, folder / "costs.npy")
            work = list(work_of_steps(model, samples, stage, 0, 0, steps, ranks, shares))
            run(model, work[:2], ranks)  # the first rows pay for what is made once
            said["dealt" if balance else "neighbours"] = run(model, work, ranks)
        (folder / f"said.{ranks.rank}.json").write_text(json.dumps(said))
        ranks.gather(None)


def run(model: Any, work: list[Work[Batch]], ranks: Ranks) -> list[list[dict[str, Any]]]:
    """By step, by row: what it held and what it took of this process's processor."""
    made = []
    for todo in work:
        rows = []
        ranks.gather(None)  # processes begin a step together, and so share caches and memory as in training
        for row in todo.batches:
            began = time.thread_time()
            loss = model(row)["text"]
            (loss.sum / max(1, row.supervised)).backward()
            took = time.thread_time() - began
            model.zero_grad(set_to_none=True)
            rows.append({"samples": _held(row), "seconds": took})
        made.append(rows)
    return made


def _held(row: Batch) -> list[tuple[int, int]]:
    seen = [0] * len(row.lengths)
    starts = [sum(row.lengths[:place]) for place in range(len(row.lengths))]
    for kind, slots in row.slots.items():
        for slot in slots:
            sample = max(place for place, start in enumerate(starts) if start <= slot.start)
            seen[sample] += row.things[kind][slot.which].ready.layout.total
    return list(zip(row.lengths, seen, strict=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
