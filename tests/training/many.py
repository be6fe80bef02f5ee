"""What every process of the tests runs: the trainings of a list, one after the other, each to its end or its one sentence.

torchrun --nproc_per_node 2 many.py jobs.json     ->  jobs.json.RANK: what each training said
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch.distributed as dist

from vistune.errors import InputError
from vistune.recipe import Recipe
from vistune.training.run import train


def main(file: Path) -> None:
    dist.init_process_group("gloo")
    said = {}
    for job in json.loads(file.read_text()):
        recipe = Recipe.from_json(job["recipe"])
        try:
            how = {"precision": job["precision"], "parallel": job["parallel"], "trust": job.get("trust", [])}
            train(recipe, job["out"], save_every=2, report=False, **how)
            said[job["out"]] = "done"
        except InputError as error:
            said[job["out"]] = str(error)
    Path(f"{file}.{os.environ['RANK']}").write_text(json.dumps(said))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
